//! An issuer, or whoever answers in its stead, that says wrong things about its keys, or says nothing once it is known.

use std::time::Duration;

use http::HeaderValue;
use oauth_tower::bearer::{Verification, Verifier};
use serde_json::json;

use crate::elsewhere::{assert_rejected, assert_unavailable, document, status, verify};
use crate::issuer::{ISSUER, Key, NOW, claims, clock, publish, publisher, remote, set, with};
use crate::jwks::settle;

/// Answers at once, and well.
#[track_caller]
fn assert_accepts_now(verifier: &impl Verifier, token: &str, what: &str) {
    match verifier.verify_token(token) {
        Verification::Now(verdict) => assert!(verdict.is_ok(), "{what}: {verdict:?}"),
        Verification::Later(_) => panic!("{what}: a good token waits"),
    }
}

#[tokio::test]
async fn a_right_set_counts_under_status_200_alone() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let token = key.sign(&claims()).await;
    let keys = serde_json::to_value(set(&[&key])).unwrap();
    let metadata = json!({ "issuer": ISSUER, "jwks_uri": "https://as.example/jwks" });
    for code in
        [201, 203, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 410, 429, 500, 503]
    {
        for liar in ["/jwks", "/.well-known/oauth-authorization-server"] {
            let (keys, metadata) = (keys.clone(), metadata.clone());
            issuer.script(move |path| {
                let mut answer = match path {
                    "/jwks" => document(&keys),
                    "/.well-known/oauth-authorization-server" => document(&metadata),
                    _ => status(404),
                };
                if path == liar {
                    *answer.status_mut() = code.try_into().unwrap();
                    answer
                        .headers_mut()
                        .insert("location", HeaderValue::from_static("https://evil.example/jwks"));
                }
                answer
            });
            assert_unavailable(verify(&verifier, &token).await, &format!("{code} at {liar}"));
            clock.advance(Duration::from_secs(1));
        }
    }
    publish(&issuer, &[&key]);
    assert!(verify(&verifier, &token).await.is_ok());
}

#[tokio::test]
async fn malformed_metadata() {
    let key = Key::new("k1");
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let token = key.sign(&claims()).await;
    let keys = serde_json::to_value(set(&[&key])).unwrap();
    let uri = "https://as.example/jwks";
    for metadata in [
        String::new(),
        "null".to_owned(),
        "{".to_owned(),
        "<!doctype html>".to_owned(),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{uri}"}}"x""#),
        format!("\u{feff}{{\"issuer\":\"{ISSUER}\",\"jwks_uri\":\"{uri}\"}}"),
        format!(r#"{{"issuer":"https://evil.example","issuer":"{ISSUER}","jwks_uri":"{uri}"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{uri}","jwks_uri":"https://evil.example/"}}"#),
        format!(r#"{{"issuer":["{ISSUER}"],"jwks_uri":"{uri}"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":["{uri}"]}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":null}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":""}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https:///jwks"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://as.example/jw ks"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://as.example/jwks\r\nx: y"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"http://10.0.0.1/jwks"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"http://127.0.0.1@as.example/jwks"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"data:application/json,{{}}"}}"#),
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{uri}{}"}}"#, "a".repeat(70_000)),
        format!(r#"{{"issuer":"{ISSUER}\u0000","jwks_uri":"{uri}"}}"#),
        format!(r#"{{"Issuer":"{ISSUER}","jwks_uri":"{uri}"}}"#),
    ] {
        let (said, keys) = (metadata.clone(), keys.clone());
        issuer.script(move |path| match path {
            "/jwks" => document(&keys),
            _ => http::Response::new(said.clone().into()),
        });
        let what: String = metadata.chars().take(120).collect();
        assert_unavailable(verify(&verifier, &token).await, &what);
        clock.advance(Duration::from_secs(1));
    }
    publish(&issuer, &[&key]);
    assert!(verify(&verifier, &token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_stalls_holds_back_nobody_whose_key_is_known() {
    let (key, new) = (Key::new("k1"), Key::new("k2"));
    let clock = clock();
    let issuer = publisher(&[&key]);
    let verifier = remote(&issuer, &clock);
    let good = key.sign(&with("exp", json!(NOW + 86_400))).await;
    verify(&verifier, &good).await.unwrap();
    assert_eq!(issuer.asked(), 2);
    let unknown = new.sign(&with("exp", json!(NOW + 86_400))).await;
    for hour in 1..20 {
        clock.advance(Duration::from_secs(3600));
        issuer.shut();
        assert_accepts_now(&verifier, &good, "remembered, and begins a fetch");
        let Verification::Later(waiting) = verifier.verify_token(&unknown) else { panic!("{hour}") };
        let mut waiting = tokio::spawn(waiting);
        settle().await;
        assert!(!waiting.is_finished());
        let fresh = key.sign(&with("exp", json!(NOW + 86_400 - hour))).await;
        assert_accepts_now(&verifier, &fresh, "new, by a key that is known");
        // The clock of the runtime goes on where nobody can do anything: to the deadline.
        assert_rejected((&mut waiting).await.unwrap(), "a key that could not be fetched");
        assert_accepts_now(&verifier, &good, "after the deadline");
        assert_eq!(issuer.asked(), 1, "{hour}");
        issuer.open();
    }
    publish(&issuer, &[&key, &new]);
    clock.advance(Duration::from_secs(10));
    assert!(verify(&verifier, &unknown).await.is_ok());
}

#[tokio::test]
async fn another_key_under_the_same_name_ends_the_tokens_of_the_first() {
    let (first, second) = (Key::new("k1"), Key::new("k1"));
    let clock = clock();
    let issuer = publisher(&[&first]);
    let verifier = remote(&issuer, &clock);
    let token = first.sign(&claims()).await;
    verify(&verifier, &token).await.unwrap();
    publish(&issuer, &[&second]);
    clock.advance(Duration::from_secs(300));
    let _ = verify(&verifier, &token).await;
    settle().await;
    assert_rejected(verify(&verifier, &token).await, "it was remembered");
    assert!(verify(&verifier, &second.sign(&claims()).await).await.is_ok());
}

#[tokio::test]
async fn what_an_issuer_says_of_freshness_makes_nobody_ask_all_the_time_or_never() {
    let key = Key::new("k1");
    let keys = serde_json::to_value(set(&[&key])).unwrap();
    for (said, asks_again) in [
        ("max-age=0", 10),
        ("max-age=1, max-age=99999999", 10),
        ("max-age=18446744073709551615", 300),
        ("max-age=99999999999999999999999", 300),
        ("max-age=-5", 300),
        ("max-age=\"0\"", 300),
        ("no-store, no-cache", 300),
    ] {
        let clock = clock();
        let issuer = publisher(&[&key]);
        let keys = keys.clone();
        issuer.script(move |path| match path {
            "/jwks" => {
                let mut answer = document(&keys);
                answer.headers_mut().insert("cache-control", HeaderValue::from_static(said));
                answer
            }
            _ => document(&json!({ "issuer": ISSUER, "jwks_uri": "https://as.example/jwks" })),
        });
        let verifier = remote(&issuer, &clock);
        let token = key.sign(&claims()).await;
        let asked = async || {
            verify(&verifier, &token).await.unwrap();
            settle().await;
            issuer.asked()
        };
        assert_eq!(asked().await, 2, "{said}");
        assert_eq!(asked().await, 0, "{said}");
        clock.advance(Duration::from_secs(asks_again - 1));
        assert_eq!(asked().await, 0, "{said}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(asked().await, 1, "{said}");
    }
}
