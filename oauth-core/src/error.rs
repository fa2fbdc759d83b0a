//! What goes wrong, by audience: the code for the client, the reason for the operator, never a secret for either.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::grant::Refusal;
use crate::handle::GrantId;
use crate::limit::Rule;
use crate::storage::StoreError;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:literal;)+) => {
        /// The error codes of the RFCs, each with the status of a JSON answer that carries it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The HTTP status of a JSON answer with this code.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
        }
    };
}

codes! {
    /// A parameter is missing, malformed or repeated (RFC 6749 §4.1.2.1, §5.2).
    InvalidRequest = "invalid_request", 400;
    /// Client authentication failed (RFC 6749 §5.2).
    InvalidClient = "invalid_client", 401;
    /// The code or refresh token does not work (RFC 6749 §5.2).
    InvalidGrant = "invalid_grant", 400;
    /// The client may not use this grant type (RFC 6749 §4.1.2.1, §5.2).
    UnauthorizedClient = "unauthorized_client", 400;
    /// The server does not know this grant type (RFC 6749 §5.2).
    UnsupportedGrantType = "unsupported_grant_type", 400;
    /// The server does not know this response type (RFC 6749 §4.1.2.1).
    UnsupportedResponseType = "unsupported_response_type", 400;
    /// The scope is unknown, malformed or too wide (RFC 6749 §4.1.2.1, §5.2).
    InvalidScope = "invalid_scope", 400;
    /// The resource is unknown or not covered (RFC 8707 §2).
    InvalidTarget = "invalid_target", 400;
    /// The resource owner, or a policy, said no (RFC 6749 §4.1.2.1).
    AccessDenied = "access_denied", 400;
    /// The owner of the device has not decided yet (RFC 8628 §3.5).
    AuthorizationPending = "authorization_pending", 400;
    /// The device polls too often (RFC 8628 §3.5).
    SlowDown = "slow_down", 400;
    /// The device code has expired (RFC 8628 §3.5).
    ExpiredToken = "expired_token", 400;
    /// Nobody is signed in, and the request forbids asking (OpenID Connect Core §3.1.2.6).
    LoginRequired = "login_required", 400;
    /// Consent is needed, and the request forbids asking (OpenID Connect Core §3.1.2.6).
    ConsentRequired = "consent_required", 400;
    /// A redirect URI that may not be registered (RFC 7591 §3.2.2).
    InvalidRedirectUri = "invalid_redirect_uri", 400;
    /// Client metadata that are malformed or not supported (RFC 7591 §3.2.2).
    InvalidClientMetadata = "invalid_client_metadata", 400;
    /// A software statement from nobody that is trusted (RFC 7591 §3.2.2).
    UnapprovedSoftwareStatement = "unapproved_software_statement", 400;
    /// The bearer token of a registration request does not work (RFC 6750 §3.1, RFC 7592 §2).
    InvalidToken = "invalid_token", 401;
    /// Authorization details of an unknown type (RFC 9396 §5).
    InvalidAuthorizationDetails = "invalid_authorization_details", 400;
    /// `request` objects are not supported (OpenID Connect Core §3.1.2.6).
    RequestNotSupported = "request_not_supported", 400;
    /// `request_uri` is not supported (OpenID Connect Core §3.1.2.6).
    RequestUriNotSupported = "request_uri_not_supported", 400;
    /// The client has asked too often and should wait (RFC 6585 §4); on the wire the code that clients know for it.
    TooManyRequests = "temporarily_unavailable", 429;
    /// The server cannot answer now (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable = "temporarily_unavailable", 503;
    /// Something failed that should not (RFC 6749 §4.1.2.1).
    ServerError = "server_error", 500;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused request at one of the endpoints that answer JSON.
///
/// It is one pointer: every answer is moved about as a result, and has room for an error that it nearly never is.
#[derive(Clone, Debug)]
pub struct Error(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    code: ErrorCode,
    description: Cow<'static, str>,
    reason: Option<Reason>,
    client_id: Option<Arc<str>>,
    grant_id: Option<GrantId>,
    basic_challenge: bool,
    retry_after: Option<Duration>,
}

/// What the operator should know beyond the description.
#[derive(Clone, Debug)]
enum Reason {
    Refusal(Refusal),
    Limited(Rule),
    Text(Cow<'static, str>),
}

/// How long a client should wait before it tries again while the store is unavailable.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Never no time at all: who comes back at once is refused again.
const LEAST_RETRY: Duration = Duration::from_millis(1);

impl Error {
    /// An error with a description that the client may read. It must be printable ASCII without `"` and `\`.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self::of(code, description.into(), None)
    }

    #[cold]
    fn of(code: ErrorCode, description: Cow<'static, str>, reason: Option<Reason>) -> Self {
        Self(Box::new(Details {
            code,
            description,
            reason,
            client_id: None,
            grant_id: None,
            basic_challenge: false,
            retry_after: (code == ErrorCode::TemporarilyUnavailable).then_some(RETRY_AFTER),
        }))
    }

    /// `invalid_request` with a description.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// The server cannot answer now; the request changed nothing that a retry would notice.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::TemporarilyUnavailable, "the server cannot answer now, please try again")
            .because(reason)
    }

    /// Adds what only the operator reads.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.0.reason = Some(Reason::Text(reason.into()));
        self
    }

    /// Says in the answer when to try again.
    #[must_use]
    pub fn retry_in(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after.max(LEAST_RETRY));
        self
    }

    /// Names the client that the request was made by, or claimed to be made by.
    #[must_use]
    pub fn for_client(mut self, client_id: impl Into<Arc<str>>) -> Self {
        self.0.client_id.get_or_insert(client_id.into());
        self
    }

    /// Names the grant that the request's code or token names.
    #[must_use]
    pub(crate) fn for_grant(mut self, grant_id: GrantId) -> Self {
        self.0.grant_id.get_or_insert(grant_id);
        self
    }

    /// Says which limit was reached.
    #[must_use]
    pub(crate) fn limited_by(mut self, rule: Rule) -> Self {
        self.0.reason = Some(Reason::Limited(rule));
        self
    }

    /// Asks for HTTP Basic credentials in the answer, because that is what the client tried (RFC 6749 §5.2).
    #[must_use]
    pub(crate) fn with_basic_challenge(mut self, challenge: bool) -> Self {
        self.0.basic_challenge = challenge;
        self
    }

    /// The code that the client hears.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// `error_description`: printable ASCII, nothing from the request but a redirect URI that may not be registered.
    pub fn description(&self) -> &str {
        &self.0.description
    }

    /// What the operator should know; equal to the description where there is no more to say.
    pub fn reason(&self) -> String {
        match &self.0.reason {
            Some(Reason::Refusal(refusal)) => refusal.to_string(),
            Some(Reason::Limited(rule)) => format!("too many attempts ({rule:?})"),
            Some(Reason::Text(text)) => text.clone().into_owned(),
            None => self.0.description.clone().into_owned(),
        }
    }

    /// The refusal of the grant behind it, if that is what happened.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.0.reason {
            Some(Reason::Refusal(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// The client that it concerns, where known.
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// The grant that the request's code or token names, where it was read.
    pub fn grant_id(&self) -> Option<GrantId> {
        self.0.grant_id
    }

    /// The limit that was reached, if that is what happened.
    pub fn rule(&self) -> Option<Rule> {
        match self.0.reason {
            Some(Reason::Limited(rule)) => Some(rule),
            _ => None,
        }
    }

    /// Whether the answer carries `WWW-Authenticate: Basic`.
    pub fn basic_challenge(&self) -> bool {
        self.0.basic_challenge
    }

    /// `Retry-After`, for answers with status 429 and 503.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::of(refusal.code(), refusal.description().into(), Some(Reason::Refusal(refusal)))
    }
}

/// A storage failure is never absence and never `invalid_grant`: the client is asked to try again.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            reason.push_str(": ");
            reason.push_str(&inner.to_string());
            source = inner.source();
        }
        Self::unavailable(reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.description)
    }
}

impl std::error::Error for Error {}

impl From<crate::params::ParamsError> for Error {
    fn from(error: crate::params::ParamsError) -> Self {
        match error {
            crate::params::ParamsError::Duplicate(name) => {
                Self::invalid_request(format!("{name} occurs more than once"))
            }
            _ => Self::invalid_request("the parameters cannot be read").because(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_says_when_to_come_back() {
        assert_eq!(size_of::<Option<Error>>(), size_of::<usize>());
        let after = |duration| Error::invalid_request("x").retry_in(duration).retry_after();
        assert_eq!(after(Duration::from_millis(1500)), Some(Duration::from_millis(1500)));
        assert_eq!(after(Duration::from_nanos(1)), Some(Duration::from_millis(1)));
        assert_eq!(after(Duration::ZERO), Some(Duration::from_millis(1)));
        assert_eq!(after(Duration::MAX), Some(Duration::MAX));
        assert_eq!(Error::unavailable("x").retry_after(), Some(RETRY_AFTER));
    }
}
