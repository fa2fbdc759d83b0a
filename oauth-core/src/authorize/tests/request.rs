//! What is a request, what is an error, and where it is told.

use super::*;
use crate::authorize::{
    AuthorizeError, MAX_QUERY_BYTES, MAX_STATE_BYTES, Query, RedirectError, Request, ShowKind,
};
use crate::clock::Timestamp;
use crate::error::ErrorCode;

fn check(client: &Client, raw: &str) -> Result<Request, AuthorizeError> {
    Query::parse(raw)?.check(client)
}

fn shown(client: &Client, raw: &str) -> ShowKind {
    match check(client, raw) {
        Err(AuthorizeError::Show(error)) => error.kind(),
        other => panic!("{raw}: {other:?}"),
    }
}

fn redirected(client: &Client, raw: &str) -> RedirectError {
    match check(client, raw) {
        Err(AuthorizeError::Redirect(error)) => {
            let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            assert!(error.description().bytes().all(allowed), "{}", error.description());
            assert!(error.location(ISSUER).starts_with("https://app.example/cb?error="));
            assert!(error.location(ISSUER).ends_with("&iss=https%3A%2F%2Fas.example"));
            error
        }
        other => panic!("{raw}: {other:?}"),
    }
}

/// The plain request with one parameter replaced, or left out.
fn with(name: &str, value: Option<&str>) -> String {
    let prefix = format!("{name}=");
    let base = query("");
    let kept = base.split('&').filter(|pair| !pair.starts_with(&prefix)).map(ToOwned::to_owned);
    kept.chain(value.map(|value| format!("{name}={value}"))).collect::<Vec<_>>().join("&")
}

#[test]
fn a_plain_request() {
    let request = check(&web(), &query("")).unwrap();
    assert_eq!(request.client_id(), "web");
    assert_eq!(request.redirect_uri(), "https://app.example/cb");
    assert_eq!(request.scope().as_str(), "read");
    assert_eq!(request.resources(), web().resources());
    assert!(request.challenge().is_some());
    assert_eq!(
        request.success("c", ISSUER),
        "https://app.example/cb?code=c&state=xyz&iss=https%3A%2F%2Fas.example"
    );
}

#[test]
fn what_cannot_be_trusted_is_shown() {
    let long = format!("https://app.example/{}", "a".repeat(5000));
    for (raw, kind) in [
        (String::new(), ShowKind::Malformed),
        (with("client_id", None), ShowKind::Malformed),
        (with("client_id", Some("")), ShowKind::Malformed),
        (query("&client_id=web"), ShowKind::Malformed),
        (query("&redirect_uri=https%3A%2F%2Fevil.example"), ShowKind::Malformed),
        (query("&redirect_uri="), ShowKind::Malformed),
        (query("&scope=%zz"), ShowKind::Malformed),
        (query("&state=%ff"), ShowKind::Malformed),
        (query("&nonce=a%00"), ShowKind::Malformed),
        (with("state", Some("a%0d%0aSet-Cookie:x=1")), ShowKind::Malformed),
        (with("redirect_uri", Some("https://evil.example/cb")), ShowKind::RedirectUri),
        (with("redirect_uri", Some("https%3A%2F%2Fapp.example%2FCB")), ShowKind::RedirectUri),
        (with("redirect_uri", Some("https%253A%252F%252Fapp.example%252Fcb")), ShowKind::RedirectUri),
        (with("redirect_uri", Some("https://app.example/cb?next=//evil.example")), ShowKind::RedirectUri),
        (with("redirect_uri", Some(&long)), ShowKind::TooLong),
        (query(&format!("&x={}", "a".repeat(MAX_QUERY_BYTES))), ShowKind::TooLong),
        (query(&"&x=1".repeat(200)), ShowKind::Malformed),
    ] {
        assert_eq!(shown(&web(), &raw), kind, "{raw}");
    }
    assert_eq!(shown(&web().disabled(Timestamp::EPOCH), &query("")), ShowKind::UnknownClient);
}

#[test]
fn ru_44_another_response_mode_does_not_soften_the_redirect_uri() {
    for mode in ["query", "form_post", "fragment", "jwt", "form_post.jwt", "web_message"] {
        let raw = with("redirect_uri", Some("https://evil.example")) + "&response_mode=" + mode;
        assert_eq!(shown(&web(), &raw), ShowKind::RedirectUri);
    }
}

#[test]
fn ru_35_ru_37_redirect_uri_may_be_left_out_where_one_is_implied() {
    let raw = with("redirect_uri", None);
    assert_eq!(check(&web(), &raw).unwrap().redirect_uri(), "https://app.example/cb");
    let two = Client::public("web")
        .redirect_uri("https://app.example/cb")
        .redirect_uri("https://app.example/cb2")
        .build()
        .unwrap();
    assert_eq!(shown(&two, &raw), ShowKind::RedirectUri);
    let native = Client::public("web").redirect_uri("http://127.0.0.1/cb").build().unwrap();
    assert_eq!(shown(&native, &raw), ShowKind::RedirectUri);
    let machine = Client::machine("web", &ClientSecret::generate()).build().unwrap();
    assert_eq!(shown(&machine, &raw), ShowKind::RedirectUri);
    assert_eq!(shown(&machine, &query("")), ShowKind::RedirectUri);
}

#[test]
fn ru_23_the_port_of_a_loopback_address_is_the_requested_one() {
    let raw =
        with("redirect_uri", Some("http://127.0.0.1:51004/cb")).replace("client_id=web", "client_id=cli");
    let request = check(&cli(), &raw).unwrap();
    assert!(request.success("c", ISSUER).starts_with("http://127.0.0.1:51004/cb?code=c&"));
    assert_eq!(request.registered_uri().as_str(), "http://127.0.0.1/cb");
}

#[test]
fn what_the_client_did_wrong_is_told_to_it() {
    use ErrorCode::*;
    let long = "a".repeat(513);
    for (raw, code) in [
        (with("response_type", None), InvalidRequest),
        (with("response_type", Some("")), InvalidRequest),
        (with("response_type", Some("token")), UnsupportedResponseType),
        (with("response_type", Some("id_token%20token")), UnsupportedResponseType),
        (with("response_type", Some("code%20token")), UnsupportedResponseType),
        (with("response_type", Some("CODE")), UnsupportedResponseType),
        (with("response_type", Some("code%20")), UnsupportedResponseType),
        (with("response_type", Some("none")), UnsupportedResponseType),
        (query("&response_mode=fragment"), InvalidRequest),
        (query("&response_mode=form_post"), InvalidRequest),
        (query("&response_type=code"), InvalidRequest),
        (query("&scope=read&scope=read"), InvalidRequest),
        (query("&nonce=a&nonce=b"), InvalidRequest),
        (query("&code_challenge="), InvalidRequest),
        (query("&claims=a&claims=b"), InvalidRequest),
        (query("&request=e30"), RequestNotSupported),
        (query("&request_uri=urn:x"), RequestUriNotSupported),
        (query("&request=e30&request_uri=urn:x"), InvalidRequest),
        (query("&authorization_details=[]"), InvalidAuthorizationDetails),
        (query("&scope=a%22b"), InvalidScope),
        (query("&scope=a%5Cb"), InvalidScope),
        (query("&scope=%C3%A9"), InvalidScope),
        (query("&scope=unknown"), InvalidScope),
        (query("&scope=read%20unknown"), InvalidScope),
        (query("&scope=++read"), InvalidScope),
        (query("&resource=https://other.example"), InvalidTarget),
        (query("&resource=https://api.example&resource=https://other.example"), InvalidTarget),
        (query("&resource=https://api.example%23x"), InvalidTarget),
        (query("&prompt=none%20login"), InvalidRequest),
        (query("&prompt=create"), InvalidRequest),
        (query("&prompt=login%20%20consent"), InvalidRequest),
        (query("&max_age=-1"), InvalidRequest),
        (query("&max_age=%2B1"), InvalidRequest),
        (query("&max_age=abc"), InvalidRequest),
        (query("&max_age=99999999999999999999"), InvalidRequest),
        (query(&format!("&nonce={long}")), InvalidRequest),
        (query("&nonce=%C3%A9"), InvalidRequest),
        (query(&format!("&login_hint={long}")), InvalidRequest),
    ] {
        let error = redirected(&web(), &raw);
        assert_eq!(error.code(), code, "{raw}: {}", error.description());
        assert!(error.location(ISSUER).contains("&state=xyz&"), "{raw}");
    }
}

#[test]
fn pk_01_to_08_pkce() {
    let s256 = "&code_challenge_method=S256";
    let c = |challenge: &str| format!("&code_challenge={challenge}");
    let bare = "client_id=web&response_type=code&state=xyz".to_owned();
    for more in [
        String::new(),
        "&code_challenge=&code_challenge_method=".to_owned(),
        c(CHALLENGE) + "&code_challenge_method=plain",
        c(CHALLENGE),
        c(CHALLENGE) + "&code_challenge_method=s256",
        c(CHALLENGE) + "&code_challenge_method=S512",
        s256.to_owned(),
        c(&CHALLENGE[1..]) + s256,
        c(&"a".repeat(129)) + s256,
        c(&CHALLENGE.replace('-', "%2B")) + s256,
        c(&CHALLENGE.replace('-', "%3D")) + s256,
    ] {
        assert_eq!(redirected(&web(), &(bare.clone() + &more)).code(), ErrorCode::InvalidRequest, "{more}");
    }
    let old = Client::confidential("web", &ClientSecret::generate())
        .redirect_uri("https://app.example/cb")
        .dangerous()
        .without_pkce()
        .build()
        .unwrap();
    assert!(check(&old, &bare).unwrap().challenge().is_none());
    let half = redirected(&old, &(bare + s256));
    assert_eq!(half.code(), ErrorCode::InvalidRequest);
}

#[test]
fn rp_29_a_client_that_may_not_use_codes() {
    let machine = Client::machine("web", &ClientSecret::generate())
        .redirect_uri("https://app.example/cb")
        .build()
        .unwrap();
    assert_eq!(redirected(&machine, &query("")).code(), ErrorCode::UnauthorizedClient);
}

#[test]
fn mx_05_rp_15_state_comes_back_exactly_or_not_at_all() {
    let location = check(&web(), &with("state", Some("a%2Bb%20c%26d%3De%25"))).unwrap().success("c", ISSUER);
    let query = location.split_once('?').unwrap().1;
    let state = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state").unwrap().1;
    assert_eq!(state, "a+b c&d=e%");

    let longest = "s".repeat(MAX_STATE_BYTES);
    let request = check(&web(), &with("state", Some(&longest))).unwrap();
    assert!(request.success("c", ISSUER).contains(&format!("&state={longest}&")));
    for state in [&format!("{longest}s"), "%C3%A9", "a&state=b", "a&state=a"] {
        let error = redirected(&web(), &with("state", Some(state)));
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        assert!(!error.location(ISSUER).contains("state="), "{state}");
    }
    let empty = check(&web(), &with("state", Some(""))).unwrap();
    assert!(!empty.success("c", ISSUER).contains("state="));
}

#[test]
fn rp_06_unknown_parameters_change_nothing() {
    let raw = query("&foo=1&foo=2&Client_Id=evil&code[]=x&REDIRECT_URI=https://evil.example&Scope=admin");
    let request = check(&web(), &raw).unwrap();
    assert_eq!((request.client_id(), request.scope().as_str()), ("web", "read"));
}

#[test]
fn options_are_read() {
    let raw = query(
        "&scope=write+read&resource=HTTPS://API.example/&resource=https://api.example&prompt=login+consent&max_age=0\
         &login_hint=%C3%A9va&nonce=n-0S6_WzA2Mj&acr_values=x&ui_locales=de&display=page&response_mode=query",
    );
    let request = check(&web(), &raw).unwrap();
    assert_eq!(request.scope().as_str(), "write read");
    let resources: Vec<_> = request.resources().iter().map(|resource| resource.as_str()).collect();
    assert_eq!(resources, ["https://api.example"]);
    assert!(request.prompt().login() && request.prompt().consent() && !request.prompt().none());
    assert_eq!(request.max_age(), Some(0));
    assert_eq!(request.login_hint(), Some("éva"));
    assert_eq!(request.nonce().map(|nonce| &**nonce), Some("n-0S6_WzA2Mj"));
}

#[test]
fn a_resume_token_is_not_part_of_the_request() {
    let raw = query("");
    let back = raw.clone() + "&resume=token";
    let (before, after) = (Query::parse(&raw).unwrap(), Query::parse(&back).unwrap());
    assert_eq!(before.digest(), after.digest());
    assert_eq!((before.resume(), after.resume()), (None, Some("token")));
    assert_eq!(after.without_resume(), raw);
    let encoded_anew = raw.replace("xyz", "%78yz");
    assert_eq!(Query::parse(&encoded_anew).unwrap().digest(), before.digest());
    assert_ne!(Query::parse(&raw.replace("xyz", "xy")).unwrap().digest(), before.digest());
    assert_eq!(Query::parse(&(back + "&resume=token")).unwrap().resume(), None);
}

#[test]
fn every_page_has_words_and_a_status() {
    for kind in ShowKind::ALL {
        assert!((400..600).contains(&kind.status()));
        assert!(!kind.title().is_empty() && !kind.explanation().is_empty() && !kind.remedy().is_empty());
    }
}
