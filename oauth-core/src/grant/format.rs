//! Opaque or signed: what an access token is made of follows from its audience.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Grant, Plan, Refusal, Resources, RevokeReason, State};
use crate::clock::Timestamp;
use crate::fixed_bytes::stored_as_bytes;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::Digest;

/// What an access token is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// A handle to an entry of the grant.
    #[default]
    Opaque,
    /// A signed JWT (RFC 9068), which takes no entry.
    Jwt,
}

/// Which resources get JWT access tokens, and how long those live.
///
/// A token for several resources is a JWT if all of them get JWTs, and opaque if none does. A token for both is refused
/// ([`Refusal::Formats`]): either form would be one that some of them cannot check. The client then names fewer resources.
/// A token that names no audience is opaque: RFC 9068 §2.2 requires one.
#[derive(Clone, Debug, Default)]
pub struct Formats {
    jwt: Vec<Resource>,
    lifetime: Duration,
}

impl Formats {
    /// JWTs for these resources, that live no longer than this.
    pub fn new(jwt: Vec<Resource>, lifetime: Duration) -> Self {
        Self { jwt, lifetime }
    }

    /// Whether no resource gets JWTs.
    pub fn is_empty(&self) -> bool {
        self.jwt.is_empty()
    }

    /// The resources that get JWTs.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.jwt.iter()
    }

    /// The format of a token for these resources.
    ///
    /// # Errors
    ///
    /// [`Refusal::Formats`] where they get different ones.
    pub fn of(&self, resources: &Resources) -> Result<Format, Refusal> {
        if self.jwt.is_empty() || resources.is_empty() {
            return Ok(Format::Opaque);
        }
        let signed = resources.iter().filter(|resource| self.find(resource).is_some()).count();
        if signed == 0 {
            Ok(Format::Opaque)
        } else if signed == resources.iter().len() {
            Ok(Format::Jwt)
        } else {
            Err(Refusal::Formats)
        }
    }

    /// How long a token lives that would live for `lifetime` as an opaque one.
    pub fn lifetime(&self, format: Format, lifetime: Duration) -> Duration {
        match format {
            Format::Opaque => lifetime,
            Format::Jwt => lifetime.min(self.lifetime),
        }
    }

    /// A resource as its API knows itself: API and client may have registered two spellings of it.
    pub(crate) fn audience<'a>(&'a self, resource: &'a Resource) -> &'a str {
        self.find(resource).unwrap_or(resource).as_str()
    }

    fn find(&self, resource: &Resource) -> Option<&Resource> {
        self.jwt.iter().find(|own| own.accepts(resource.as_str()))
    }
}

/// Names a JWT within its grant. Derived as the secret of an opaque token is, so that a repeated answer has it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JwtId([u8; 8]);

stored_as_bytes!(JwtId);

impl JwtId {
    /// The id of the JWT that stands where an opaque token with a secret of this digest would.
    pub fn of(digest: &Digest) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        Self([a, b, c, d, e, f, g, h])
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// An id that was read.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

/// A JWT that was revoked alone, remembered until it would have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedJwt {
    /// Which.
    #[serde(rename = "i")]
    pub id: JwtId,
    /// Until when it would have lived.
    #[serde(rename = "e")]
    pub until: Timestamp,
}

/// A JWT access token before it is signed: what it says that its grant does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsigned {
    /// Its id.
    pub id: JwtId,
    /// Its scope.
    pub scope: Scope,
    /// Its audience.
    pub resources: Resources,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl Grant {
    /// Whether a JWT of this grant still counts.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the grant is not active or the token was revoked alone.
    pub fn verify_jwt(&self, id: JwtId, now: Timestamp) -> Result<(), Refusal> {
        self.active(now)?;
        let ended = self.details.as_deref().map_or(&[][..], |details| &details.ended_jwts);
        if ended.iter().any(|ended| ended.id == id) { Err(Refusal::UnknownToken) } else { Ok(()) }
    }

    /// Ends a single JWT. Where as many as `max` are ended and not yet expired, the whole grant ends: what is remembered of
    /// it is bounded.
    ///
    /// As for an opaque token, an open retry window that it was issued in is closed.
    pub fn revoke_jwt(&self, jwt: EndedJwt, issued_at: Timestamp, max: usize, now: Timestamp) -> Plan<()> {
        let State::Active(active) = &self.state else { return Plan::Answer(()) };
        if now >= jwt.until || self.verify_jwt(jwt.id, now).is_err() {
            return Plan::Answer(());
        }
        let mut details = self.details.clone().unwrap_or_default();
        details.ended_jwts.retain(|ended| ended.until > now);
        if details.ended_jwts.len() >= max.max(1) {
            return self.revoke(RevokeReason::Client, now);
        }
        details.ended_jwts.push(jwt);
        let mut next = active.clone();
        if let Some(refresh) = &mut next.refresh {
            // A JWT says its time in whole seconds.
            refresh.previous.take_if(|previous| previous.used_at.as_secs() <= issued_at.as_secs());
        }
        Plan::Write(Self { details: Some(details), ..self.with_state(State::Active(next)) }, ())
    }
}
