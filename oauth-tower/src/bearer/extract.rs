//! Extractors for axum.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::scope::missing_layer;
use super::{Anonymous, Bearer, Challenge, Refusal, Refuse, Rfc6750};

/// There is no verified token in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BearerRejection {
    /// The request has none, behind a [`BearerLayer`](super::BearerLayer) in optional mode: 401 with a challenge.
    #[error("the request has no bearer token")]
    Missing,
    /// No `BearerLayer` is around the route. 500, for the programmer.
    #[error("no token was verified: put a BearerLayer around this route")]
    MissingLayer,
}

impl IntoResponse for BearerRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Missing => Rfc6750.refuse(Refusal::Missing, &Challenge::default()),
            Self::MissingLayer => missing_layer(),
        }
        .map(axum::body::Body::new)
    }
}

fn find(parts: &Parts) -> Result<Option<Bearer>, BearerRejection> {
    match (parts.extensions.get::<Bearer>(), parts.extensions.get::<Anonymous>()) {
        (Some(bearer), _) => Ok(Some(bearer.clone())),
        (None, Some(Anonymous)) => Ok(None),
        (None, None) => Err(BearerRejection::MissingLayer),
    }
}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = BearerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        find(parts)?.ok_or(BearerRejection::Missing)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Bearer {
    type Rejection = BearerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Self::Rejection> {
        find(parts)
    }
}
