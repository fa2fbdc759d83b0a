//! JWTs of another issuer, and what a resource server needs to take them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_executor::block_on;
use oauth_jose::{Algorithm, CompactSigner, JwkSet, LocalKey, Signer as _};
use oauth_tower::bearer::{BearerLayer, JwtVerifier, TrustedIssuer};

use crate::request::{CLIENT_ID, ISSUER, SCOPE, SUBJECT};

const AUDIENCE: &str = "https://api.example";

/// A JWT of RFC 9068, signed with ES256, that works for a day; and the layer that takes it, with the issuer's key at hand.
///
/// # Panics
///
/// When there is no randomness.
pub(crate) fn jwt() -> (String, BearerLayer<JwtVerifier>) {
    let key = LocalKey::generate(Algorithm::Es256).expect("a key");
    let keys = JwkSet::new([key.key().jwk().clone()]).expect("a set");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = format!(
        r#"{{"iss":"{ISSUER}","sub":"{SUBJECT}","aud":"{AUDIENCE}","client_id":"{CLIENT_ID}","iat":{now},"exp":{},"jti":"AZ6dR0kqcQ2VvYw1l6o8m3dC9fXyZ0aB","scope":"{SCOPE}"}}"#,
        now + 24 * 3600
    );
    let token =
        block_on(CompactSigner::new(Arc::new(key), "at+jwt").sign(claims.as_bytes())).expect("a token");
    let issuer = TrustedIssuer::with_keys(ISSUER, AUDIENCE, keys);
    let verifier = JwtVerifier::builder().issuer(issuer).build().expect("a verifier");
    (token, BearerLayer::new(verifier).require_scope("read"))
}
