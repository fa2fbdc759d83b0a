//! The end of a grant.

use serde::{Deserialize, Serialize};

use super::{Grant, Plan, State};
use crate::clock::Timestamp;
use crate::handle::Handle;
use crate::secret::Digest;

/// Why a grant was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevokeReason {
    /// The client asked for it (RFC 7009).
    Client,
    /// The host asked for it.
    Host,
    /// Its set was fenced: everything of a subject, client or session ended.
    Fence,
    /// A redeemed code came again (RFC 9700 §2.1.1).
    CodeReplay,
    /// An old refresh token came again (RFC 9700 §4.14.2).
    RefreshReuse,
}

impl Grant {
    /// Ends the grant. Ending it twice keeps the first reason and writes nothing.
    pub fn revoke(&self, reason: RevokeReason, now: Timestamp) -> Plan<()> {
        match self.state {
            State::Revoked { .. } => Plan::Answer(()),
            _ => Plan::Write(self.revoked(reason, now), ()),
        }
    }

    /// Ends a single access token; an unknown one is already gone.
    ///
    /// One that was issued in an open retry window closes it: a retry would derive the same token again.
    pub fn revoke_access(&self, digest: &Digest) -> Plan<()> {
        let State::Active(active) = &self.state else { return Plan::Answer(()) };
        let Some(entry) = active.access(digest) else { return Plan::Answer(()) };
        let issued_at = entry.issued_at;
        let mut next = active.clone();
        next.access.retain(|entry| entry.digest != *digest);
        if let Some(refresh) = &mut next.refresh {
            refresh.previous.take_if(|previous| previous.used_at <= issued_at);
        }
        Plan::Write(self.with_state(State::Active(next)), ())
    }

    /// Whether the handle is the grant's code or device code, or its current or previous refresh token.
    pub fn knows(&self, handle: &Handle) -> bool {
        let digest = handle.digest();
        let refresh = match &self.state {
            State::Active(active) => active.refresh.as_ref(),
            _ => None,
        };
        let previous = refresh.and_then(|refresh| refresh.previous.as_ref()).map(|previous| previous.digest);
        let known =
            [self.code.as_ref().map(|code| code.digest), refresh.map(|refresh| refresh.digest), previous];
        let known = known.into_iter().chain([self.device().map(|device| device.digest)]);
        known.flatten().any(|own| own == digest)
    }

    pub(crate) fn revoked(&self, reason: RevokeReason, now: Timestamp) -> Self {
        self.with_state(State::Revoked { at: now, reason })
    }
}
