//! A host with a sign-in page of its own, in a few lines.

use std::fmt;
use std::future::Future;

use async_trait::async_trait;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use oauth_core::authorize::{Login, ShowError};
use oauth_core::server::{Pending, SignIn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::body::Body;
use crate::endpoint::{plain_consent_page, show_plain};
use crate::host::{Host, HostError};
#[cfg(feature = "pages")]
use crate::pages::Theme;

/// What a value in a query cannot contain as it is; the rest stays, so that a long request stays short enough for a header.
const RESERVED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>').add(b'\'');

/// A host whose sign-in page is at a path of the app's: visitors who must sign in are sent there with `return_to`, a path with
/// a query on this origin, and are expected back at it.
///
/// ```
/// use oauth_core::{authorize::Login, clock::Timestamp};
/// use oauth_tower::login_page::LoginPage;
///
/// #[derive(Clone)]
/// struct Session { user: String, since: i64 }
///
/// // Whatever the app's session layer has put into the request's extensions.
/// let host = LoginPage::at("/login", |head| {
///     let session = head.extensions.get::<Session>().cloned();
///     async move { Ok(session.map(|own| Login::new(own.user, Timestamp::from_secs(own.since)))) }
/// });
/// ```
///
/// # Security
///
/// The sign-in page must ask [`Server::is_return_to`](oauth_core::server::Server::is_return_to) before it sends the browser to
/// `return_to`: anybody can write a link to it.
pub struct LoginPage<F> {
    path: String,
    login: F,
    consent: Option<String>,
    #[cfg(feature = "pages")]
    theme: Option<Theme>,
}

impl<F, Answer> LoginPage<F>
where
    F: Fn(&Parts) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Option<Login>, HostError>> + Send + 'static,
{
    /// A sign-in page at `path`; `login` says who is signed in.
    pub fn at(path: impl Into<String>, login: F) -> Self {
        Self {
            path: path.into(),
            login,
            consent: None,
            #[cfg(feature = "pages")]
            theme: None,
        }
    }
}

impl<F> LoginPage<F> {
    /// Leaves consent to a page of the app's own: the browser is sent to `path` with the request's query. Its GET handler calls
    /// [`Server::pending`](oauth_core::server::Server::pending) and shows what that says, its POST handler
    /// [`Server::resume_pending`](oauth_core::server::Server::resume_pending); see
    /// [`authorize_response`](crate::endpoint::authorize_response).
    #[must_use]
    pub fn consent_at(mut self, path: impl Into<String>) -> Self {
        self.consent = Some(path.into());
        self
    }
}

#[cfg(feature = "pages")]
impl<F> LoginPage<F> {
    /// Shows the designed consent and error pages instead of the plain ones.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = Some(theme);
        self
    }
}

impl<F> fmt::Debug for LoginPage<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginPage").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl<F, Answer> Host for LoginPage<F>
where
    F: Fn(&Parts) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Option<Login>, HostError>> + Send + 'static,
{
    async fn login(&self, head: &Parts) -> Result<Option<Login>, HostError> {
        (self.login)(head).await
    }

    async fn sign_in(&self, _head: &Parts, request: &SignIn) -> Response<Body> {
        let return_to = utf8_percent_encode(&request.return_to, RESERVED);
        redirect(&self.path, &format!("return_to={return_to}"))
    }

    async fn consent(&self, _head: &Parts, pending: &Pending, action: &str) -> Response<Body> {
        if let Some(path) = &self.consent {
            return redirect(path, &pending.query());
        }
        #[cfg(feature = "pages")]
        if let Some(theme) = &self.theme {
            return crate::pages::consent_page(theme, pending, action, pending.subject(), None);
        }
        plain_consent_page(pending, action)
    }

    async fn error(&self, _head: &Parts, error: &ShowError) -> Response<Body> {
        #[cfg(feature = "pages")]
        if let Some(theme) = &self.theme {
            return crate::pages::error_page(theme, error);
        }
        show_plain(error)
    }
}

/// 303 to a page of the app's own.
fn redirect(path: &str, query: &str) -> Response<Body> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut response = Response::new(Body::empty());
    match HeaderValue::try_from(format!("{path}{joint}{query}")) {
        Ok(location) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}
