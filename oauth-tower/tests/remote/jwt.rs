//! JWT access tokens and what they say.

use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::grant::Confirmation;
use oauth_jose::{Algorithm, JwkSet};
use oauth_tower::bearer::{IntrospectionVerifier, JwtVerifier, RemoteIssuerError, TrustedIssuer};
use serde_json::{Value, json};

use crate::elsewhere::{Elsewhere, assert_rejected, verify};
use crate::issuer::{API, ISSUER, Key, NOW, builder, claims, clock, fixed, set, with};

#[tokio::test]
async fn what_the_claims_say_is_what_the_token_is() {
    let key = Key::new("k1");
    let verifier = fixed(&[&key], &clock());
    let token = verify(&verifier, &key.sign(&claims()).await).await.unwrap();
    assert_eq!((&*token.issuer, &*token.client_id, token.subject()), (ISSUER, "app", Some("alice")));
    assert!(token.has_scope("write") && token.resources.contains(API));
    assert_eq!(
        (token.issued_at, token.expires_at),
        (Timestamp::from_secs(NOW), Timestamp::from_secs(NOW + 600))
    );
    let authentication = token.authentication.as_ref().unwrap();
    assert_eq!(
        (authentication.time, &**authentication.acr().unwrap()),
        (Timestamp::from_secs(NOW - 5), "gold")
    );
    let claims: Value = serde_json::from_str(token.claims.as_deref().unwrap()).unwrap();
    assert_eq!(claims["tenant"], "t1");
    let machine = verify(&verifier, &key.sign(&with("sub", json!("app"))).await).await.unwrap();
    assert_eq!(machine.subject(), None);
}

#[tokio::test]
async fn every_algorithm() {
    use Algorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
    for algorithm in [Es256, EdDsa, Es384, Ps256, Rs256] {
        let key = Key::of("k1", algorithm);
        let token = key.sign(&claims()).await;
        assert!(verify(&fixed(&[&key], &clock()), &token).await.is_ok(), "{algorithm:?}");
        let others: Vec<_> = [Es256, EdDsa].into_iter().filter(|other| *other != algorithm).collect();
        let trusted = TrustedIssuer::with_keys(ISSUER, API, set(&[&key])).algorithms(others);
        let built = builder(&clock()).issuer(trusted).build();
        if algorithm != Es256 && algorithm != EdDsa {
            assert_eq!(built.unwrap_err(), RemoteIssuerError::Keys, "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn claims_of_issuers_that_are_older_than_the_profile() {
    let key = Key::new("k1");
    let trusted =
        TrustedIssuer::with_keys(ISSUER, API, set(&[&key])).lenient().token_type("JWT").token_type("");
    let verifier = builder(&clock()).issuer(trusted).build().unwrap();
    let old = json!({ "iss": ISSUER, "sub": "alice", "aud": [API], "exp": NOW + 600, "azp": "app", "scp": ["read"] });
    for typ in ["JWT", "application/jwt", "at+jwt", ""] {
        let token = verify(&verifier, &key.sign_as(typ, old.to_string().as_bytes()).await).await.unwrap();
        assert_eq!((&*token.client_id, token.scope.as_str()), ("app", "read"), "{typ}");
    }
    let strict = fixed(&[&key], &clock());
    assert_rejected(verify(&strict, &key.sign_as("JWT", claims().to_string().as_bytes()).await).await, "typ");
    assert_rejected(verify(&strict, &key.sign(&old).await).await, "profile");
}

#[tokio::test]
async fn times_and_the_small_skew() {
    let key = Key::new("k1");
    let clock = clock();
    let verifier = fixed(&[&key], &clock);
    let token = key.sign(&with("exp", json!(NOW + 5))).await;
    for early in ["nbf", "iat"] {
        assert!(verify(&verifier, &key.sign(&with(early, json!(NOW + 10))).await).await.is_ok());
        assert_rejected(verify(&verifier, &key.sign(&with(early, json!(NOW + 11))).await).await, early);
    }
    clock.advance(Duration::from_millis(14_999));
    assert!(verify(&verifier, &token).await.is_ok());
    clock.advance(Duration::from_millis(1));
    assert_rejected(verify(&verifier, &token).await, "expired");
    let wide = JwtVerifier::builder().skew(Duration::from_secs(3600)).clock(clock.clone());
    let wide = wide.issuer(TrustedIssuer::with_keys(ISSUER, API, set(&[&key]))).build().unwrap();
    clock.advance(Duration::from_secs(51));
    assert_rejected(verify(&wide, &token).await, "the skew has a limit");
}

#[tokio::test]
async fn a_verdict_is_remembered_until_exp() {
    let key = Key::new("k1");
    let clock = clock();
    let trusted = TrustedIssuer::with_keys(ISSUER, API, set(&[&key]));
    let verifier = builder(&clock).skew(Duration::ZERO).issuer(trusted).build().unwrap();
    let token = key.sign(&with("exp", json!(NOW + 5))).await;
    let first = verify(&verifier, &token).await.unwrap();
    clock.advance(Duration::from_millis(4_999));
    assert!(Arc::ptr_eq(&first, &verify(&verifier, &token).await.unwrap()));
    clock.advance(Duration::from_millis(1));
    assert_rejected(verify(&verifier, &token).await, "expired");
    // A token that shares all but its last character with one that is remembered.
    let mut other = token.clone();
    other.pop();
    assert_rejected(verify(&verifier, &other).await, "truncated");
}

#[tokio::test]
async fn jw_04_several_issuers_each_with_its_own_keys() {
    const OTHER: &str = "https://other.example";
    let (key, other) = (Key::new("k1"), Key::new("k1"));
    let verifier = builder(&clock())
        .issuer(TrustedIssuer::with_keys(ISSUER, API, set(&[&key])))
        .issuer(TrustedIssuer::with_keys(OTHER, "https://api.other.example", set(&[&other])))
        .build()
        .unwrap();
    let mut others = with("iss", json!(OTHER));
    others["aud"] = json!("https://api.other.example");
    assert_eq!(&*verify(&verifier, &key.sign(&claims()).await).await.unwrap().issuer, ISSUER);
    assert_eq!(&*verify(&verifier, &other.sign(&others).await).await.unwrap().issuer, OTHER);
    assert_rejected(verify(&verifier, &other.sign(&claims()).await).await, "the other's key");
    assert_rejected(verify(&verifier, &key.sign(&others).await).await, "the first one's key");
    assert_rejected(
        verify(&verifier, &key.sign(&with("aud", json!("https://api.other.example"))).await).await,
        "aud",
    );
    for iss in ["https://as.example/", "https://AS.example", "https://third.example", ""] {
        assert_rejected(verify(&verifier, &key.sign(&with("iss", json!(iss))).await).await, iss);
    }
    assert_rejected(verify(&verifier, "opaque").await, "no JWT");
}

#[tokio::test]
async fn jw_21_a_bound_token_says_so() {
    let key = Key::new("k1");
    let verifier = fixed(&[&key], &clock());
    let bound = with("cnf", json!({ "jkt": "a".repeat(43) }));
    let token = verify(&verifier, &key.sign(&bound).await).await.unwrap();
    assert!(matches!(token.confirmation.as_deref(), Some(Confirmation::Jkt(_))));
    for cnf in [
        json!({}),
        json!(null),
        json!({ "jkt": null }),
        json!({ "x": 1 }),
        json!([]),
        json!({ "jkt": "short" }),
    ] {
        assert_rejected(
            verify(&verifier, &key.sign(&with("cnf", cnf.clone())).await).await,
            &cnf.to_string(),
        );
    }
}

#[tokio::test]
async fn jwts_here_and_other_tokens_elsewhere() {
    let key = Key::new("k1");
    let answer = json!({ "active": true, "token_type": "Bearer", "client_id": "opaque-app" });
    let elsewhere = Elsewhere::saying(answer);
    let introspection = IntrospectionVerifier::builder(ISSUER, "https://as.example/introspect")
        .build(elsewhere.client())
        .unwrap();
    let verifier = fixed(&[&key], &clock()).or(introspection);
    let good = key.sign(&claims()).await;
    for _ in 0..2 {
        assert_eq!(&*verify(&verifier, &good).await.unwrap().client_id, "app");
    }
    let expired = key.sign(&with("exp", json!(NOW - 60))).await;
    assert_rejected(verify(&verifier, &expired).await, "what one has refused the other is not asked");
    assert_eq!(elsewhere.asked(), 0);
    assert_eq!(&*verify(&verifier, "opaque").await.unwrap().client_id, "opaque-app");
    let foreign = key.sign(&with("iss", json!("https://third.example"))).await;
    assert_eq!(&*verify(&verifier, &foreign).await.unwrap().client_id, "opaque-app");
    assert_eq!(elsewhere.asked(), 2);
}

#[test]
fn mistakes_of_the_host() {
    let key = Key::new("k1");
    let http = Elsewhere::saying(Value::Null).client();
    let issuer = || TrustedIssuer::with_keys(ISSUER, API, set(&[&key]));
    let build = |issuers: Vec<TrustedIssuer>| {
        issuers.into_iter().fold(JwtVerifier::builder(), |builder, issuer| builder.issuer(issuer)).build()
    };
    assert_eq!(build(vec![]).unwrap_err(), RemoteIssuerError::Issuers);
    assert_eq!(build(vec![issuer(), issuer()]).unwrap_err(), RemoteIssuerError::Issuers);
    let none = TrustedIssuer::with_keys(ISSUER, API, JwkSet::default());
    assert_eq!(build(vec![none]).unwrap_err(), RemoteIssuerError::Keys);
    let plain = || TrustedIssuer::discover("http://as.example", API, http.clone());
    assert_eq!(build(vec![plain()]).unwrap_err(), RemoteIssuerError::Insecure);
    assert!(build(vec![plain().dangerous_allow_http()]).is_ok());
    let plain = TrustedIssuer::with_jwks_uri(ISSUER, API, "http://as.example/jwks", http.clone());
    assert_eq!(build(vec![plain]).unwrap_err(), RemoteIssuerError::Insecure);
}
