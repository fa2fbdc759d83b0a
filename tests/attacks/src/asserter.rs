//! A client that signs assertions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_jose::{Algorithm, LocalKey, Signer as _};
use serde_json::{Value, json};

use crate::{ISSUER, START, encode};

/// A client id with its private key.
#[derive(Debug)]
pub struct Asserter {
    client_id: String,
    key: LocalKey,
}

impl Asserter {
    /// A new key for a client.
    pub fn new(client_id: &str, algorithm: Algorithm, kid: &str) -> Self {
        let key = LocalKey::generate(algorithm).expect("a key").with_kid(kid);
        Self { client_id: client_id.to_owned(), key }
    }

    /// The same key, used by another client.
    #[must_use]
    pub fn of(mut self, client_id: &str) -> Self {
        client_id.clone_into(&mut self.client_id);
        self
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        serde_json::to_value(self.key.key().jwk()).expect("a JWK")
    }

    /// The JWK Set of the public key.
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// Claims that are right, with this `jti`.
    pub fn claims(&self, jti: &str) -> Value {
        json!({"iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "exp": START + 300, "jti": jti})
    }

    /// The header that is right.
    pub fn header(&self) -> Value {
        json!({"typ": "JWT", "alg": self.key.key().algorithm().as_str(), "kid": self.key.key().kid()})
    }

    /// Signs whatever is given.
    pub async fn sign(&self, header: &Value, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(&header.to_string()), part(claims));
        let signature = self.key.sign(signed.as_bytes()).await.expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// An assertion with these claims.
    pub async fn assertion(&self, claims: &Value) -> String {
        self.sign(&self.header(), &claims.to_string()).await
    }

    /// The parameters of a request with an assertion that is right.
    pub async fn form(&self, jti: &str) -> String {
        asserted(&self.assertion(&self.claims(jti)).await)
    }
}

/// The parameters of a request with this assertion.
pub fn asserted(assertion: &str) -> String {
    format!(
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={}",
        encode(assertion)
    )
}
