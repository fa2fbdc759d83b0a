//! The public keys by which a client proves who it is (RFC 7523 §2.2, RFC 7591 §2).

use std::sync::Arc;

use oauth_jose::{Algorithm, JwkSet, VerifyingKey, VerifyingKeys};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::web_uri::is_web_uri;

/// The algorithms that a client may sign assertions with.
pub const ASSERTION_ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256, Algorithm::Rs256];

/// The public keys of a client: given by value, or published by it at an https URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ClientKeys {
    source: KeySource,
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    Value { text: Arc<str>, keys: VerifyingKeys },
    Uri(Arc<str>),
}

/// Why keys are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientKeysError {
    /// Not a set of at least one public key of a kind and size that is accepted.
    #[error("jwks must have a valid public key for ES256, EdDSA, PS256 or RS256")]
    Set,
    /// A private or symmetric key: it is known to more than its owner.
    #[error("jwks must not have private or symmetric keys")]
    Private,
    /// Not a public https URL.
    #[error("jwks_uri must be an https URL with a host name")]
    Uri,
}

impl ClientKeys {
    /// Keys by value: a JWK Set (RFC 7517 §5).
    ///
    /// # Errors
    ///
    /// [`ClientKeysError`].
    pub fn by_value(jwks: &str) -> Result<Self, ClientKeysError> {
        let keys = read_keys(jwks.as_bytes())?;
        Ok(Self { source: KeySource::Value { text: jwks.into(), keys }, algorithm: None })
    }

    /// Keys that the client publishes. The server needs a
    /// [`document_fetcher`](crate::server::ServerBuilder::document_fetcher).
    ///
    /// # Errors
    ///
    /// [`ClientKeysError::Uri`].
    pub fn by_uri(jwks_uri: &str) -> Result<Self, ClientKeysError> {
        Self::published_at(jwks_uri, false)
    }

    pub(crate) fn published_at(jwks_uri: &str, loopback: bool) -> Result<Self, ClientKeysError> {
        if !is_web_uri(jwks_uri, loopback) {
            return Err(ClientKeysError::Uri);
        }
        Ok(Self { source: KeySource::Uri(jwks_uri.into()), algorithm: None })
    }

    /// The same keys, for this algorithm only (`token_endpoint_auth_signing_alg`).
    #[must_use]
    pub fn only(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Where the keys are published, if they were not given by value.
    pub fn uri(&self) -> Option<&str> {
        match &self.source {
            KeySource::Value { .. } => None,
            KeySource::Uri(uri) => Some(uri),
        }
    }

    /// The set, if it was given by value.
    pub fn value(&self) -> Option<&str> {
        match &self.source {
            KeySource::Value { text, .. } => Some(text),
            KeySource::Uri(_) => None,
        }
    }

    /// The one algorithm that the client signs with, where it says so.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    pub(crate) fn source(&self) -> &KeySource {
        &self.source
    }
}

impl PartialEq for ClientKeys {
    fn eq(&self, other: &Self) -> bool {
        (self.value(), self.uri(), self.algorithm) == (other.value(), other.uri(), other.algorithm)
    }
}

/// Reads the keys of a set for assertions. An RSA key that does not say its algorithm is good for both.
pub(crate) fn read_keys(jwks: &[u8]) -> Result<VerifyingKeys, ClientKeysError> {
    refuse_secrets(jwks)?;
    let set = JwkSet::parse(jwks).map_err(|_| ClientKeysError::Set)?;
    // A set for both takes such a key for RS256 first, a set for PS256 alone takes it for that.
    let read =
        |allowed: &[Algorithm]| VerifyingKeys::from_jwks(&set, allowed).map_err(|_| ClientKeysError::Set);
    let mut keys: Vec<VerifyingKey> = read(&ASSERTION_ALGORITHMS)?.keys().to_vec();
    for key in read(&[Algorithm::Ps256]).unwrap_or_default().keys() {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    if keys.is_empty() { Err(ClientKeysError::Set) } else { Ok(VerifyingKeys::new(keys)) }
}

fn refuse_secrets(jwks: &[u8]) -> Result<(), ClientKeysError> {
    let set: Value = serde_json::from_slice(jwks).map_err(|_| ClientKeysError::Set)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or(ClientKeysError::Set)?;
    let secret = |key: &Value| {
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| key.get(member).is_some())
            || key.get("kty").and_then(Value::as_str) == Some("oct")
    };
    if keys.iter().any(secret) { Err(ClientKeysError::Private) } else { Ok(()) }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
}

impl TryFrom<Stored> for ClientKeys {
    type Error = ClientKeysError;

    fn try_from(stored: Stored) -> Result<Self, ClientKeysError> {
        let keys = match (&stored.jwks, &stored.jwks_uri) {
            (Some(jwks), None) => Self::by_value(jwks)?,
            // Loopback was allowed or not when it was stored; the fetcher decides anew each time.
            (None, Some(uri)) => Self::published_at(uri, true)?,
            _ => return Err(ClientKeysError::Set),
        };
        let algorithm = match stored.alg.as_deref() {
            None => None,
            Some(alg) => Some(Algorithm::parse(alg).ok_or(ClientKeysError::Set)?),
        };
        Ok(Self { algorithm, ..keys })
    }
}

impl From<ClientKeys> for Stored {
    fn from(keys: ClientKeys) -> Self {
        Self {
            jwks: keys.value().map(Into::into),
            jwks_uri: keys.uri().map(Into::into),
            alg: keys.algorithm.map(|algorithm| algorithm.as_str().to_owned()),
        }
    }
}
