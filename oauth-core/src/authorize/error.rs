//! What the authorization endpoint says when it refuses, and where it may be said.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorCode};
use crate::redirect_uri::with_query;

/// A refused authorization request.
#[derive(Clone, Debug)]
pub enum AuthorizeError {
    /// Render it here. Nothing may be sent to the client: it, or its redirect URI, is not trusted (RFC 6749 §4.1.2.1).
    Show(ShowError),
    /// Send the browser to the client with it.
    Redirect(RedirectError),
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $status:literal, $code:ident, $title:literal, $explanation:literal,
        $remedy:literal;)+) => {
        /// What went wrong, as far as the visitor is concerned.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ShowKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ShowKind {
            /// The HTTP status of the page.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The OAuth error code that fits best, for whoever is asked for help.
            pub const fn code(self) -> ErrorCode {
                match self { $(Self::$variant => ErrorCode::$code,)+ }
            }

            /// A heading for the page.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What happened, in plain words.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)+ }
            }

            /// What the visitor can do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)+ }
            }

            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

kinds! {
    /// The request cannot be read: malformed, repeated or missing parameters.
    Malformed = 400, InvalidRequest,
        "This sign-in link does not work",
        "The app sent you here with a request that cannot be read.",
        "Go back to the app and try again. If it happens again, tell the people who make the app.";
    /// The request is longer than this server reads.
    TooLong = 414, InvalidRequest,
        "This sign-in link is too long",
        "The app sent you here with a request that is longer than this server accepts.",
        "Go back to the app and try again. If it happens again, tell the people who make the app.";
    /// No client of that id, or one that has been switched off.
    UnknownClient = 400, UnauthorizedClient,
        "This app is not known here",
        "The app that sent you here is not registered with this server, or has been switched off.",
        "Do not sign in. Go back to the app, or ask the people who make it.";
    /// The redirect URI is not one of the client's.
    RedirectUri = 400, InvalidRequest,
        "This sign-in link does not lead back to the app",
        "The request names a return address that the app has not registered, so no answer was sent there.",
        "Do not sign in. Go back to the app and try again from there.";
    /// The request is refused, but nobody is signed in and nobody here has registered the client: the answer stays here.
    NotTold = 400, InvalidRequest,
        "This sign-in link does not work",
        "The app sent you here with a request that this server refuses. You are not signed in, so you were not sent back.",
        "Go back to the app and try again. If it happens again, tell the people who make the app.";
    /// The method is not the one that this step takes.
    Method = 405, InvalidRequest,
        "This page cannot be used that way",
        "The request was made in a way that this page does not accept.",
        "Go back to the app and try again.";
    /// The answer comes from another page, another browser, or one without its cookie.
    OtherBrowser = 403, AccessDenied,
        "This page belongs to another browser",
        "The answer did not come from the browser in which the page was opened, or the browser does not keep cookies.",
        "Go back to the app and start again.";
    /// The page has been open for too long, or was made with a key that is gone.
    Expired = 400, InvalidRequest,
        "This page has expired",
        "It was open for too long to be answered.",
        "Go back to the app and start again.";
    /// Another person, or another sign-in, than the one that saw the page.
    LoginChanged = 403, AccessDenied,
        "You are signed in differently now",
        "Since the page was opened, you have signed out or signed in again.",
        "Go back to the app and start again.";
    /// The question has been answered before.
    AlreadyAnswered = 409, InvalidRequest,
        "This has already been answered",
        "The answer was sent to the app. It cannot be given twice.",
        "Go back to the app. If it did not notice the answer, start again there.";
    /// The sign-in page has been visited again and again, and the request is still not met.
    SignInLoop = 400, LoginRequired,
        "Signing in did not work",
        "The app asks you to sign in again, but the sign-in page did not sign you in again.",
        "Go back to the app and start again. If it happens again, tell the people who run this server.";
    /// The server cannot answer now.
    Unavailable = 503, TemporarilyUnavailable,
        "Not available right now",
        "This server cannot answer at the moment. Nothing was sent to the app.",
        "Wait a moment, then reload this page.";
    /// Something is wrong with this server or its host.
    Internal = 500, ServerError,
        "Something went wrong here",
        "This server made a mistake. Nothing was sent to the app.",
        "Try again later. If it happens again, tell the people who run this server.";
}

/// An error that is rendered by this server.
#[derive(Clone, Debug)]
pub struct ShowError {
    kind: ShowKind,
    reason: Cow<'static, str>,
    client_id: Option<Arc<str>>,
    retry_after: Option<Duration>,
}

impl ShowError {
    /// An error of that kind; `reason` is for the operator and must not contain a secret.
    pub fn new(kind: ShowKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, reason: reason.into(), client_id: None, retry_after: None }
    }

    pub(crate) fn for_client(mut self, client_id: impl Into<Arc<str>>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// What went wrong; knows the page's words and status.
    pub fn kind(&self) -> ShowKind {
        self.kind
    }

    /// What the operator should know. Never a secret; may contain what the visitor's request said.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The client that the request named, where known.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// `Retry-After`, for pages with status 503.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// An error that the client is told, at a redirect URI which has been validated.
#[derive(Clone, Debug)]
pub struct RedirectError {
    pub(super) redirect_uri: Arc<str>,
    pub(super) state: Option<Arc<str>>,
    pub(super) client_id: Arc<str>,
    pub(super) code: ErrorCode,
    pub(super) description: Cow<'static, str>,
}

impl RedirectError {
    /// The error code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// `error_description`: printable ASCII, nothing from the request.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The client that is told.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Where to send the browser, with status 303: the redirect URI with `error`, `error_description`, `state` and `iss`
    /// (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub fn location(&self, issuer: &str) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs = [("error", self.code.as_str()), ("error_description", &*self.description)];
        with_query(&self.redirect_uri, pairs.into_iter().chain(state).chain([("iss", issuer)]))
    }
}

impl AuthorizeError {
    /// The error code that the client is told, or that fits best where it is not.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Show(error) => error.kind().code(),
            Self::Redirect(error) => error.code(),
        }
    }

    /// The client that the request named, where known.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Show(error) => error.client_id(),
            Self::Redirect(error) => Some(error.client_id()),
        }
    }
}

impl From<ShowError> for AuthorizeError {
    fn from(error: ShowError) -> Self {
        Self::Show(error)
    }
}

impl From<RedirectError> for AuthorizeError {
    fn from(error: RedirectError) -> Self {
        Self::Redirect(error)
    }
}

/// A failure of the store or of the host is shown, not redirected: a reload continues where it stopped.
impl From<Error> for AuthorizeError {
    fn from(error: Error) -> Self {
        Self::Show(error.into())
    }
}

impl From<Error> for ShowError {
    fn from(error: Error) -> Self {
        let kind = match error.code() {
            ErrorCode::TemporarilyUnavailable => ShowKind::Unavailable,
            _ => ShowKind::Internal,
        };
        Self { retry_after: error.retry_after(), ..Self::new(kind, error.reason()) }
    }
}

impl fmt::Display for ShowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.reason)
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Show(error) => error.fmt(f),
            Self::Redirect(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ShowError {}
impl std::error::Error for RedirectError {}
impl std::error::Error for AuthorizeError {}
