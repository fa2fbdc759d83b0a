//! A host with a sign-in page of its own, in a few lines.

use std::fmt;
use std::future::Future;

use async_trait::async_trait;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use oauth_core::authorize::{Login, ShowError};
use oauth_core::server::{Pending, SignIn};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::body::Body;
use crate::endpoint::{plain_consent_page, show_plain};
use crate::host::{Host, HostError};
#[cfg(feature = "pages")]
use crate::pages::Theme;

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
/// The sign-in page must check that `return_to` is a path on this origin before it sends the browser there: anybody can write a
/// link to it.
pub struct LoginPage<F> {
    path: String,
    login: F,
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
            #[cfg(feature = "pages")]
            theme: None,
        }
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
        let joint = if self.path.contains('?') { '&' } else { '?' };
        let return_to = utf8_percent_encode(&request.return_to, NON_ALPHANUMERIC);
        let mut response = Response::new(Body::empty());
        match HeaderValue::try_from(format!("{}{joint}return_to={return_to}", self.path)) {
            Ok(location) => {
                *response.status_mut() = StatusCode::SEE_OTHER;
                response.headers_mut().insert(header::LOCATION, location);
            }
            Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
        response
    }

    async fn consent(&self, _head: &Parts, pending: &Pending, action: &str) -> Response<Body> {
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
