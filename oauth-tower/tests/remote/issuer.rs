//! An issuer of JWT access tokens, with keys that the test changes.

use std::sync::Arc;

use oauth_core::clock::{ManualClock, Timestamp};
use oauth_jose::{Algorithm, CompactSigner, JwkSet, LocalKey};
use oauth_tower::bearer::{JwtBuilder, JwtVerifier, TrustedIssuer};
use serde_json::{Value, json};

use crate::elsewhere::{Elsewhere, document, status};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const API: &str = "https://api.example";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(NOW))
}

/// A key, and the tokens that are signed with it.
#[derive(Clone)]
pub(crate) struct Key(Arc<LocalKey>);

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        Self::of(kid, Algorithm::Es256)
    }

    pub(crate) fn of(kid: &str, algorithm: Algorithm) -> Self {
        Self(Arc::new(LocalKey::generate(algorithm).unwrap().with_kid(kid)))
    }

    pub(crate) async fn sign(&self, claims: &Value) -> String {
        self.sign_as("at+jwt", claims.to_string().as_bytes()).await
    }

    pub(crate) async fn sign_as(&self, typ: &str, payload: &[u8]) -> String {
        CompactSigner::new(self.0.clone(), typ).sign(payload).await.unwrap()
    }
}

pub(crate) fn set(keys: &[&Key]) -> JwkSet {
    use oauth_jose::Signer as _;
    JwkSet::new(keys.iter().map(|key| key.0.key().jwk().clone())).unwrap()
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": API, "exp": NOW + 600, "iat": NOW, "jti": "1", "client_id": "app",
        "scope": "read write", "auth_time": NOW - 5, "acr": "gold", "amr": ["pwd"], "tenant": "t1",
    })
}

pub(crate) fn with(name: &str, value: Value) -> Value {
    let mut changed = claims();
    changed[name] = value;
    changed
}

/// A server that publishes metadata and these keys.
pub(crate) fn publish(issuer: &Elsewhere, keys: &[&Key]) {
    let set = serde_json::to_value(set(keys)).unwrap();
    issuer.script(move |path| match path {
        "/.well-known/oauth-authorization-server" => {
            document(&json!({ "issuer": ISSUER, "jwks_uri": "https://as.example/jwks" }))
        }
        "/jwks" => document(&set),
        _ => status(404),
    });
}

pub(crate) fn publisher(keys: &[&Key]) -> Elsewhere {
    let issuer = Elsewhere::saying(Value::Null);
    publish(&issuer, keys);
    issuer
}

pub(crate) fn builder(clock: &ManualClock) -> JwtBuilder {
    JwtVerifier::builder().clock(clock.clone())
}

pub(crate) fn remote(issuer: &Elsewhere, clock: &ManualClock) -> JwtVerifier {
    builder(clock).issuer(TrustedIssuer::discover(ISSUER, API, issuer.client())).build().unwrap()
}

pub(crate) fn fixed(keys: &[&Key], clock: &ManualClock) -> JwtVerifier {
    builder(clock).issuer(TrustedIssuer::with_keys(ISSUER, API, set(keys))).build().unwrap()
}
