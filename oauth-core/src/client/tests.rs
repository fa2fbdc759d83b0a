//! Clients and how they authenticate.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::{AuthMethod, AuthenticatedClient, Client, ClientError, ClientSecret, Credentials};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::params::Params;

const SECRET: &str = "a secret of fair length";

fn secret() -> ClientSecret {
    ClientSecret::from_text(SECRET)
}

fn web() -> Client {
    Client::confidential("web", &secret()).redirect_uri("https://app.example/cb").build().unwrap()
}

fn post() -> Client {
    let client = Client::confidential("post", &secret()).secret_in_body();
    client.redirect_uri("https://app.example/cb").build().unwrap()
}

fn spa() -> Client {
    Client::public("spa").redirect_uri("https://spa.example/cb").build().unwrap()
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn check(headers: &[&str], body: &str, now: Timestamp) -> Result<AuthenticatedClient, Error> {
    let mut map = HeaderMap::new();
    for header in headers {
        map.append(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
    }
    let params = Params::parse(body.as_bytes()).unwrap();
    let credentials = Credentials::read(&map, &params)?;
    let client = [web(), post(), spa()].into_iter().find(|client| client.id() == credentials.client_id());
    credentials.check(client.map(Arc::new), now)
}

fn code(headers: &[&str], body: &str) -> ErrorCode {
    check(headers, body, Timestamp::EPOCH).unwrap_err().code()
}

#[test]
fn each_method_works_for_the_client_that_registered_it() {
    let ok = |headers: &[&str], body: &str| {
        check(headers, body, Timestamp::EPOCH).map(|client| client.id().to_owned()).unwrap()
    };
    let body = "client_id=post&client_secret=a+secret+of+fair+length";
    assert_eq!(ok(&[&basic("web", "a+secret+of+fair+length")], ""), "web");
    assert_eq!(ok(&[&basic("web", "a%20secret%20of%20fair%20length")], "client_id=web"), "web");
    assert_eq!(ok(&[], body), "post");
    assert_eq!(ok(&[], "client_id=spa"), "spa");
}

#[test]
fn ca_01_ca_11_a_confidential_client_must_authenticate() {
    assert_eq!(code(&[], "client_id=web"), ErrorCode::InvalidClient);
    assert_eq!(code(&[], ""), ErrorCode::InvalidClient);
}

#[test]
fn ca_02_a_wrong_secret_is_refused_with_a_challenge() {
    let error = check(&[&basic("web", "wrong")], "", Timestamp::EPOCH).unwrap_err();
    assert_eq!((error.code(), error.basic_challenge()), (ErrorCode::InvalidClient, true));
    assert_eq!(error.client_id(), Some("web"));
}

#[test]
fn ca_03_two_methods_at_once_are_refused_even_when_both_are_right() {
    let right = basic("web", "a+secret+of+fair+length");
    for body in [
        "client_id=web&client_secret=a+secret+of+fair+length",
        "client_secret=x",
        "client_assertion=x&client_assertion_type=y",
    ] {
        assert_eq!(code(&[&right], body), ErrorCode::InvalidRequest, "{body}");
    }
    assert_eq!(code(&[], "client_id=post&client_secret=x&client_assertion=y"), ErrorCode::InvalidRequest);
}

#[test]
fn ca_04_header_and_body_name_the_same_client() {
    assert_eq!(code(&[&basic("web", "x")], "client_id=web2"), ErrorCode::InvalidRequest);
}

#[test]
fn ca_05_ids_and_secrets_are_form_encoded_inside_basic() {
    let secret = ClientSecret::from_text("p:%+ é and a few more bytes");
    let client =
        Client::confidential("a:b %+é", &secret).redirect_uri("https://app.example/cb").build().unwrap();
    let header = basic("a%3Ab+%25%2B%C3%A9", "p%3A%25%2B+%C3%A9+and+a+few+more+bytes");
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&header).unwrap());
    let params = Params::parse(b"").unwrap();
    let credentials = Credentials::read(&headers, &params).unwrap();
    assert_eq!(credentials.client_id(), "a:b %+é");
    assert!(credentials.check(Some(Arc::new(client)), Timestamp::EPOCH).is_ok());
}

#[test]
fn ca_06_unreadable_basic_credentials_are_refused() {
    let bad_escape = format!("Basic {}", STANDARD.encode("web:%zz"));
    let bad_utf8 = format!("Basic {}", STANDARD.encode(b"web:\xff\xfe"));
    let no_id = format!("Basic {}", STANDARD.encode(":secret"));
    for header in [
        "Basic d2Vi",
        "Basic !!!!",
        "Basic d2V-_g==",
        &bad_escape,
        &bad_utf8,
        &no_id,
        "Basic",
        "Bearer x",
        "x",
    ] {
        assert_eq!(code(&[header], ""), ErrorCode::InvalidClient, "{header}");
    }
}

#[test]
fn ca_07_the_scheme_is_case_insensitive() {
    let header = basic("web", "a+secret+of+fair+length").replacen("Basic", "bAsIc", 1);
    assert!(check(&[&header], "", Timestamp::EPOCH).is_ok());
}

#[test]
fn ca_08_two_authorization_headers_are_refused_in_both_orders() {
    let (right, wrong) = (basic("web", "a+secret+of+fair+length"), basic("web", "wrong"));
    assert_eq!(code(&[&right, &wrong], ""), ErrorCode::InvalidRequest);
    assert_eq!(code(&[&wrong, &right], ""), ErrorCode::InvalidRequest);
}

#[test]
fn ca_09_an_empty_secret_never_authenticates() {
    assert_eq!(code(&[&basic("web", "")], ""), ErrorCode::InvalidClient);
    assert_eq!(code(&[], "client_id=post&client_secret="), ErrorCode::InvalidClient);
    assert_eq!(Client::confidential("x", &ClientSecret::from_text("")).build(), Err(ClientError::Secret));
}

#[test]
fn ca_10_a_public_client_has_no_secret_to_send() {
    assert_eq!(code(&[], "client_id=spa&client_secret=x"), ErrorCode::InvalidClient);
    assert_eq!(code(&[&basic("spa", "")], ""), ErrorCode::InvalidClient);
}

#[test]
fn ca_14_unknown_and_wrong_get_the_same_answer() {
    let unknown = check(&[&basic("nobody", "wrong")], "", Timestamp::EPOCH).unwrap_err();
    let wrong = check(&[&basic("web", "wrong")], "", Timestamp::EPOCH).unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.description(), unknown.basic_challenge()),
        (wrong.code(), wrong.description(), wrong.basic_challenge())
    );
    assert_ne!(unknown.reason(), wrong.reason());
}

#[test]
fn ca_19_ca_32_assertions_are_not_a_way_in() {
    assert_eq!(code(&[], "client_id=web&client_assertion=x"), ErrorCode::InvalidClient);
    assert_eq!(code(&[], "client_id=spa&client_assertion_type=y"), ErrorCode::InvalidClient);
}

#[test]
fn the_registered_method_is_the_only_one() {
    assert_eq!(code(&[], "client_id=web&client_secret=a+secret+of+fair+length"), ErrorCode::InvalidClient);
    assert_eq!(code(&[&basic("post", "a+secret+of+fair+length")], ""), ErrorCode::InvalidClient);
}

#[test]
fn a_secret_is_changed_without_a_gap() {
    let (old, new) = (ClientSecret::generate(), ClientSecret::generate());
    let end = Timestamp::from_secs(100);
    let client = Client::machine("m2m", &new).secret_until(&old, end).build().unwrap();
    let works = |secret: &ClientSecret, now| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&basic("m2m", secret.expose())).unwrap());
        let params = Params::parse(b"").unwrap();
        Credentials::read(&headers, &params).unwrap().check(Some(Arc::new(client.clone())), now).is_ok()
    };
    assert!(works(&old, Timestamp::from_secs(99)) && works(&new, Timestamp::from_secs(99)));
    assert!(!works(&old, end) && works(&new, end));
}

#[test]
fn a_disabled_client_is_refused() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&basic("web", "a+secret+of+fair+length")).unwrap());
    let params = Params::parse(b"").unwrap();
    let disabled = web().disabled(Timestamp::EPOCH);
    let error =
        Credentials::read(&headers, &params).unwrap().check(Some(Arc::new(disabled)), Timestamp::EPOCH);
    assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidClient);
}

#[test]
fn an_invalid_client_names_its_field() {
    let cases = [
        (Client::public("").redirect_uri("https://a.example/cb").build(), "client_id"),
        (Client::public("a\n").redirect_uri("https://a.example/cb").build(), "client_id"),
        (Client::public("a").build(), "redirect_uris"),
        (Client::public("a").redirect_uri("http://a.example/cb").build(), "redirect_uris"),
        (Client::public("a").redirect_uri("https://*.a.example/cb").build(), "redirect_uris"),
        (Client::public("a").redirect_uri("https://a.example/cb").scope("a\"b").build(), "scope"),
        (
            Client::public("a").redirect_uri("https://a.example/cb").scope("a").default_scope("b").build(),
            "scope",
        ),
        (Client::public("a").redirect_uri("https://a.example/cb").resource("nonsense").build(), "resources"),
        (Client::public("a").redirect_uri("https://a.example/cb").secret(&secret()).build(), "client_secret"),
        (Client::public("a").grant_types(["client_credentials"]).build(), "client_credentials"),
        (Client::public("a").redirect_uri("https://a.example/cb").dangerous().without_pkce().build(), "pkce"),
        (Client::machine("a", &ClientSecret::from_text("short")).build(), "client_secret"),
        (Client::machine("a", &secret()).name("").build(), "client_name"),
        (Client::machine("a", &secret()).grant_types(["a b"]).build(), "grant_types"),
    ];
    for (client, field) in cases {
        let error = client.unwrap_err().to_string();
        assert!(error.contains(field), "{error:?} should name {field}");
    }
}

#[test]
fn lg_05_neither_debug_nor_storage_shows_a_secret() {
    let client = web();
    let shown = format!("{client:?} {:?}", secret());
    let stored = serde_json::to_string(&client).unwrap();
    assert!(!shown.contains(SECRET) && !stored.contains(SECRET));
    assert_eq!(serde_json::from_str::<Client>(&stored).unwrap(), client);
    assert_eq!(client.auth_method(), AuthMethod::ClientSecretBasic);
}
