//! Keys that are fetched: when, how often, and what happens if not.

use std::time::Duration;

use futures_util::future::join_all;
use oauth_tower::bearer::{JwtVerifier, TrustedIssuer};
use oauth_tower::http_client::HttpClient;
use serde_json::{Value, json};

use crate::elsewhere::{Elsewhere, assert_rejected, assert_unavailable, document, status, verify};
use crate::hostile::endure;
use crate::issuer::{API, ISSUER, Key, NOW, builder, claims, clock, publish, publisher, remote, set, with};

/// Lets fetches in the background end: they are tasks of the same thread.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn keys_are_found_by_those_who_come_together_once() {
    let key = Key::new("k1");
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock());
    let tokens = join_all((0..20).map(|at| {
        let claims = with("jti", json!(at.to_string()));
        let key = key.clone();
        async move { key.sign(&claims).await }
    }))
    .await;
    for verdict in join_all(tokens.iter().map(|token| verify(&verifier, token))).await {
        assert!(verdict.is_ok(), "{verdict:?}");
    }
    // The metadata and the keys.
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let token = key.sign(&claims()).await;
    issuer.script(|_| status(500));
    assert_unavailable(verify(&verifier, &token).await, "down");
    assert_eq!(issuer.asked(), 2);
    publish(&issuer, &[&key]);
    assert_unavailable(verify(&verifier, &token).await, "not asked again within a second");
    assert_eq!(issuer.asked(), 0);
    clock.advance(Duration::from_secs(1));
    assert!(verify(&verifier, &token).await.is_ok());
}

#[tokio::test]
async fn metadata_that_lies() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let token = key.sign(&claims()).await;
    let keys = serde_json::to_value(set(&[&key])).unwrap();
    for metadata in [
        json!({ "issuer": "https://as.example/", "jwks_uri": "https://as.example/jwks" }),
        json!({ "issuer": "https://evil.example", "jwks_uri": "https://as.example/jwks" }),
        json!({ "issuer": ISSUER, "jwks_uri": "http://as.example/jwks" }),
        json!({ "issuer": ISSUER, "jwks_uri": "file:///jwks" }),
        json!({ "issuer": ISSUER, "jwks_uri": "/jwks" }),
        json!({ "issuer": ISSUER }),
        json!([]),
    ] {
        let (answer, keys) = (metadata.clone(), keys.clone());
        issuer.script(move |path| if path == "/jwks" { document(&keys) } else { document(&answer) });
        assert_unavailable(verify(&verifier, &token).await, &metadata.to_string());
        clock.advance(Duration::from_secs(1));
    }
}

/// As OpenID Connect has it; also where the other address answers with a page, as single-page applications do.
#[tokio::test]
async fn metadata_at_the_address_of_openid_connect() {
    let key = Key::new("k1");
    let clock = clock();
    let token = key.sign(&claims()).await;
    for unknown in [status(404), status(200), http::Response::new("<!doctype html>".into())] {
        let issuer = publisher(&[&key]);
        let keys = serde_json::to_value(set(&[&key])).unwrap();
        issuer.script(move |path| match path {
            "/.well-known/openid-configuration" => {
                document(&json!({ "issuer": ISSUER, "jwks_uri": "https://as.example/jwks" }))
            }
            "/jwks" => document(&keys),
            _ => unknown.clone(),
        });
        assert!(verify(&remote(&issuer, &clock), &token).await.is_ok());
    }
}

#[tokio::test]
async fn jw_08_unknown_keys_cause_one_fetch_in_a_while() {
    let (key, evil) = (Key::new("k1"), Key::new("evil"));
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let good = key.sign(&claims()).await;
    verify(&verifier, &good).await.unwrap();
    issuer.asked();
    clock.advance(Duration::from_secs(10));
    for at in 0..1_000 {
        let header = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{at}"}}"#);
        let token = evil.sign(&with("jti", json!(at))).await;
        let header = base64_url(&header);
        let token = format!("{header}{}", &token[token.find('.').unwrap()..]);
        assert_rejected(verify(&verifier, &token).await, "unknown kid");
    }
    assert_eq!(issuer.asked(), 1);
    assert!(verify(&verifier, &good).await.is_ok());
    clock.advance(Duration::from_secs(10));
    assert_rejected(verify(&verifier, &evil.sign(&claims()).await).await, "unknown kid");
    assert_eq!(issuer.asked(), 1);
}

fn base64_url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let clock = clock();
    let issuer = publisher(&[&old]);
    let verifier = remote(&issuer, &clock);
    verify(&verifier, &old.sign(&claims()).await).await.unwrap();
    publish(&issuer, &[&old, &new]);
    clock.advance(Duration::from_secs(10));
    assert!(verify(&verifier, &new.sign(&claims()).await).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_taken_away_takes_its_tokens_along() {
    let (old, new) = (Key::new("k1"), Key::new("k2"));
    let clock = clock();
    let issuer = publisher(&[&old, &new]);
    let verifier = remote(&issuer, &clock);
    let tokens = [old.sign(&claims()).await, new.sign(&claims()).await];
    for token in &tokens {
        verify(&verifier, token).await.unwrap();
    }
    publish(&issuer, &[&new]);
    clock.advance(Duration::from_secs(300));
    // The request that finds the keys to be old begins the fetch and does not wait for it.
    assert!(verify(&verifier, &tokens[0]).await.is_ok());
    settle().await;
    assert_rejected(verify(&verifier, &tokens[0]).await, "the key is gone");
    assert!(verify(&verifier, &tokens[1]).await.is_ok());
}

#[tokio::test]
async fn an_empty_set_takes_all_keys_away_and_a_broken_one_none() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let token = key.sign(&with("exp", json!(NOW + 86_400))).await;
    verify(&verifier, &token).await.unwrap();
    let jwk = serde_json::to_value(set(&[&key])).unwrap()["keys"][0].clone();
    let mut broken = jwk.clone();
    broken["x"] = json!("AAAA");
    let mut private = jwk.clone();
    private["d"] = json!("AAAA");
    for lie in [
        json!({}),
        json!([jwk]),
        json!({ "keys": {} }),
        json!({ "keys": [broken] }),
        json!({ "keys": [private] }),
        json!({ "keys": vec![jwk.clone(); 101] }),
        json!({ "keys": [{ "kty": "oct", "k": "AAAA", "alg": "HS256" }] }),
    ] {
        let said = lie.clone();
        issuer.script(move |path| if path == "/jwks" { document(&said) } else { status(404) });
        clock.advance(Duration::from_secs(300));
        verify(&verifier, &token).await.unwrap();
        settle().await;
        assert!(issuer.asked() > 0, "{lie}");
        assert!(verify(&verifier, &token).await.is_ok(), "{lie}");
        publish(&issuer, &[&key]);
        clock.advance(Duration::from_secs(10));
        verify(&verifier, &token).await.unwrap();
        settle().await;
        issuer.asked();
    }
    issuer.script(move |path| if path == "/jwks" { document(&json!({ "keys": [] })) } else { status(404) });
    clock.advance(Duration::from_secs(300));
    let _ = verify(&verifier, &token).await;
    settle().await;
    assert_rejected(verify(&verifier, &token).await, "no key is left");
}

#[tokio::test]
async fn keys_outlive_a_failing_issuer_for_a_day() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let token = async |at: i64| {
        let mut claims = with("iat", json!(NOW + at));
        claims["exp"] = json!(NOW + at + 86_400);
        key.sign(&claims).await
    };
    let first = token(0).await;
    verify(&verifier, &first).await.unwrap();
    issuer.script(|_| status(500));
    for hour in 1..24 {
        clock.advance(Duration::from_secs(3600));
        assert!(verify(&verifier, &token(hour * 3600).await).await.is_ok(), "{hour}");
        settle().await;
    }
    clock.advance(Duration::from_secs(3600));
    assert_unavailable(verify(&verifier, &token(86_400).await).await, "a day later");
    settle().await;
    assert_unavailable(verify(&verifier, &first).await, "also what was remembered");
    publish(&issuer, &[&key]);
    clock.advance(Duration::from_secs(10));
    assert!(verify(&verifier, &token(86_400).await).await.is_ok());
}

#[tokio::test]
async fn the_issuer_says_how_long_its_keys_are_fresh() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = Elsewhere::saying(Value::Null);
    let keys = serde_json::to_value(set(&[&key])).unwrap();
    issuer.script(move |_| {
        let mut response = document(&keys);
        response.headers_mut().insert("cache-control", "public, max-age=60".parse().unwrap());
        response
    });
    let trusted = TrustedIssuer::with_jwks_uri(ISSUER, API, "https://as.example/jwks", issuer.client());
    let verifier = builder(&clock).issuer(trusted).build().unwrap();
    let token = key.sign(&claims()).await;
    let asked = async || {
        verify(&verifier, &token).await.unwrap();
        settle().await;
        issuer.asked()
    };
    assert_eq!(asked().await, 1);
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(asked().await, 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(asked().await, 1);
}

#[tokio::test]
async fn an_issuer_in_every_manner() {
    let http = HttpClient::with_public_roots();
    let token = Key::new("k1").sign(&claims()).await;
    let patience = Duration::from_millis(400);
    let by_address = |port| {
        let jwks_uri = format!("http://127.0.0.1:{port}/jwks");
        let trusted = TrustedIssuer::with_jwks_uri(ISSUER, API, jwks_uri, http.clone());
        JwtVerifier::builder().deadline(patience).issuer(trusted).build().unwrap()
    };
    endure(by_address, &token).await;
    let discovered = |port| {
        let trusted = TrustedIssuer::discover(format!("http://127.0.0.1:{port}"), API, http.clone());
        JwtVerifier::builder().deadline(patience).issuer(trusted).build().unwrap()
    };
    endure(discovered, &token).await;
}
