//! Refused requests: the JSON of RFC 6749 §5.2 for the client, one event for the operator, told by the core.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::metadata::Endpoint;
use oauth_core::server::Server;
use serde::Serialize;

use super::json::json_response;
use crate::body::Body;
use crate::cors;

/// What goes wrong before the core sees a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a method of this endpoint.
    Method,
    /// Not a form.
    MediaType(&'static str),
    /// The body is too long.
    TooLarge,
    /// The address is too long.
    UriTooLong,
    /// The body took too long to arrive.
    SlowBody,
    /// The body did not arrive.
    BrokenBody,
    /// The answer took too long.
    Deadline,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::Deadline => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn error(self) -> Error {
        Error::invalid_request(match self {
            Self::Method => "the endpoint does not take this method",
            Self::MediaType(why) => why,
            Self::TooLarge => "the body is too long",
            Self::UriTooLong => "the address is too long",
            Self::SlowBody => "the body took too long to arrive",
            Self::BrokenBody => "the body did not arrive",
            Self::Deadline => return Error::unavailable("the request's deadline has passed"),
        })
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// Where a request is refused.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// A name for logs.
    pub(crate) name: &'static str,
    /// Whether scripts of other origins may call it.
    open: bool,
}

impl Place {
    /// The metadata document.
    pub(crate) const METADATA: Self = Self { name: "metadata", open: true };
    /// The metadata of a resource.
    pub(crate) const RESOURCE: Self = Self { name: "resource_metadata", open: true };
}

impl From<Endpoint> for Place {
    fn from(endpoint: Endpoint) -> Self {
        Self { name: endpoint.as_str(), open: is_open(endpoint) }
    }
}

/// Answers a refused request, and reports it.
pub(crate) fn refuse(
    server: &Server,
    at: impl Into<Place>,
    error: &Error,
    status: Option<StatusCode>,
) -> Response<Body> {
    let own = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let status = status.unwrap_or(own);
    let Place { name, open } = at.into();
    server.audit().refused(name, error);
    let body = ErrorBody { error: error.code().as_str(), error_description: error.description() };
    let mut response = json_response(status, &body);
    refused_as(&mut response, error.code());
    let headers = response.headers_mut();
    if error.basic_challenge() {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"oauth\""));
    }
    if let Some(after) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds(after));
    }
    if open {
        cors::open(headers);
    }
    response
}

/// 405 with the methods that there are.
pub(crate) fn allowed(server: &Server, at: impl Into<Place>, methods: &'static str) -> Response<Body> {
    let mut response = refuse(server, at, &Refusal::Method.error(), Some(Refusal::Method.status()));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// 414.
pub(crate) fn too_long(server: &Server, at: impl Into<Place>) -> Response<Body> {
    refuse(server, at, &Refusal::UriTooLong.error(), Some(Refusal::UriTooLong.status()))
}

/// Whether scripts of other origins may call the endpoint.
pub(crate) fn is_open(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::Token | Endpoint::Revoke | Endpoint::Jwks | Endpoint::Device | Endpoint::Register
    )
}

/// Whole seconds, rounded up: who waits for so long is not refused again.
pub(crate) fn seconds(duration: Duration) -> HeaderValue {
    HeaderValue::from(duration.as_millis().div_ceil(1000).clamp(1, u128::from(u32::MAX)) as u64)
}

/// How a refused request is counted. In the extensions of its answer, until that leaves the service.
#[derive(Clone, Copy)]
pub(crate) struct RefusedAs(ErrorCode);

impl RefusedAs {
    /// The error code; two that are one on the wire are told apart.
    pub(crate) fn outcome(self) -> &'static str {
        match self.0 {
            ErrorCode::TooManyRequests => "too_many_requests",
            code => code.as_str(),
        }
    }
}

/// Notes in an answer that the request was refused.
pub(crate) fn refused_as<B>(response: &mut Response<B>, code: ErrorCode) {
    response.extensions_mut().insert(RefusedAs(code));
}
