//! What can happen.

use tracing::Level;

use crate::clock::Timestamp;
use crate::error::ErrorCode;
use crate::grant::RevokeReason;
use crate::handle::{GrantId, KeyId};
use crate::limit::Rule;
use crate::scope::Scope;
use crate::storage::Index;

/// Something that happened. Borrowed: a sink copies what it keeps.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// The issuer, for a sink that hears several.
    pub issuer: &'a str,
    /// The client; of a refused request the one that it claims to be from.
    pub client_id: Option<&'a str>,
    /// The resource owner, where known.
    pub subject: Option<&'a str>,
    /// The grant, where there is one; of a refused request the one that its code or token names.
    pub grant_id: Option<GrantId>,
    /// What.
    pub kind: EventKind<'a>,
}

/// What happened, with what belongs to it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// The resource owner was asked, and has allowed the client this.
    Approved {
        /// What was allowed.
        scope: &'a Scope,
    },
    /// The resource owner was asked, and has denied it.
    Denied,
    /// An authorization code was issued (RFC 6749 §4.1.2).
    CodeIssued {
        /// What it is good for.
        scope: &'a Scope,
        /// Whether it is the same code, for a page that was answered again in the same way.
        again: bool,
    },
    /// A device and a user code were issued (RFC 8628 §3.2).
    DeviceCodeIssued {
        /// What the device asks for.
        scope: &'a Scope,
    },
    /// The resource owner has let a device in (RFC 8628 §3.3).
    DeviceApproved {
        /// What was allowed, where it is less than what the device asked for.
        scope: Option<&'a Scope>,
    },
    /// The resource owner has turned a device away.
    DeviceDenied,
    /// Tokens were issued, for a grant that had none (RFC 6749 §5.1).
    TokenIssued {
        /// `grant_type` of the request.
        grant_type: &'a str,
        /// The scope of the access token.
        scope: &'a Scope,
        /// When the access token expires.
        expires_at: Timestamp,
    },
    /// A refresh token was exchanged (RFC 6749 §6).
    TokenRefreshed {
        /// The scope of the access token.
        scope: &'a Scope,
        /// When the access token expires.
        expires_at: Timestamp,
        /// Whether the token had been exchanged before, and the answer was given again inside the retry window.
        again: bool,
    },
    /// A client that may ask has introspected a token (RFC 7662).
    TokenIntrospected {
        /// Whether it heard that the token works.
        active: bool,
    },
    /// An access token was revoked alone, by its client (RFC 7009).
    TokenRevoked,
    /// A grant has ended, and with it all its tokens. [`RevokeReason::CodeReplay`] and [`RevokeReason::RefreshReuse`] mean that
    /// somebody has presented what was used before.
    GrantRevoked {
        /// Why.
        reason: RevokeReason,
    },
    /// Everything of a client, subject or session has ended, or with `None` everything that the issuer has issued.
    FenceRaised {
        /// Whose.
        around: Option<Index<'a>>,
        /// What began then or earlier has ended.
        not_before: Timestamp,
    },
    /// A key was added that handles will be minted with.
    HandleKeyAdded {
        /// Its id.
        id: KeyId,
        /// From when on.
        mints_from: Timestamp,
    },
    /// A key was added that access tokens will be signed with: by schedule, by hand or by import.
    SigningKeyAdded {
        /// Its id in the key set.
        kid: &'a str,
        /// From when on.
        signs_from: Timestamp,
    },
    /// Somebody has signed in, at the built-in page.
    SignedIn,
    /// A name and a password did not belong together, at the built-in sign-in page.
    SignInFailed,
    /// A client was stored, or replaced.
    ClientStored,
    /// A client has registered itself (RFC 7591).
    ClientRegistered,
    /// A client has replaced what it had registered (RFC 7592 §2.2).
    RegistrationUpdated,
    /// A client has deleted its registration (RFC 7592 §2.3); its grants have ended.
    RegistrationDeleted,
    /// A stored client was switched off; its grants end too.
    ClientDisabled,
    /// An endpoint has refused a request whose client did not prove who it is (RFC 6749 §5.2 `invalid_client`).
    ClientAuthenticationFailed {
        /// The name of the endpoint.
        endpoint: &'a str,
        /// Why, in the operator's words.
        reason: &'a str,
    },
    /// An endpoint has refused a request because there were too many attempts.
    LimitReached {
        /// The name of the endpoint.
        endpoint: &'a str,
        /// What was counted.
        rule: Rule,
    },
    /// An endpoint has refused a request for any other reason.
    RequestRefused {
        /// The name of the endpoint.
        endpoint: &'a str,
        /// What the client heard.
        error: ErrorCode,
        /// Why, in the operator's words.
        reason: &'a str,
    },
}

impl EventKind<'_> {
    /// The name of the kind, such as `token_issued`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Approved { .. } => "approved",
            Self::Denied => "denied",
            Self::CodeIssued { .. } => "code_issued",
            Self::DeviceCodeIssued { .. } => "device_code_issued",
            Self::DeviceApproved { .. } => "device_approved",
            Self::DeviceDenied => "device_denied",
            Self::TokenIssued { .. } => "token_issued",
            Self::TokenRefreshed { .. } => "token_refreshed",
            Self::TokenIntrospected { .. } => "token_introspected",
            Self::TokenRevoked => "token_revoked",
            Self::GrantRevoked { .. } => "grant_revoked",
            Self::FenceRaised { .. } => "fence_raised",
            Self::HandleKeyAdded { .. } => "handle_key_added",
            Self::SigningKeyAdded { .. } => "signing_key_added",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::ClientStored => "client_stored",
            Self::ClientRegistered => "client_registered",
            Self::RegistrationUpdated => "registration_updated",
            Self::RegistrationDeleted => "registration_deleted",
            Self::ClientDisabled => "client_disabled",
            Self::ClientAuthenticationFailed { .. } => "client_authentication_failed",
            Self::LimitReached { .. } => "limit_reached",
            Self::RequestRefused { .. } => "request_refused",
        }
    }

    /// The level at which `tracing` is told of a change: what is daily work, what an operator may want to see, what is alarming.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Approved { .. }
            | Self::CodeIssued { .. }
            | Self::DeviceCodeIssued { .. }
            | Self::DeviceApproved { .. }
            | Self::TokenIssued { .. }
            | Self::TokenRefreshed { .. }
            | Self::TokenIntrospected { .. }
            | Self::SignedIn => Level::DEBUG,
            Self::GrantRevoked { reason: RevokeReason::CodeReplay | RevokeReason::RefreshReuse }
            | Self::FenceRaised { around: None, .. } => Level::WARN,
            _ => Level::INFO,
        }
    }
}
