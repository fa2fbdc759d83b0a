//! An authorization code, or a device code, becomes tokens, once (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3, RFC 8628 §3.4).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::UriHash;
use super::ask::{Allowed, Ask};
use super::{
    AccessTokens, Active, Device, Format, Formats, Grant, Plan, Refresh, Refusal, Resources, RevokeReason,
    State,
};
use crate::clock::Timestamp;
use crate::handle::{Handle, Kind};
use crate::pkce::Challenge;
use crate::redirect_uri::RedirectUri;
use crate::scope::Scope;
use crate::secret::Digest;

/// The authorization code of a grant and what it is bound to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// The digest of the code.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// From when on it is refused, unless it has been redeemed.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
    /// Until when the grant is kept at least, redeemed or not: no sealed page that names it is opened later.
    #[serde(rename = "k")]
    pub retain_until: Timestamp,
    /// The PKCE challenge (RFC 7636).
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// The hash of `redirect_uri` as the authorization request had it.
    #[serde(rename = "u")]
    pub redirect_uri: UriHash,
    /// The hash of the registered URI that it matched: should the client lose that URI, the code is void.
    #[serde(rename = "v")]
    pub registered_uri: UriHash,
    /// When it was redeemed.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub redeemed_at: Option<Timestamp>,
}

/// A token request with a code, or with a device code: its handle says which.
#[derive(Debug)]
pub struct Redeem<'a> {
    /// The presented code.
    pub handle: &'a Handle,
    /// The issuer that it was presented to.
    pub issuer: &'a str,
    /// The authenticated client.
    pub client_id: &'a str,
    /// The client's redirect URIs as registered today.
    pub registered_uris: &'a [RedirectUri],
    /// `redirect_uri`, if sent.
    pub redirect_uri: Option<&'a str>,
    /// Whether this client must send it (RFC 6749 §4.1.3; optional in OAuth 2.1).
    pub redirect_uri_required: bool,
    /// `code_verifier`, if sent.
    pub verifier: Option<&'a str>,
    /// `scope` and `resource`.
    pub ask: &'a Ask<'a>,
    /// What the client may have today.
    pub allowed: Allowed<'a>,
    /// The digest of the access token.
    pub access: Digest,
    /// How long the access token lives.
    pub access_lifetime: Duration,
    /// Which resources get JWTs.
    pub formats: &'a Formats,
    /// The digest of the refresh token and how long it may stay unused, if the client gets one.
    pub refresh: Option<(Digest, Duration)>,
    /// The absolute lifetime of the grant once redeemed.
    pub grant_lifetime: Duration,
    /// For how long after the redemption a valid replay is refused without revoking anything.
    pub replay_tolerance: Duration,
}

/// What a redeemed code buys.
#[derive(Clone, Debug, PartialEq)]
pub struct Redemption {
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
}

impl Grant {
    /// Redeems the code.
    ///
    /// The checks run in the order in which each protects the next: issuer, client, expiry, redirect URI, PKCE, and only
    /// then whether the code has been used. So a replay ends the grant only when it proves possession of everything, and no
    /// failed check consumes the code.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] of the first check that fails. A valid replay is not an error but [`Plan::End`].
    pub fn redeem(&self, request: &Redeem<'_>, now: Timestamp) -> Result<Plan<Redemption>, Refusal> {
        let redeemed_at = match request.handle.kind {
            Kind::Device => self.checked_device(request, now)?,
            _ => self.checked_code(request, now)?.redeemed_at,
        };
        match &self.state {
            State::Approved => {}
            State::Active(_) => return self.replayed(redeemed_at, request, now),
            State::Revoked { .. } => return Err(Refusal::Revoked),
            State::Denied => return Err(Refusal::Denied),
            State::Requested => return Err(Refusal::NotActive),
        }
        let (scope, resources) = self.narrow(request.ask, request.allowed)?;
        let format = request.formats.of(&resources)?;
        let expires_at = now + request.formats.lifetime(format, request.access_lifetime);
        let grant_ends = match request.refresh {
            Some(_) => now + request.grant_lifetime,
            None => expires_at,
        };
        let expires_at = expires_at.min(grant_ends);
        let access = match format {
            Format::Jwt => AccessTokens::default(),
            Format::Opaque => {
                AccessTokens::one(self.entry(request.access, &scope, &resources, now, expires_at))
            }
        };
        let refresh = request.refresh.map(|(digest, idle)| Refresh {
            digest,
            expires_at: (now + idle).min(grant_ends),
            previous: None,
        });
        let next = Self {
            state: State::Active(Active { access, refresh }),
            expires_at: grant_ends,
            ..self.spent(now)
        };
        Ok(Plan::Write(next, Redemption { scope, resources, format, issued_at: now, expires_at }))
    }

    /// The same grant, whose code says when it was redeemed.
    fn spent(&self, now: Timestamp) -> Self {
        let mut spent = self.clone();
        match (&mut spent.code, self.device()) {
            (Some(code), _) => code.redeemed_at = Some(now),
            (None, Some(device)) => {
                return self.with_device(Device { redeemed_at: Some(now), ..device.clone() });
            }
            (None, None) => {}
        }
        spent
    }

    fn checked_code(&self, request: &Redeem<'_>, now: Timestamp) -> Result<&Code, Refusal> {
        if *self.issuer != *request.issuer {
            return Err(Refusal::Mismatch);
        }
        if *self.client_id != *request.client_id {
            return Err(Refusal::WrongClient);
        }
        let code = self.code.as_deref().ok_or(Refusal::UnknownToken)?;
        if code.digest != request.handle.digest() {
            return Err(Refusal::UnknownToken);
        }
        if code.redeemed_at.is_none() && now >= code.expires_at {
            return Err(Refusal::Expired);
        }
        let registered = request.registered_uris.iter().find(|uri| uri.hash() == code.registered_uri);
        let registered = registered.ok_or(Refusal::RedirectUri)?;
        match request.redirect_uri {
            Some(uri) if registered.hash_of(uri) != code.redirect_uri => return Err(Refusal::RedirectUri),
            None if request.redirect_uri_required => return Err(Refusal::RedirectUriMissing),
            _ => {}
        }
        match (&code.challenge, request.verifier) {
            (Some(_), None) => Err(Refusal::VerifierMissing),
            (Some(challenge), Some(verifier)) if !challenge.verify(verifier) => Err(Refusal::VerifierWrong),
            (None, Some(_)) => Err(Refusal::VerifierUnexpected),
            _ => Ok(code),
        }
    }

    fn replayed(
        &self,
        redeemed_at: Option<Timestamp>,
        request: &Redeem<'_>,
        now: Timestamp,
    ) -> Result<Plan<Redemption>, Refusal> {
        let redeemed_at = redeemed_at.ok_or(Refusal::Mismatch)?;
        if now.since(redeemed_at) < request.replay_tolerance {
            return Err(Refusal::CodeResent);
        }
        Ok(Plan::End(self.revoked(RevokeReason::CodeReplay, now), Refusal::CodeReplayed))
    }
}
