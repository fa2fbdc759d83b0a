//! An issuer whose tokens are accepted, and what is expected of them.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use oauth_core::clock::Clock;
use oauth_jose::{Algorithm, JwkSet, VerifyingKeys};

use super::super::RemoteIssuerError;
use super::Issuer;
use super::check::Expectations;
use super::discovery::Source;
use super::keys::{IssuerKeys, Schedule};
use crate::http_client::{HttpClient, is_private};

/// An issuer whose JWT access tokens are accepted, and what is expected of them.
#[must_use = "an issuer is trusted by a verifier that it is given to"]
#[derive(Clone)]
pub struct TrustedIssuer {
    issuer: String,
    audience: Vec<String>,
    algorithms: Vec<Algorithm>,
    types: Vec<String>,
    profile: bool,
    plain_http: bool,
    keys: Keys,
}

#[derive(Clone)]
enum Keys {
    Fixed(JwkSet),
    At(String, HttpClient),
    Discovered(HttpClient),
}

impl TrustedIssuer {
    /// An issuer that says in its metadata where its keys are (RFC 8414, OpenID Connect Discovery). `audience` is the name of
    /// this API.
    pub fn discover(issuer: impl Into<String>, audience: impl Into<String>, http: HttpClient) -> Self {
        Self::new(issuer.into(), audience.into(), Keys::Discovered(http))
    }

    /// An issuer whose keys are at an address that is known.
    pub fn with_jwks_uri(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        jwks_uri: impl Into<String>,
        http: HttpClient,
    ) -> Self {
        Self::new(issuer.into(), audience.into(), Keys::At(jwks_uri.into(), http))
    }

    /// An issuer whose keys are known, and do not change.
    pub fn with_keys(issuer: impl Into<String>, audience: impl Into<String>, keys: JwkSet) -> Self {
        Self::new(issuer.into(), audience.into(), Keys::Fixed(keys))
    }

    fn new(issuer: String, audience: String, keys: Keys) -> Self {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
        Self {
            issuer,
            audience: vec![audience],
            algorithms: vec![Es256, EdDsa, Es384, Ps256, Rs256],
            types: vec!["at+jwt".to_owned()],
            profile: true,
            plain_http: false,
            keys,
        }
    }

    /// Another name of this API. One of them must be among the token's audiences, byte for byte.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// The algorithms that keys may have, instead of ES256, EdDSA, ES384, PS256 and RS256.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts another `typ` too; an empty one stands for tokens that have none.
    ///
    /// # Security
    ///
    /// Issuers that do not follow RFC 9068 often give ID tokens the same type: then only the audience tells them apart
    /// (RFC 8725 §3.11).
    pub fn token_type(mut self, typ: impl Into<String>) -> Self {
        self.types.push(typ.into());
        self
    }

    /// Accepts tokens without `client_id`, `iat` or `jti`, which RFC 9068 requires.
    pub fn lenient(mut self) -> Self {
        self.profile = false;
        self
    }

    /// Allows plain `http` to another machine.
    ///
    /// # Security
    ///
    /// Who is on the way chooses the keys, and so the tokens that are accepted.
    pub fn dangerous_allow_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.issuer
    }

    pub(super) fn build(
        self,
        schedule: Schedule,
        clock: Arc<dyn Clock>,
        generation: Arc<AtomicU64>,
    ) -> Result<Issuer, RemoteIssuerError> {
        let issuer: Arc<str> = self.issuer.into();
        let expectations = Expectations::new(issuer.clone(), self.audience, self.types, self.profile);
        let (http, jwks_uri) = match self.keys {
            Keys::Fixed(set) => {
                let keys =
                    VerifyingKeys::from_jwks(&set, &self.algorithms).or(Err(RemoteIssuerError::Keys))?;
                if keys.keys().is_empty() {
                    return Err(RemoteIssuerError::Keys);
                }
                let keys = IssuerKeys::fixed(issuer, keys, clock, generation);
                return Ok(Issuer { expectations, keys: Arc::new(keys) });
            }
            Keys::At(jwks_uri, http) => (http, Some(jwks_uri)),
            Keys::Discovered(http) => (http, None),
        };
        let address = jwks_uri.as_deref().unwrap_or(&issuer);
        let is_url = address.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some());
        if !(is_private(address) || self.plain_http && is_url) {
            return Err(RemoteIssuerError::Insecure);
        }
        let (algorithms, plain_http) = (self.algorithms, self.plain_http);
        let source = Source { http, jwks_uri, algorithms, plain_http, found: Mutex::default() };
        let keys = IssuerKeys::remote(issuer, source, schedule, clock, generation);
        Ok(Issuer { expectations, keys: Arc::new(keys) })
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
