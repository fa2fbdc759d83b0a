//! What a refused request is answered.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::Challenge;
use crate::body::Body;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No bearer token was presented.
    Missing,
    /// The request is malformed.
    Malformed,
    /// The token does not work here.
    InvalidToken,
    /// The token does not allow this.
    InsufficientScope,
    /// The token could not be checked.
    Unavailable(Duration),
}

impl Refusal {
    /// The HTTP status (RFC 6750 §3.1).
    pub fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error code and its description; none where no token was presented.
    pub fn error(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Missing => None,
            Self::Malformed => {
                Some(("invalid_request", "the Authorization header must hold one bearer token"))
            }
            Self::InvalidToken => {
                Some(("invalid_token", "the access token is not valid here, has expired or was revoked"))
            }
            Self::InsufficientScope => Some(("insufficient_scope", "the access token does not allow this")),
            Self::Unavailable(_) => {
                Some(("temporarily_unavailable", "the access token cannot be checked now, please try again"))
            }
        }
    }
}

/// Writes refusals. [`Rfc6750`] is the default; another protocol brings its own.
pub trait Refuse: fmt::Debug + Send + Sync + 'static {
    /// The answer to a refused request.
    fn refuse(&self, refusal: Refusal, challenge: &Challenge) -> Response<Body>;
}

/// Refusals as RFC 6750 writes them, with a small JSON body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rfc6750;

#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

impl Refuse for Rfc6750 {
    fn refuse(&self, refusal: Refusal, challenge: &Challenge) -> Response<Body> {
        let error = refusal.error();
        let body = match error {
            None => Body::empty(),
            Some((error, error_description)) => {
                serde_json::to_vec(&ErrorBody { error, error_description }).unwrap_or_default().into()
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = refusal.status();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if error.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        match refusal {
            Refusal::Unavailable(after) => {
                headers.insert(header::RETRY_AFTER, after.as_secs().max(1).into());
            }
            _ => {
                headers.insert(header::WWW_AUTHENTICATE, challenge.value(error));
            }
        }
        response
    }
}
