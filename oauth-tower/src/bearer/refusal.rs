//! Why a request was refused: as a value, before anyone writes it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use oauth_core::handle::GrantId;
use oauth_core::server::{AccessToken, VerifyError};

/// The cause of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No bearer token was presented: 401 without an error code (RFC 6750 §3.1).
    NoToken,
    /// The header is not one token, or there are two headers: 400.
    Malformed,
    /// The token is not good, or not for this API: 401.
    InvalidToken,
    /// The token's scope is too small: 403.
    InsufficientScope,
    /// The resource owner authenticated too weakly or too long ago: 401 (RFC 9470 §3).
    InsufficientAuthentication,
    /// The token could not be checked: 503.
    Unavailable,
    /// A route asks for a token, and no [`BearerLayer`](super::BearerLayer) is in front of it: 500, a mistake of the program.
    LayerMissing,
}

impl Cause {
    /// The status of an HTTP answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken | Self::InsufficientAuthentication => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::LayerMissing => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error code (RFC 6750 §3.1, RFC 9470 §3). None where no token was presented.
    pub fn error(self) -> Option<&'static str> {
        match self {
            Self::NoToken => None,
            Self::Malformed => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::InsufficientAuthentication => Some("insufficient_user_authentication"),
            Self::Unavailable => Some("temporarily_unavailable"),
            Self::LayerMissing => Some("server_error"),
        }
    }

    /// What the client may read. The same for every token that is not good: it tells nothing about why.
    pub fn description(self) -> &'static str {
        match self {
            Self::NoToken => "a bearer access token is required",
            Self::Malformed => "the Authorization header must hold one bearer token",
            Self::InvalidToken => "the access token is invalid, expired or revoked",
            Self::InsufficientScope => "the access token does not have the scope that this needs",
            Self::InsufficientAuthentication => "a stronger or more recent authentication is required",
            Self::Unavailable => "the access token cannot be checked now, please try again",
            Self::LayerMissing => "this route needs an access token, but no BearerLayer is in front of it",
        }
    }
}

/// A refusal, with what an answer to it may say.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// Why.
    pub cause: Cause,
    /// The realm of the layer.
    pub realm: &'a str,
    /// The scope that would be enough, separated by spaces; empty if any would.
    pub scope: &'a str,
    /// Where the metadata of the protected resource is (RFC 9728 §5.1).
    pub resource_metadata: Option<&'a str>,
    /// Authentication context classes of which one is needed, separated by spaces; empty if any will do.
    pub acr_values: &'a str,
    /// How long ago the resource owner may have authenticated.
    pub max_age: Option<Duration>,
    /// When to try again, where that may help.
    pub retry_after: Option<Duration>,
}

impl Refusal<'_> {
    /// The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1); none where another token would not help.
    pub fn challenge(&self) -> Option<HeaderValue> {
        if matches!(self.cause, Cause::Unavailable | Cause::LayerMissing) {
            return None;
        }
        let mut text = String::with_capacity(192);
        text.push_str("Bearer realm=");
        quote(&mut text, self.realm);
        if let Some(error) = self.cause.error() {
            text.push_str(", error=");
            quote(&mut text, error);
            text.push_str(", error_description=");
            quote(&mut text, self.cause.description());
        }
        if !self.scope.is_empty() && self.cause != Cause::Malformed {
            text.push_str(", scope=");
            quote(&mut text, self.scope);
        }
        if self.cause == Cause::InsufficientAuthentication {
            if !self.acr_values.is_empty() {
                text.push_str(", acr_values=");
                quote(&mut text, self.acr_values);
            }
            if let Some(max_age) = self.max_age {
                text.push_str(", max_age=");
                quote(&mut text, &max_age.as_secs().to_string());
            }
        }
        if let Some(resource_metadata) = self.resource_metadata {
            text.push_str(", resource_metadata=");
            quote(&mut text, resource_metadata);
        }
        HeaderValue::try_from(text).ok()
    }
}

/// Appends a quoted-string (RFC 9110 §5.6.4). What cannot stand in one becomes a question mark.
pub(super) fn quote(text: &mut String, value: &str) {
    text.push('"');
    for char in value.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            ' '..='~' => text.push(char),
            _ => text.push('?'),
        }
    }
    text.push('"');
}

/// A refusal with what only the operator reads.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) cause: Cause,
    pub(super) reason: Cow<'static, str>,
    pub(super) client_id: Option<Arc<str>>,
    pub(super) subject: Option<Arc<str>>,
    pub(super) grant_id: Option<GrantId>,
    pub(super) retry_after: Option<Duration>,
    pub(super) alarming: bool,
}

impl Denial {
    pub(super) fn new(cause: Cause, reason: &'static str) -> Self {
        Self {
            cause,
            reason: reason.into(),
            client_id: None,
            subject: None,
            grant_id: None,
            retry_after: None,
            alarming: false,
        }
    }

    /// Of a token that is live, but not enough here.
    pub(super) fn of(cause: Cause, reason: &'static str, token: &AccessToken) -> Self {
        Self {
            client_id: Some(token.client_id.clone()),
            subject: token.subject.clone(),
            grant_id: token.grant_id,
            ..Self::new(cause, reason)
        }
    }
}

impl From<VerifyError> for Denial {
    fn from(error: VerifyError) -> Self {
        /// What a client waits for where the source of truth does not say.
        const RETRY_AFTER: Duration = Duration::from_secs(2);
        match error {
            VerifyError::Invalid(refusal) => Self {
                reason: refusal.to_string().into(),
                alarming: refusal.is_alarming(),
                ..Self::new(Cause::InvalidToken, "")
            },
            VerifyError::Rejected(reason) => Self::new(Cause::InvalidToken, reason),
            VerifyError::Unavailable(error) => Self {
                reason: error.reason().into(),
                client_id: error.client_id().map(Arc::from),
                retry_after: Some(error.retry_after().unwrap_or(RETRY_AFTER)),
                ..Self::new(Cause::Unavailable, "")
            },
            // An error that is not known here is no proof that the token is bad.
            _ => Self {
                retry_after: Some(RETRY_AFTER),
                ..Self::new(
                    Cause::Unavailable,
                    "the verifier failed in a way that this version does not know",
                )
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_quoted() {
        let refusal = Refusal {
            cause: Cause::InsufficientScope,
            realm: "a\"b\\c\r\né",
            scope: "x\\y \"z",
            resource_metadata: Some("https://api.example/\""),
            acr_values: "gold",
            max_age: None,
            retry_after: None,
        };
        let description = Cause::InsufficientScope.description();
        let expected = format!(
            r#"Bearer realm="a\"b\\c???", error="insufficient_scope", error_description="{description}", scope="x\\y \"z", resource_metadata="https://api.example/\"""#
        );
        assert_eq!(refusal.challenge().unwrap(), expected.as_str());
    }

    #[test]
    fn descriptions_need_no_escapes() {
        use Cause::*;
        let insufficient = [InsufficientScope, InsufficientAuthentication];
        let others = [NoToken, Malformed, InvalidToken, Unavailable, LayerMissing];
        for cause in insufficient.into_iter().chain(others) {
            let plain = |byte: u8| (0x20..=0x7E).contains(&byte) && byte != b'"' && byte != b'\\';
            assert!(cause.description().bytes().all(plain), "{cause:?}");
        }
    }
}
