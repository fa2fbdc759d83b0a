//! Tokens that are checked at their issuer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::grant::Confirmation;
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{IntrospectionBuilder, IntrospectionVerifier, RemoteIssuerError};
use oauth_tower::http_client::HttpClient;
use oauth_tower::server::AuthorizationServerLayer;
use serde_json::{Value, json};

use crate::elsewhere::{Elsewhere, assert_rejected, assert_unavailable, document, status, verify};

const ISSUER: &str = "https://as.example";
/// Lets a future begin.
fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

const NOW: i64 = 1_800_000_000;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(NOW))
}

fn builder(clock: &ManualClock) -> IntrospectionBuilder {
    IntrospectionVerifier::builder(ISSUER, "https://as.example/introspect")
        .credentials("api", "a secret:%")
        .audience("https://api.example")
        .clock(clock.clone())
}

fn active() -> Value {
    json!({
        "active": true, "token_type": "Bearer", "iss": ISSUER, "client_id": "app", "sub": "alice",
        "aud": ["https://other.example", "https://api.example"], "scope": "read write",
        "exp": NOW + 600, "iat": NOW, "auth_time": NOW - 5, "acr": "gold", "amr": ["pwd"], "tenant": "t1",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut answer = active();
    answer[name] = value;
    answer
}

#[tokio::test]
async fn what_the_issuer_says_is_what_the_token_is() {
    let clock = clock();
    let issuer = Elsewhere::saying(active());
    let verifier = builder(&clock).build(issuer.client()).unwrap();
    let token = verify(&verifier, "abc-._~+/=").await.unwrap();
    assert_eq!((&*token.issuer, &*token.client_id, token.subject()), (ISSUER, "app", Some("alice")));
    assert!(token.has_scope("write") && token.resources.contains("https://api.example"));
    assert_eq!(token.expires_at, Timestamp::from_secs(NOW + 600));
    let authentication = token.authentication.as_ref().unwrap();
    assert_eq!(
        (authentication.time, &**authentication.acr().unwrap()),
        (Timestamp::from_secs(NOW - 5), "gold")
    );
    let claims: Value = serde_json::from_str(token.claims.as_deref().unwrap()).unwrap();
    assert_eq!(claims["tenant"], "t1");

    let request = issuer.last();
    assert_eq!(
        (request.method().as_str(), request.uri().to_string()),
        ("POST", format!("{ISSUER}/introspect"))
    );
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    // RFC 6749 §2.3.1: each half is form-encoded before it is put into Basic.
    assert_eq!(request.headers()["authorization"], "Basic YXBpOmElMjBzZWNyZXQlM0ElMjU=");
    assert!(request.body().ends_with("&token=abc%2D%2E%5F%7E%2B%2F%3D"), "{}", request.body());
}

#[tokio::test]
async fn the_servers_own_endpoint() {
    let secrets = [(); 2].map(|()| ClientSecret::generate());
    let server: Arc<Server> = Server::builder(ISSUER, MemoryStore::new())
        .client(Client::machine("m2m", &secrets[0]).scope("read").resource("https://api.example"))
        .client(Client::resource_server("api", &secrets[1], "https://api.example"))
        .build()
        .unwrap();
    let mut headers = HeaderMap::new();
    let basic = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("m2m:{}", secrets[0].expose()))
    };
    headers.insert("authorization", HeaderValue::try_from(format!("Basic {basic}")).unwrap());
    let response = server.token(&headers, b"grant_type=client_credentials").await.unwrap();
    let token = serde_json::to_value(&response).unwrap()["access_token"].as_str().unwrap().to_owned();
    let verifier = IntrospectionVerifier::builder(ISSUER, "https://as.example/introspect")
        .credentials("api", secrets[1].expose())
        .audience("https://api.example")
        .build(HttpClient::new(AuthorizationServerLayer::new(server).into_service()))
        .unwrap();
    let verified = verify(&verifier, &token).await.unwrap();
    assert_eq!((&*verified.client_id, verified.subject()), ("m2m", None));
    assert_rejected(verify(&verifier, "junk").await, "junk");
}

#[tokio::test]
async fn answers_that_open_nothing() {
    let clock = clock();
    for answer in [
        json!({ "active": false }),
        with("iss", json!("https://as.example.evil")),
        with("iss", json!("https://as.example/")),
        with("iss", json!(1)),
        with("aud", json!("https://api.example.evil")),
        with("aud", json!(["https://api"])),
        with("aud", json!([1])),
        with("aud", Value::Null),
        with("exp", json!(NOW)),
        with("exp", json!(-1)),
        with("exp", json!("9999999999")),
        with("exp", json!(1e308)),
        with("nbf", json!(NOW + 1)),
        with("token_type", json!("refresh_token")),
        with("token_type", Value::Null),
        with("token_use", json!("refresh_token")),
        with("typ", json!("Refresh")),
        with("scope", json!(["read"])),
        with("scope", json!("re\"ad")),
        with("cnf", json!({})),
        with("cnf", json!(null)),
        with("cnf", json!({ "x": 1 })),
    ] {
        let issuer = Elsewhere::saying(answer.clone());
        let verifier = builder(&clock).build(issuer.client()).unwrap();
        assert_rejected(verify(&verifier, "a").await, &answer.to_string());
        assert_rejected(verify(&verifier, "a").await, &answer.to_string());
        assert_eq!(issuer.asked(), 1, "{answer}");
    }
    let bound = with("cnf", json!({ "jkt": "a".repeat(43) }));
    let verifier = builder(&clock).build(Elsewhere::saying(bound).client()).unwrap();
    let token = verify(&verifier, "a").await.unwrap();
    assert!(matches!(token.confirmation.as_deref(), Some(Confirmation::Jkt(_))));
    let untyped = with("token_type", Value::Null);
    let verifier =
        builder(&clock).dangerous_accept_untyped().build(Elsewhere::saying(untyped).client()).unwrap();
    assert!(verify(&verifier, "a").await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_fails_is_no_reason_to_throw_a_token_away() {
    let clock = clock();
    let issuer = Elsewhere::saying(Value::Null);
    let verifier = builder(&clock).build(issuer.client()).unwrap();
    for code in [201, 301, 307, 400, 401, 403, 404, 429, 500, 503] {
        issuer.script(move |_| {
            let mut response = status(code);
            response.headers_mut().insert("location", HeaderValue::from_static("https://evil.example/"));
            response
        });
        assert_unavailable(verify(&verifier, "a").await, &code.to_string());
        assert_eq!(issuer.asked(), 1, "{code}");
    }
    for garbled in [json!(null), json!([]), json!({}), json!({ "active": "true" }), json!({ "active": 1 })] {
        issuer.says(garbled.clone());
        assert_unavailable(verify(&verifier, "a").await, &garbled.to_string());
    }
    issuer.says(active());
    assert!(verify(&verifier, "a").await.is_ok());
}

#[tokio::test]
async fn a_good_answer_is_remembered_and_never_beyond_exp() {
    let clock = clock();
    let issuer = Elsewhere::saying(with("exp", json!(NOW + 40)));
    let verifier = builder(&clock).cache_for(Duration::from_secs(30)).build(issuer.client()).unwrap();
    let ask = async || {
        let verdict = verify(&verifier, "a").await;
        (verdict.is_ok(), issuer.asked())
    };
    assert_eq!(ask().await, (true, 1));
    clock.advance(Duration::from_millis(29_999));
    assert_eq!(ask().await, (true, 0));
    clock.advance(Duration::from_millis(1));
    assert_eq!(ask().await, (true, 1));
    clock.advance(Duration::from_millis(9_999));
    assert_eq!(ask().await, (true, 0));
    clock.advance(Duration::from_millis(1));
    assert_eq!(ask().await, (false, 1));
}

/// The answer may have been true when the question was asked, and no longer.
#[tokio::test]
async fn what_is_remembered_is_as_old_as_the_question() {
    let clock = clock();
    let issuer = Elsewhere::saying(active());
    let verifier = builder(&clock).cache_for(Duration::from_secs(30)).build(issuer.client()).unwrap();
    let hurrying = clock.clone();
    issuer.script(move |_| {
        hurrying.advance(Duration::from_secs(4));
        document(&active())
    });
    assert!(verify(&verifier, "a").await.is_ok());
    clock.advance(Duration::from_millis(25_999));
    assert!(verify(&verifier, "a").await.is_ok());
    assert_eq!(issuer.asked(), 1);
    clock.advance(Duration::from_millis(1));
    assert!(verify(&verifier, "a").await.is_ok());
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_bad_token_is_remembered_for_a_short_while() {
    let clock = clock();
    let issuer = Elsewhere::saying(json!({ "active": false }));
    let verifier = builder(&clock).build(issuer.client()).unwrap();
    assert_rejected(verify(&verifier, "a").await, "first");
    issuer.says(active());
    assert_rejected(verify(&verifier, "a").await, "remembered");
    assert_eq!(issuer.asked(), 1);
    clock.advance(Duration::from_secs(5));
    assert!(verify(&verifier, "a").await.is_ok());
}

#[tokio::test]
async fn junk_does_not_drive_good_tokens_out() {
    let clock = clock();
    let issuer = Elsewhere::saying(active());
    let verifier = builder(&clock).cache_entries(8).build(issuer.client()).unwrap();
    verify(&verifier, "good").await.unwrap();
    issuer.says(json!({ "active": false }));
    for at in 0..200 {
        assert_rejected(verify(&verifier, &format!("junk{at}")).await, "junk");
    }
    issuer.asked();
    verify(&verifier, "good").await.unwrap();
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn those_who_come_together_ask_once() {
    let clock = clock();
    let issuer = Elsewhere::saying(active());
    let verifier = builder(&clock).max_in_flight(2).build(issuer.client()).unwrap();
    issuer.shut();
    let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(verify(&verifier, "a"))).collect();
    // Those who give up do not end the question.
    for future in &mut waiting {
        assert!(poll(future).is_pending());
    }
    drop(waiting.split_off(25));
    let mut other = Box::pin(verify(&verifier, "b"));
    assert!(poll(&mut other).is_pending());
    assert_unavailable(verify(&verifier, "c").await, "too many open questions");
    issuer.open();
    for verdict in join_all(waiting).await {
        assert!(verdict.is_ok());
    }
    assert!(other.await.is_ok());
    assert_eq!(issuer.asked(), 2);
    assert!(verify(&verifier, "c").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stalling_issuer_is_given_up_and_asked_again() {
    let clock = clock();
    let issuer = Elsewhere::saying(active());
    let verifier = builder(&clock).deadline(Duration::from_millis(700)).build(issuer.client()).unwrap();
    issuer.shut();
    let began = tokio::time::Instant::now();
    assert_unavailable(verify(&verifier, "a").await, "stalled");
    assert_eq!(began.elapsed().as_millis() / 10, 70);
    issuer.open();
    assert!(verify(&verifier, "a").await.is_ok());
}

#[test]
fn addresses_that_are_not_private() {
    let build = |endpoint| IntrospectionVerifier::builder(ISSUER, endpoint);
    let http = Elsewhere::saying(Value::Null).client();
    for endpoint in ["http://as.example/introspect", "/introspect", "", "as.example"] {
        let error = build(endpoint).build(http.clone()).unwrap_err();
        assert_eq!(error, RemoteIssuerError::Insecure, "{endpoint}");
    }
    assert!(build("http://as.example/introspect").dangerous_allow_http().build(http.clone()).is_ok());
    assert!(build("http://127.0.0.1:1/introspect").build(http).is_ok());
}
