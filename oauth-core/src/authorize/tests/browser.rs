//! The cookie and the ticket.

use http::{HeaderMap, HeaderValue, header};

use super::*;
use crate::authorize::{BrowserCookie, Login, Ticket, cookie_name};
use crate::clock::Timestamp;
use crate::handle::{GrantId, Handles, KeyRing, Prefixes};
use crate::issuer::Issuer;
use crate::secret::{Secret32, SeededRandom};

fn headers(cookies: &[&str]) -> HeaderMap {
    let values = cookies.iter().map(|value| (header::COOKIE, HeaderValue::from_str(value).unwrap()));
    values.collect()
}

#[test]
fn br_14_attributes() {
    let random = SeededRandom::new(1);
    let https = Issuer::parse(ISSUER).unwrap();
    let set = BrowserCookie::generate(&random).set(&https);
    let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax; Secure");
    assert_eq!(pair.strip_prefix("__Host-oauth-browser=").unwrap().len(), 43);
    assert!(BrowserCookie::read(&headers(&[pair]), &https).is_some());

    let http = Issuer::parse("http://127.0.0.1:8080").unwrap();
    let set = BrowserCookie::generate(&random).set(&http);
    assert!(set.to_str().unwrap().starts_with("oauth-browser="));
    assert!(set.to_str().unwrap().ends_with("; Path=/; HttpOnly; SameSite=Lax"));
}

#[test]
fn br_15_one_well_formed_cookie_or_none() {
    let issuer = Issuer::parse(ISSUER).unwrap();
    let name = cookie_name(&issuer);
    let value = "A".repeat(43);
    let good = format!("{name}={value}");
    let read = |cookies: &[&str]| BrowserCookie::read(&headers(cookies), &issuer);
    assert!(read(&[&good]).is_some());
    assert!(read(&[&format!("a=b; {good};c=d"), "e=f"]).is_some());
    assert_eq!(read(&["x=1", &good]).unwrap().hash(), read(&[&good]).unwrap().hash());
    for cookies in [
        vec![],
        vec!["a=b"],
        vec![&*good, &*good],
        vec![&*format!("{good}; {good}")],
        vec![&*format!("{good}; {name}=")],
        vec![&*format!("{name}={}", &value[1..])],
        vec![&*format!("{name}={value}A")],
        vec![&*format!("{name}=\"{value}\"")],
        vec![&*format!("{name}={}é", &value[2..])],
        vec![&*format!("{}={value}", name.to_lowercase())],
        vec![&*format!("oauth-browser={value}")],
    ] {
        assert!(read(&cookies).is_none(), "{cookies:?}");
    }
}

#[test]
fn a_ticket_opens_in_its_browser_and_says_what_was_sealed() {
    let random = SeededRandom::new(1);
    let handles = Handles::new(ISSUER, KeyRing::new([1; 32]), Prefixes::default());
    for session in [None, Some(""), Some("s1")] {
        let ticket = Ticket {
            query: query(""),
            shown: [6; 32],
            subject: "alice".into(),
            authenticated_at: Timestamp::from_millis(-5),
            session: session.map(Into::into),
            grant: GrantId::from_bytes([2; 16]),
            nonce: Secret32::new([3; 32]),
            key: handles.current_key(),
            expires_at: Timestamp::MAX,
        };
        let sealed = ticket.seal(&handles, &[4; 32], &random);
        assert!(Ticket::open(&handles, &[5; 32], &sealed).is_err());
        let opened = Ticket::open(&handles, &[4; 32], &sealed).unwrap();
        assert_eq!(
            (&opened.query, opened.shown, opened.grant, opened.key),
            (&ticket.query, [6; 32], ticket.grant, ticket.key)
        );
        assert!(opened.nonce.ct_eq(&ticket.nonce));
        assert_eq!((opened.expires_at, &opened.session), (ticket.expires_at, &ticket.session));

        let mut login = Login::new("alice", Timestamp::from_millis(-5));
        login.session = session.map(Into::into);
        assert!(opened.is_for(&login));
        assert!(!opened.is_for(&Login { subject: "bob".into(), ..login.clone() }));
        assert!(!opened.is_for(&Login { authenticated_at: Timestamp::from_millis(-4), ..login.clone() }));
        assert!(!opened.is_for(&Login { session: Some("s2".into()), ..login }));
    }
}

#[test]
fn an_unusable_subject_is_the_hosts_mistake() {
    let long = "a".repeat(256);
    for (subject, usable) in
        [("alice", true), (&long[1..], true), (&*long, false), ("", false), ("a\0", false)]
    {
        assert_eq!(Login::new(subject, Timestamp::EPOCH).check().is_ok(), usable);
    }
}
