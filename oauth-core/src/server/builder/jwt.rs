//! What is said about JWT access tokens.

use std::sync::Arc;
use std::time::Duration;

use super::{BuildError, ServerBuilder};
use crate::grant::Formats;
use crate::resource::Resource;
use crate::server::signing::{Kept, Signing, SigningKeys, TokenClaims};

impl ServerBuilder {
    /// Issues JWT access tokens (RFC 9068) for this resource (RFC 8707), which resource servers can check by themselves. For
    /// all other resources, and for tokens that name none, access tokens stay opaque. A token for resources of both kinds is
    /// refused with `invalid_target`: the client names fewer.
    ///
    /// The text is the `aud` of those tokens, byte for byte. Without [`ServerBuilder::signing_keys`] an ES256 key is drawn that
    /// ends with the process, or with [`ServerBuilder::stored_keys`] kept in the store.
    pub fn jwt_for(mut self, resource: impl Into<String>) -> Self {
        self.jwt_for.push(resource.into());
        self
    }

    /// How long a JWT access token lives at most; default 10 minutes, at most a day. It is also for how long a resource server
    /// that does not ask takes a token whose grant has been revoked.
    pub fn jwt_lifetime(mut self, lifetime: Duration) -> Self {
        self.jwt_lifetime = lifetime;
        self
    }

    /// The keys that sign JWT access tokens, published at `jwks_uri`.
    pub fn signing_keys(mut self, keys: SigningKeys) -> Self {
        self.signing_keys = Some(keys);
        self
    }

    /// Adds claims of the host's own to JWT access tokens.
    pub fn token_claims(mut self, claims: impl TokenClaims) -> Self {
        self.token_claims = Some(Arc::new(claims));
        self
    }
}

pub(super) fn signing(
    jwt_for: Vec<String>,
    lifetime: Duration,
    keys: Option<SigningKeys>,
    claims: Option<Arc<dyn TokenClaims>>,
    stored: bool,
) -> Result<Signing, BuildError> {
    let parse = |given: String| match Resource::parse(&given) {
        Ok(resource) => Ok(resource),
        Err(source) => Err(BuildError::Resource { given, source }),
    };
    let jwt: Vec<Resource> = jwt_for.into_iter().map(parse).collect::<Result<_, _>>()?;
    let keys = match keys {
        None if jwt.is_empty() => None,
        None => Some(SigningKeys::default_for(stored)?),
        given => given,
    };
    let (keyring, schedule) = match keys.map(|keys| keys.kept(lifetime, stored)).transpose()? {
        None => (None, None),
        Some(Kept::Here(keyring)) => (Some(keyring), None),
        Some(Kept::InStore(schedule)) => (None, Some(schedule)),
    };
    Ok(Signing::new(Formats::new(jwt, lifetime), claims, keyring, schedule))
}
