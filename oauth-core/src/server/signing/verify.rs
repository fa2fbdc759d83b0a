//! Recognising our own JWTs: signature and claims, without a look at the store.

use std::sync::Arc;

use oauth_jose::{AccessTokenClaims, JwsError};

use super::key_set::TYP;
use crate::clock::Timestamp;
use crate::grant::{EndedJwt, Grant, JwtId, Refusal, Resources};
use crate::handle::GrantId;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::server::{AccessToken, Server};

/// A JWT that this server signed.
#[derive(Clone, Debug)]
pub(in crate::server) struct ParsedJwt {
    pub(in crate::server) grant: GrantId,
    pub(in crate::server) jwt: EndedJwt,
    pub(in crate::server) issued_at: Timestamp,
    client_id: Box<str>,
    claims: Arc<str>,
    scope: Scope,
    resources: Resources,
}

impl Server {
    /// Whether a token has the form of a JWT: no handle has a dot.
    pub(in crate::server) fn is_jwt(token: &str) -> bool {
        token.contains('.')
    }

    /// Reads a JWT that this server signed. [`Refusal::UnknownKey`] may end with another look at the keys.
    pub(in crate::server) fn parse_jwt(&self, token: &str) -> Result<ParsedJwt, Refusal> {
        let keyring = self.signing.keyring().ok_or(Refusal::Malformed)?;
        let verified = keyring.keys.verify(token, &[TYP]).map_err(|error| match error {
            JwsError::UnknownKid => Refusal::UnknownKey,
            _ => Refusal::Malformed,
        })?;
        let claims = AccessTokenClaims::parse(verified.payload()).map_err(|_| Refusal::Malformed)?;
        if *claims.iss != *self.issuer_text {
            return Err(Refusal::Malformed);
        }
        ParsedJwt::of(claims, verified.payload()).ok_or(Refusal::Malformed)
    }
}

impl ParsedJwt {
    fn of(claims: AccessTokenClaims, payload: &[u8]) -> Option<Self> {
        let jti = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(claims.jti?).ok()?;
        let (grant, id) = jti.split_first_chunk::<16>()?;
        let seconds = |time: u64| i64::try_from(time).ok().map(Timestamp::from_secs);
        let resources = claims.aud.as_slice().iter().map(|audience| Resource::parse(audience).ok());
        Some(Self {
            grant: GrantId::from_bytes(*grant),
            jwt: EndedJwt { id: JwtId::from_bytes(id.try_into().ok()?), until: seconds(claims.exp)? },
            issued_at: seconds(claims.iat?)?,
            claims: str::from_utf8(payload).ok()?.into(),
            client_id: claims.client_id?.into(),
            scope: claims.scope.as_deref().map_or(Ok(Scope::empty()), Scope::parse).ok()?,
            resources: Resources::new(resources.collect::<Option<Vec<_>>>()?),
        })
    }

    /// Whether it still counts, by its grant.
    pub(in crate::server) fn check(&self, grant: &Grant, now: Timestamp) -> Result<(), Refusal> {
        if *grant.client_id != *self.client_id {
            return Err(Refusal::WrongClient);
        }
        if now >= self.jwt.until {
            return Err(Refusal::Expired);
        }
        grant.verify_jwt(self.jwt.id, now)
    }

    /// What it allows, of the grant that it belongs to.
    pub(in crate::server) fn describe(&self, grant: &Grant) -> AccessToken {
        AccessToken {
            issuer: grant.issuer.clone(),
            client_id: Arc::clone(&grant.client_id),
            subject: grant.subject.clone(),
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            issued_at: self.issued_at,
            expires_at: self.jwt.until,
            authentication: grant.authentication.clone(),
            confirmation: grant.confirmation().cloned(),
            grant_id: Some(self.grant),
            claims: Some(self.claims.clone()),
        }
    }
}
