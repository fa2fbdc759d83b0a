//! The grant: everything that the server ever authorizes is one small state machine in one record.
//!
//! | from \ event | approve | deny | redeem (first) | redeem (again, valid) | refresh | reuse | revoke | time |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | (none) | Approved | – | – | – | – | – | – | – |
//! | Requested | Approved | Denied | pending | pending, slow down | refused | – | Revoked | Expired |
//! | Approved | the same answer | already answered | Active | – | – | – | Revoked | Expired |
//! | Active | already answered | already answered | – | Revoked | Active | Revoked | Revoked | Expired |
//! | Denied | already answered | the same answer | denied | denied | refused | – | Revoked | Denied |
//! | Revoked | already answered | already answered | refused | refused | refused | refused | Revoked | Revoked |
//!
//! *(none)* becomes Active at once for grants that need no code: client credentials and custom grant types. `Requested` and
//! `Denied` belong to flows that are written before the resource owner has decided: a device asks (RFC 8628), its owner
//! approves or denies, and the device redeems its code. Expired is not written: every step compares the times that the record
//! holds. Revoked is terminal.
//!
//! Every function here is synchronous and pure: the time and all random bytes are arguments. `redeem`, `refresh`, `revoke`
//! and `verify` answer a [`Plan`], or a [`Refusal`] that says what the operator should know.

mod access;
mod ask;
mod authentication;
mod device;
pub mod fence;
mod format;
mod plan;
mod redeem;
pub mod refresh;
mod refusal;
mod revoke;
mod short_bytes;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use access::{Access, AccessTokens, MAX_ACCESS, Resources};
pub use ask::{Allowed, Ask};
pub use authentication::Authentication;
pub use device::{Approval, Device, MAX_INTERVAL};
pub use fence::{FenceKind, fence_key};
pub use format::{EndedJwt, Format, Formats, JwtId, Unsigned};
pub use plan::Plan;
pub use redeem::{Code, Redeem, Redemption};
pub use refresh::{Previous, Refresh, RefreshOutcome, RefreshRequest, Rotation};
pub use refusal::Refusal;
pub use revoke::RevokeReason;
pub use short_bytes::{Salt, UriHash};
pub use state::{Active, State};

use crate::clock::Timestamp;
use crate::scope::Scope;
use crate::text;

/// The most bytes that a grant may take when stored; an approval that would exceed it is refused.
pub const MAX_GRANT_BYTES: usize = 64 * 1024;

/// The most ancestors a grant may have.
pub const MAX_ANCESTORS: usize = 5;

/// One authorization, from its approval to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The issuer that made it.
    #[serde(rename = "i", deserialize_with = "text::shared")]
    pub issuer: Arc<str>,
    /// The client it was made for.
    #[serde(rename = "c", deserialize_with = "text::shared")]
    pub client_id: Arc<str>,
    /// The resource owner; absent where a client acts for itself.
    #[serde(
        rename = "s",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::shared_if_any"
    )]
    pub subject: Option<Arc<str>>,
    /// The host's session in which it was approved.
    #[serde(
        rename = "b",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::shared_if_any"
    )]
    pub session: Option<Arc<str>>,
    /// All that was allowed; single tokens may carry less.
    #[serde(rename = "p", default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// The resources that it was allowed for (RFC 8707).
    #[serde(rename = "r", default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// When it began. A fence at or after this time ends it.
    #[serde(rename = "t")]
    pub created_at: Timestamp,
    /// The absolute end: no handle of it works afterwards, and no refresh extends it.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
    /// How many refresh tokens came before the current one.
    #[serde(rename = "g")]
    pub generation: u32,
    /// Where it stands.
    #[serde(rename = "z")]
    pub state: State,
    /// The authorization code, kept after redemption so that a replay can be checked.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Box<Code>>,
    /// When the resource owner authenticated, and how.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// What only some grants have.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Details>>,
}

/// The parts of a grant that most grants do not have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// OpenID Connect's `nonce`.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Arc<str>>,
    /// RFC 9396 `authorization_details`, as JSON text.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Arc<str>>,
    /// The key that the sender must prove (RFC 9449, RFC 8705).
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Arc<Confirmation>>,
    /// The grants that this one was exchanged from, nearest first; it never outlives them. At most [`MAX_ANCESTORS`].
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<crate::handle::GrantId>,
    /// The device code, of a grant that a device asked for (RFC 8628).
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Box<Device>>,
    /// Whatever the host wants to find again; never shown to clients.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub host_data: Option<Arc<str>>,
    /// The JWT access tokens that were revoked alone and would not have expired yet.
    #[serde(rename = "j", default, skip_serializing_if = "Vec::is_empty")]
    pub ended_jwts: Vec<EndedJwt>,
}

/// A key that the sender of a token must prove to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Confirmation {
    /// The JWK thumbprint of a DPoP key (RFC 9449 §6.1).
    Jkt(Arc<str>),
    /// The SHA-256 thumbprint of a client certificate (RFC 8705 §3.1).
    X5tS256(Arc<str>),
}

impl Grant {
    /// Until when the record must be kept: no handle of the grant works later than this, and no sealed page that names the
    /// grant is opened. A page that outlived the record of its answer would be answered again, with the same code.
    pub fn retain_until(&self) -> Timestamp {
        let page = self.code.as_ref().map(|code| code.retain_until);
        page.map_or(self.expires_at, |page| page.max(self.expires_at))
    }

    /// The key that tokens of this grant are bound to, unless a token says otherwise.
    pub fn confirmation(&self) -> Option<&Arc<Confirmation>> {
        self.details.as_ref()?.confirmation.as_ref()
    }

    /// The refresh token, live or not.
    pub(crate) fn refresh_token(&self) -> Option<&Refresh> {
        match &self.state {
            State::Active(active) => active.refresh.as_ref(),
            _ => None,
        }
    }

    /// The live state, or why there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::Expired`] after the absolute end, and the refusal that fits any other state than Active.
    pub fn active(&self, now: Timestamp) -> Result<&Active, Refusal> {
        match &self.state {
            State::Active(_) if now >= self.expires_at => Err(Refusal::Expired),
            State::Active(active) => Ok(active),
            State::Revoked { .. } => Err(Refusal::Revoked),
            State::Denied => Err(Refusal::Denied),
            State::Requested | State::Approved => Err(Refusal::NotActive),
        }
    }

    /// The same grant in another state. Its own is not copied.
    pub(crate) fn with_state(&self, state: State) -> Self {
        Self {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            subject: self.subject.clone(),
            session: self.session.clone(),
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            generation: self.generation,
            state,
            code: self.code.clone(),
            authentication: self.authentication.clone(),
            details: self.details.clone(),
        }
    }
}

/// Whether a text can name a subject: 1 to 255 bytes without control characters.
pub fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(char::is_control)
}
