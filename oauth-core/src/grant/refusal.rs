//! Why a step was refused, in the operator's words.

use super::RevokeReason;
use crate::error::ErrorCode;

/// Why a handle or a request was refused. The client hears only [`Refusal::code`]; the operator reads the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The handle is not one of ours: junk, truncated, spliced or of another kind.
    #[error("the handle is malformed or forged")]
    Malformed,
    /// Signed with a key that is not known here.
    #[error("the token is signed with a key that is not known")]
    UnknownKey,
    /// No such grant is stored.
    #[error("no grant of that id is stored")]
    UnknownGrant,
    /// The grant does not know the handle.
    #[error("the handle's secret does not belong to the grant")]
    UnknownToken,
    /// Issued to another client.
    #[error("the handle was issued to another client")]
    WrongClient,
    /// Made by another issuer, or the store returned a record that was not asked for.
    #[error("the stored grant is not what the handle names")]
    Mismatch,
    /// Past its time.
    #[error("the code or token has expired")]
    Expired,
    /// The grant has no live tokens yet.
    #[error("the grant is not active")]
    NotActive,
    /// The grant was revoked.
    #[error("the grant has been revoked")]
    Revoked,
    /// The resource owner refused.
    #[error("the resource owner has denied the request")]
    Denied,
    /// The code had been redeemed, and the replay proved possession: the grant is revoked.
    #[error("a redeemed code was presented again by its client: the grant is revoked")]
    CodeReplayed,
    /// The code had been redeemed a moment ago; tolerated, nothing is revoked.
    #[error("a redeemed code was presented again within the tolerance")]
    CodeResent,
    /// An old refresh token was presented: the grant is revoked.
    #[error("an old refresh token was presented again: the grant is revoked")]
    RefreshReused,
    /// The handle is newer than the stored grant: the store has gone back in time.
    #[error("the handle is newer than the stored grant: was the store restored from a backup?")]
    FromTheFuture,
    /// `redirect_uri` is not the one of the authorization request.
    #[error("redirect_uri differs from that of the authorization request")]
    RedirectUri,
    /// `redirect_uri` is required from this client.
    #[error("redirect_uri is missing and this client must send it")]
    RedirectUriMissing,
    /// `code_verifier` is missing.
    #[error("code_verifier is missing")]
    VerifierMissing,
    /// `code_verifier` does not fit the challenge.
    #[error("code_verifier does not match the code_challenge")]
    VerifierWrong,
    /// `code_verifier` was sent although there was no challenge (RFC 9700 §4.8.2).
    #[error("code_verifier was sent, but the authorization request had no code_challenge")]
    VerifierUnexpected,
    /// More scope than was granted.
    #[error("the requested scope exceeds what was granted")]
    Scope,
    /// A resource outside the grant.
    #[error("the requested resource is not covered by the grant")]
    Resource,
    /// Resources of different token formats.
    #[error("the requested resources take access tokens of different formats")]
    Formats,
    /// The host says that the subject may not act any more.
    #[error("the subject is not active")]
    SubjectInactive,
    /// The owner of the device has not decided yet (RFC 8628 §3.5).
    #[error("the resource owner has not decided yet")]
    AuthorizationPending {
        /// How many seconds the device must leave between polls.
        interval: u32,
    },
    /// The device code has expired (RFC 8628 §3.5).
    #[error("the device code has expired")]
    ExpiredToken,
    /// The owner of the device has turned it away (RFC 8628 §3.5).
    #[error("the resource owner has turned the device away")]
    DeviceDenied,
    /// The question has been answered before, differently.
    #[error("the question has been answered before")]
    AlreadyDecided,
    /// The grant has no refresh token.
    #[error("the grant has no refresh token")]
    NoRefresh,
}

impl Refusal {
    /// What the client hears (RFC 6749 §5.2, RFC 8707 §2).
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Scope => ErrorCode::InvalidScope,
            Self::Resource | Self::Formats => ErrorCode::InvalidTarget,
            Self::VerifierUnexpected => ErrorCode::InvalidRequest,
            Self::AuthorizationPending { .. } => ErrorCode::AuthorizationPending,
            Self::ExpiredToken => ErrorCode::ExpiredToken,
            Self::DeviceDenied => ErrorCode::AccessDenied,
            _ => ErrorCode::InvalidGrant,
        }
    }

    /// A fixed sentence for the client: one for all failures of a handle, so that it is no oracle.
    pub fn description(self) -> &'static str {
        match self {
            Self::Scope => "the requested scope exceeds what was granted",
            Self::Resource => "the requested resource is not covered by the grant",
            Self::Formats => {
                "these resources take different access tokens; name them in requests of their own"
            }
            Self::VerifierUnexpected => "code_verifier was sent without a code_challenge",
            Self::AuthorizationPending { .. } => "the user has not decided yet",
            Self::ExpiredToken => "the device code has expired",
            Self::DeviceDenied => "the user has denied the request",
            Self::VerifierMissing | Self::VerifierWrong => "code_verifier does not match",
            Self::RedirectUri | Self::RedirectUriMissing => "redirect_uri does not match",
            _ => "the code or token is invalid, expired or revoked",
        }
    }

    /// Why the grant has ended, for a refusal that ended it.
    pub fn ended_by(self) -> Option<RevokeReason> {
        match self {
            Self::CodeReplayed => Some(RevokeReason::CodeReplay),
            Self::RefreshReused => Some(RevokeReason::RefreshReuse),
            _ => None,
        }
    }

    /// Whether an operator should look at it: reuse, replay, a store that lies.
    pub fn is_alarming(self) -> bool {
        matches!(self, Self::CodeReplayed | Self::RefreshReused | Self::FromTheFuture | Self::Mismatch)
    }
}
