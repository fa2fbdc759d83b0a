//! Where a grant stands.

use serde::{Deserialize, Serialize};

use super::{AccessTokens, Refresh, RevokeReason};
use crate::clock::Timestamp;

/// The state of a grant. `Expired` is not among them: it follows from the times in the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Asked for, not yet decided (pushed requests, devices).
    Requested,
    /// The resource owner has agreed; a code waits to be redeemed.
    Approved,
    /// Tokens may live.
    Active(Active),
    /// The resource owner has refused.
    Denied,
    /// Ended for good.
    Revoked {
        /// When.
        at: Timestamp,
        /// Why.
        reason: RevokeReason,
    },
}

/// The live tokens of an active grant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// Opaque access tokens, oldest first.
    #[serde(rename = "a", default, skip_serializing_if = "AccessTokens::is_empty")]
    pub access: AccessTokens,
    /// The refresh token, if the client may have one.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
}

impl State {
    /// The state's name, for columns and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Active(_) => "active",
            Self::Denied => "denied",
            Self::Revoked { .. } => "revoked",
        }
    }
}
