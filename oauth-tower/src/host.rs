//! The seam between the authorization endpoint and the app around it: who is signed in, and what visitors see.
//!
//! 1. The host sees the whole request head, extensions included: sessions of any kind plug in.
//! 2. The host is asked for every step anew, also for the answer to a consent page.
//! 3. Whatever page it returns gets the headers that a page here must have, where it has not set them itself: no framing,
//!    no caching, no referrer.

use std::fmt;

use async_trait::async_trait;
use http::request::Parts;
use http::{HeaderValue, Response, header};
use oauth_core::authorize::{Login, ShowError};
use oauth_core::server::{Pending, SignIn};

use crate::body::{Body, BoxError};
use crate::endpoint::page_headers::page_headers;

/// The app around the authorization endpoint.
///
/// # Correctness
///
/// [`Host::login`] names the person whose browser sends this very request, and the time when they last proved who they are.
/// It changes nothing.
///
/// # Security
///
/// A consent page shows what [`Pending`] says (the client, the scope, [`Pending::redirect_host`]), escaped, and lets the
/// person decide: it must not submit itself.
#[async_trait]
pub trait Host: fmt::Debug + Send + Sync + 'static {
    /// Who is signed in.
    ///
    /// # Errors
    ///
    /// When that cannot be found out now; the visitor is asked to try again.
    async fn login(&self, head: &Parts) -> Result<Option<Login>, HostError>;

    /// What a visitor sees who must sign in: usually a redirect to the host's own page, which sends the browser to
    /// [`SignIn::return_to`] afterwards.
    async fn sign_in(&self, head: &Parts, request: &SignIn) -> Response<Body>;

    /// The consent page. Its form posts to `action`, in `application/x-www-form-urlencoded`: `ticket`, as
    /// [`Pending::ticket`] gives it, and `decision`, which is `approve` or `deny`. A form that lets the person choose parts
    /// also sends an empty `scope` field and one `scope` field for each part that is allowed.
    async fn consent(&self, head: &Parts, pending: &Pending, action: &str) -> Response<Body>;

    /// The page for an error that must not be sent to the client. The status is set by the caller.
    async fn error(&self, head: &Parts, error: &ShowError) -> Response<Body>;
}

/// A host cannot say who is signed in: a session store that is down. Made by `?` from any error; operators read it, visitors
/// do not.
pub struct HostError(BoxError);

impl<E: Into<BoxError>> From<E> for HostError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let mut source = self.0.source();
        while let Some(inner) = source {
            write!(f, ": {inner}")?;
            source = inner.source();
        }
        Ok(())
    }
}

impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Adds the headers of a page where the host has not set them. Its own `Content-Security-Policy` stays as it is, since its
/// pages may need scripts and styles; without one, framing at least is refused.
pub(crate) fn guard(response: &mut Response<Body>) {
    let own = response.headers_mut();
    for (name, value) in &page_headers(HeaderValue::from_static("frame-ancestors 'none'")) {
        if *name != header::CONTENT_TYPE && !own.contains_key(name) {
            own.insert(name, value.clone());
        }
    }
}
