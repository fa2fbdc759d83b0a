//! The endpoints that take a form and answer JSON: token, revocation, introspection.
//!
//! 1. The query is never read: what counts is in the body (OAuth 2.1 §3.2).
//! 2. Every answer, success or error, is `no-store` (RFC 6749 §5.1).
//! 3. A success of the token endpoint is exactly 200; a revocation answers `{}`, since some clients parse what they get.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use oauth_core::error::Error;
use oauth_core::metadata::Endpoint;
use oauth_core::server::Server;
use serde::Serialize;

use super::refuse::{is_open, refuse};
use super::{ReadError, Refusal, read_body};
use crate::body::Body;
use crate::cors;
use crate::deadline::Deadline;

/// One of the endpoints that take a form and answer JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Token,
    Revoke,
    Introspect,
}

impl Form {
    pub(crate) fn endpoint(self) -> Endpoint {
        match self {
            Self::Token => Endpoint::Token,
            Self::Revoke => Endpoint::Revoke,
            Self::Introspect => Endpoint::Introspect,
        }
    }
}

/// Reads the form and answers it.
pub(crate) async fn answer_form<B: http_body::Body>(
    server: Arc<Server>,
    form: Form,
    headers: HeaderMap,
    body: B,
    (deadline, limit): (Duration, usize),
) -> Response<Body> {
    let refused = |refusal: Refusal| refuse(form.endpoint(), &refusal.error(), Some(refusal.status()));
    let mut deadline = Deadline::new(deadline);
    let body = match deadline.within(read_body(body, limit)).await {
        Some(Ok(body)) => body,
        Some(Err(ReadError::TooLarge)) => return refused(Refusal::TooLarge),
        Some(Err(ReadError::Broken)) => return refused(Refusal::BrokenBody),
        None => return refused(Refusal::SlowBody),
    };
    match deadline.within(answer(&server, form, &headers, &body)).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => refuse(form.endpoint(), &error, None),
        None => refused(Refusal::Deadline),
    }
}

async fn answer(
    server: &Server,
    form: Form,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response<Body>, Error> {
    let mut response = match form {
        Form::Token => json_bytes(StatusCode::OK, server.token(headers, body).await?.to_json().into()),
        Form::Introspect => {
            json_bytes(StatusCode::OK, server.introspect(headers, body).await?.to_json().into())
        }
        Form::Revoke => {
            server.revoke(headers, body).await?;
            json_bytes(StatusCode::OK, Bytes::from_static(b"{}"))
        }
    };
    if is_open(form.endpoint()) {
        cors::open(response.headers_mut());
    }
    Ok(response)
}

/// Most answers fit, so that the text is written without growing.
const USUAL_JSON: usize = 512;

/// A JSON answer that is not to be kept.
pub(super) fn json_response(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let mut json = Vec::with_capacity(USUAL_JSON);
    match serde_json::to_writer(&mut json, value) {
        Ok(()) => json_bytes(status, json.into()),
        Err(_) => json_bytes(
            StatusCode::INTERNAL_SERVER_ERROR,
            Bytes::from_static(
                br#"{"error":"server_error","error_description":"the answer cannot be written"}"#,
            ),
        ),
    }
}

pub(super) fn json_bytes(status: StatusCode, json: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(6);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
