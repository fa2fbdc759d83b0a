//! Extractors for axum.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use oauth_core::server::AccessToken;
use serde::de::DeserializeOwned;

use super::guard::{check, guard, verified};
use super::refusal::Denial;
use super::requirements::Requirements;
use super::{Cause, claims};
use crate::body::Body;

/// The verified token of the request.
///
/// `Option<Bearer>` is `None` where the layer is [optional](super::BearerLayer::optional) and no token was presented;
/// `Bearer` answers such a request with 401. Without a [`BearerLayer`](super::BearerLayer) in front both answer 500.
///
/// ```
/// use oauth_tower::bearer::Bearer;
///
/// async fn hello(token: Bearer) -> String {
///     format!("hello {}", token.subject().unwrap_or("machine"))
/// }
///
/// async fn greet(token: Option<Bearer>) -> &'static str {
///     if token.is_some_and(|token| token.has_scope("admin")) { "at your service" } else { "hello" }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer(pub Arc<AccessToken>);

impl Deref for Bearer {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0
    }
}

/// A scope that a handler asks for by its type; see [`Scoped`].
pub trait RequiredScope {
    /// One scope token, or several of which all are needed, separated by spaces.
    const SCOPE: &'static str;
}

/// The verified token of a request, whose scope has `R`.
///
/// ```
/// use oauth_tower::bearer::{RequiredScope, Scoped};
///
/// struct NotesWrite;
///
/// impl RequiredScope for NotesWrite {
///     const SCOPE: &'static str = "notes:write";
/// }
///
/// async fn write(token: Scoped<NotesWrite>) -> String {
///     format!("written for {:?}", token.subject())
/// }
/// ```
pub struct Scoped<R>(pub Arc<AccessToken>, PhantomData<fn() -> R>);

impl<R> Deref for Scoped<R> {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0
    }
}

impl<R> Clone for Scoped<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<R> fmt::Debug for Scoped<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.0).finish()
    }
}

/// The claims of the verified token, in a type of the host; see [`claims`](super::claims()).
///
/// A token whose claims are not what the type expects is answered with 401.
///
/// ```
/// use oauth_tower::bearer::Claims;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     sub: String,
///     tenant: String,
/// }
///
/// async fn hello(Claims(token): Claims<Tenant>) -> String {
///     format!("hello {} of {}", token.sub, token.tenant)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims<T>(pub T);

/// The refusal of an extractor, written the way that the [`BearerLayer`](super::BearerLayer) in front writes refusals.
pub struct BearerRejection {
    cause: Cause,
    response: http::Response<Body>,
}

impl BearerRejection {
    /// Why.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    fn new(denial: &Denial, required: &Requirements, parts: &Parts) -> Self {
        let response = guard(&parts.extensions).refuse(denial, required, &parts.headers);
        Self { cause: denial.cause, response }
    }
}

impl fmt::Debug for BearerRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerRejection").field("cause", &self.cause).finish_non_exhaustive()
    }
}

impl fmt::Display for BearerRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause.description())
    }
}

impl std::error::Error for BearerRejection {}

impl IntoResponse for BearerRejection {
    fn into_response(self) -> Response {
        self.response.map(axum::body::Body::new)
    }
}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = BearerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, BearerRejection> {
        match verified(&parts.extensions) {
            Ok(token) => Ok(Self(token.clone())),
            Err(denial) => Err(BearerRejection::new(&denial, &Requirements::default(), parts)),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Bearer {
    type Rejection = BearerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, BearerRejection> {
        match verified(&parts.extensions) {
            Ok(token) => Ok(Some(Self(token.clone()))),
            Err(denial) if denial.cause == Cause::NoToken => Ok(None),
            Err(denial) => Err(BearerRejection::new(&denial, &Requirements::default(), parts)),
        }
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = BearerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, BearerRejection> {
        let read = verified(&parts.extensions).and_then(|token| {
            let why = "the claims of the token are not what the handler expects";
            claims(token).map_err(|_| Denial::of(Cause::InvalidToken, why, token))
        });
        read.map(Self).map_err(|denial| BearerRejection::new(&denial, &Requirements::default(), parts))
    }
}

impl<S: Sync, R: RequiredScope> FromRequestParts<S> for Scoped<R> {
    type Rejection = BearerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, BearerRejection> {
        let mut required = Requirements::default();
        required.tokens.all_of(R::SCOPE);
        match check(&parts.extensions, &required) {
            Ok(token) => Ok(Self(token.clone(), PhantomData)),
            Err(denial) => Err(BearerRejection::new(&denial, &required, parts)),
        }
    }
}
