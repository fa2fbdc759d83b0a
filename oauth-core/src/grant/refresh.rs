//! A refresh token becomes its successor (RFC 6749 §6, RFC 9700 §4.14), and a lost answer is given again.
//!
//! # The retry window
//!
//! With [`Rotation::Always`] the successor is derived from the presented token, so that the same answer can be given again
//! while nobody has used it. `T0 → T1` is a rotation at time `t`; the window is counted from `t` and never extended.
//!
//! | presented | successor T1 | when | window | answer |
//! | --- | --- | --- | --- | --- |
//! | T0 | does not exist | – | – | T1 and an access token |
//! | T0 | never presented | inside | on | T1 again; the same access token for the same parameters, another for others, and another when the first has expired |
//! | T0 | never presented | inside, but an access token issued in it was revoked | on | the grant is revoked |
//! | T0 | never presented | outside, or streak used up | on | the grant is revoked |
//! | T0 | never presented | any | off | the grant is revoked |
//! | T0 | presented | any | any | the grant is revoked |
//! | T0 | – | the grant was revoked | any | refused; nothing comes back |
//! | T0 by another client | any | any | any | refused, nothing changes |
//! | a token with a false tag | any | any | any | refused, nothing changes |
//! | an old token whose key is lost | any | any | any | refused, nothing changes |
//!
//! Inside the window whoever presents T0 gets T1. A thief who follows the client each time is bounded by the absolute
//! lifetime, seen as a growing streak in the traces, and ended by `max_retry_streak`.

mod derive;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Salt;
use super::ask::{Allowed, Ask};
use super::{Active, Format, Formats, Grant, Plan, Refusal, Resources, RevokeReason, State};
use crate::clock::Timestamp;
use crate::handle::{Authenticity, Handle, Handles, KeyId, Kind};
use crate::scope::Scope;
use crate::secret::{Digest, Secret32};

/// Whether a refresh replaces the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Each refresh gives a new refresh token and ends the old one.
    #[default]
    Always,
    /// The refresh token stays. For clients whose refresh tokens are sender-constrained (RFC 9700 §2.2.2).
    Never,
}

/// The refresh token of a grant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refresh {
    /// The digest of the current token.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// From when on it is refused unless used before; each use moves it, the grant's end bounds it.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
    /// The token before, while its answer may be given again.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Box<Previous>>,
}

/// What is needed to give the last answer again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Previous {
    /// The digest of the previous token.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// The key that its successor was derived and tagged with.
    #[serde(rename = "k")]
    pub key: KeyId,
    /// The salt of the derivation.
    #[serde(rename = "s")]
    pub salt: Salt,
    /// When it was first used.
    #[serde(rename = "t")]
    pub used_at: Timestamp,
    /// How many rotations in a row were retried before this one. Counted only where a limit is set.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub streak: u16,
    /// Whether this one was retried. Recorded only where a limit is set.
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(streak: &u16) -> bool {
    *streak == 0
}

/// A token request with a refresh token.
#[derive(Debug)]
pub struct RefreshRequest<'a> {
    /// The presented refresh token.
    pub handle: &'a Handle,
    /// The issuer that it was presented to.
    pub issuer: &'a str,
    /// The authenticated client.
    pub client_id: &'a str,
    /// Whether the client's refresh tokens rotate.
    pub rotation: Rotation,
    /// `scope` and `resource`.
    pub ask: &'a Ask<'a>,
    /// What the client may have today.
    pub allowed: Allowed<'a>,
    /// How long the access token lives.
    pub access_lifetime: Duration,
    /// Which resources get JWTs.
    pub formats: &'a Formats,
    /// How long the refresh token may stay unused.
    pub idle_lifetime: Duration,
    /// For how long after its first use the previous token gets the same answer; zero switches it off.
    pub retry_window: Duration,
    /// How many rotations in a row may be retried before a retry counts as reuse.
    pub max_retry_streak: Option<u16>,
    /// How many access tokens may live side by side.
    pub max_access: usize,
    /// Derives the successors.
    pub handles: &'a Handles,
    /// Fresh random bytes: the salt of a rotation.
    pub salt: Salt,
    /// A fresh secret: the access token's where nothing rotates.
    pub fresh: &'a Secret32,
}

/// What a refresh answers.
#[derive(Clone, Debug)]
pub struct RefreshOutcome {
    /// The access token; a JWT in its place is named by its digest.
    pub access: Handle,
    /// The next refresh token; `None` when the presented one stays.
    pub successor: Option<Handle>,
    /// The access token's scope.
    pub scope: Scope,
    /// The access token's audience.
    pub resources: Resources,
    /// What the access token is made of.
    pub format: Format,
    /// When the access token was issued.
    pub issued_at: Timestamp,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// For a retry: how many rotations in a row have been retried.
    pub retried: Option<u16>,
    /// Whether a live access token had to go to make room.
    pub evicted: bool,
}

impl Grant {
    /// Plans a refresh.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] of the first check that fails; it changes nothing. Reuse of an old token by its client is not an error
    /// but [`Plan::End`].
    pub fn refresh(
        &self,
        request: &RefreshRequest<'_>,
        now: Timestamp,
    ) -> Result<Plan<RefreshOutcome>, Refusal> {
        if *self.issuer != *request.issuer {
            return Err(Refusal::Mismatch);
        }
        if *self.client_id != *request.client_id {
            return Err(Refusal::WrongClient);
        }
        let active = self.active(now)?;
        let refresh = active.refresh.as_ref().ok_or(Refusal::NoRefresh)?;
        let digest = request.handle.digest();
        match request.handle.generation {
            generation if generation > self.generation => Err(Refusal::FromTheFuture),
            generation if generation == self.generation && digest == refresh.digest => {
                if now >= refresh.expires_at {
                    return Err(Refusal::Expired);
                }
                self.rotate(active, refresh, request, now)
            }
            generation if generation == self.generation => Err(Refusal::UnknownToken),
            generation => {
                let previous = refresh.previous.as_deref().filter(|previous| previous.digest == digest);
                match previous {
                    Some(previous) if generation + 1 == self.generation => {
                        self.retry(active, refresh, previous, request, now)
                    }
                    _ if request.handle.authenticity == Authenticity::UnknownKey => {
                        Err(Refusal::UnknownToken)
                    }
                    _ => Ok(self.reused(now)),
                }
            }
        }
    }

    fn rotate(
        &self,
        active: &Active,
        refresh: &Refresh,
        request: &RefreshRequest<'_>,
        now: Timestamp,
    ) -> Result<Plan<RefreshOutcome>, Refusal> {
        let (scope, resources) = self.narrow(request.ask, request.allowed)?;
        let format = request.formats.of(&resources)?;
        let idle_end = (now + request.idle_lifetime).min(self.expires_at);
        let key = request.handles.current_key();
        let (access, successor, next_refresh) = match request.rotation {
            Rotation::Never => {
                let secret = request.fresh.clone();
                let access = request.handles.mint(Kind::Access, request.handle.grant, 0, secret);
                (access, None, Refresh { expires_at: idle_end, ..refresh.clone() })
            }
            Rotation::Always => {
                let generation = self.generation.saturating_add(1);
                let (access, successor) = self
                    .derive(request, key, request.salt, generation, (&scope, &resources, format), 0)
                    .ok_or(Refusal::UnknownToken)?;
                let streak = match (&refresh.previous, request.max_retry_streak) {
                    (Some(previous), Some(_)) if previous.retried => previous.streak.saturating_add(1),
                    _ => 0,
                };
                let previous = Previous {
                    digest: refresh.digest,
                    key,
                    salt: request.salt,
                    used_at: now,
                    streak,
                    retried: false,
                };
                let next = Refresh {
                    digest: successor.digest(),
                    expires_at: idle_end,
                    previous: (!request.retry_window.is_zero()).then(|| Box::new(previous)),
                };
                (access, Some(successor), next)
            }
        };
        let lifetime = request.formats.lifetime(format, request.access_lifetime);
        let expires_at = (now + lifetime).min(self.expires_at);
        let mut next = Active { access: active.access.clone(), refresh: Some(next_refresh) };
        let evicted = match format {
            Format::Jwt => false,
            Format::Opaque => {
                let entry = self.entry(access.digest(), &scope, &resources, now, expires_at);
                next.add_access(entry, request.max_access, now)
            }
        };
        let generation = successor.as_ref().map_or(self.generation, |successor| successor.generation);
        let grant = Self { generation, ..self.with_state(State::Active(next)) };
        let outcome = RefreshOutcome {
            access,
            successor,
            scope,
            resources,
            format,
            issued_at: now,
            expires_at,
            retried: None,
            evicted,
        };
        Ok(Plan::Write(grant, outcome))
    }

    fn retry(
        &self,
        active: &Active,
        refresh: &Refresh,
        previous: &Previous,
        request: &RefreshRequest<'_>,
        now: Timestamp,
    ) -> Result<Plan<RefreshOutcome>, Refusal> {
        let streak = previous.streak.saturating_add(1);
        let used_up = request.max_retry_streak.is_some_and(|max| streak > max);
        if now.since(previous.used_at) >= request.retry_window || used_up {
            return Ok(self.reused(now));
        }
        if now >= refresh.expires_at {
            return Err(Refusal::Expired);
        }
        let (scope, resources) = self.narrow(request.ask, request.allowed)?;
        let format = request.formats.of(&resources)?;
        let lifetime = request.formats.lifetime(format, request.access_lifetime);
        let lifetimes = now.since(previous.used_at).as_millis() / lifetime.as_millis().max(1);
        let (access, successor) = self
            .derive(
                request,
                previous.key,
                previous.salt,
                self.generation,
                (&scope, &resources, format),
                lifetimes,
            )
            .filter(|(_, successor)| successor.digest() == refresh.digest)
            .ok_or(Refusal::UnknownToken)?;
        let digest = access.digest();
        let known = active.access(&digest).filter(|entry| now < entry.expires_at);
        let (issued_at, expires_at) = match (known, format) {
            (Some(entry), _) => (entry.issued_at, entry.expires_at),
            (None, Format::Opaque) => (now.max(previous.used_at), now + lifetime),
            // No entry remembers it: its times follow from the rotation, so that each retry has the same.
            (None, Format::Jwt) => {
                let passed = lifetime.saturating_mul(u32::try_from(lifetimes).unwrap_or(u32::MAX));
                (previous.used_at + passed, previous.used_at + passed + lifetime)
            }
        };
        let expires_at = expires_at.min(self.expires_at);
        let mark = request.max_retry_streak.is_some() && !previous.retried;
        let outcome = |evicted| RefreshOutcome {
            access: access.clone(),
            successor: Some(successor.clone()),
            scope: scope.clone(),
            resources: resources.clone(),
            format,
            issued_at,
            expires_at,
            retried: Some(streak),
            evicted,
        };
        let is_known = known.is_some() || format == Format::Jwt;
        if is_known && !mark {
            return Ok(Plan::Answer(outcome(false)));
        }
        let mut next = active.clone();
        if mark && let Some(refresh) = &mut next.refresh {
            refresh.previous = Some(Box::new(Previous { retried: true, ..previous.clone() }));
        }
        let evicted = !is_known
            && next.add_access(
                self.entry(digest, &scope, &resources, issued_at, expires_at),
                request.max_access,
                now,
            );
        let grant = self.with_state(State::Active(next));
        Ok(Plan::Write(grant, outcome(evicted)))
    }

    fn reused(&self, now: Timestamp) -> Plan<RefreshOutcome> {
        Plan::End(self.revoked(RevokeReason::RefreshReuse, now), Refusal::RefreshReused)
    }
}
