//! The endpoints that take a form and answer JSON: token, revocation, introspection, device authorization.
//!
//! 1. The query is never read: what counts is in the body (OAuth 2.1 §3.2).
//! 2. Every answer, success or error, is `no-store` (RFC 6749 §5.1).
//! 3. A success of the token endpoint is exactly 200; a revocation answers `{}`, since some clients parse what they get.

use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::limit::{LimitBy, Rule};
use oauth_core::metadata::Endpoint;
use oauth_core::server::{RateLimited, Server};
use serde::Serialize;

use super::refuse::{is_open, refuse};
use super::{ReadError, Refusal, read_body};
use crate::body::Body;
use crate::cors;
use crate::deadline::Deadline;

/// One of the endpoints that take a form and answer JSON.
pub(crate) trait Form {
    const ENDPOINT: Endpoint;

    /// What is counted by address: failures, unless [`Form::COUNTS_ALL`].
    const RULE: Rule = Rule::FailedToken;

    /// Whether each request counts, and not only those that fail.
    const COUNTS_ALL: bool = false;

    /// The JSON of the answer. Allocators keep small blocks at hand and look for one of more than a kilobyte: the future is part
    /// of another, so a large one has a box of its own.
    fn answer<'a>(
        server: &'a Server,
        headers: &'a HeaderMap,
        body: &'a [u8],
        from: Option<IpAddr>,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send + 'a;
}

pub(crate) struct Token;
pub(crate) struct Introspect;
pub(crate) struct Revoke;
pub(crate) struct Device;

impl Form for Token {
    const ENDPOINT: Endpoint = Endpoint::Token;

    async fn answer(
        server: &Server,
        headers: &HeaderMap,
        body: &[u8],
        _from: Option<IpAddr>,
    ) -> Result<Bytes, Error> {
        Ok(server.token(headers, body).await?.to_json().into())
    }
}

impl Form for Introspect {
    const ENDPOINT: Endpoint = Endpoint::Introspect;

    async fn answer(
        server: &Server,
        headers: &HeaderMap,
        body: &[u8],
        _from: Option<IpAddr>,
    ) -> Result<Bytes, Error> {
        Ok(server.introspect(headers, body).await?.to_json().into())
    }
}

impl Form for Revoke {
    const ENDPOINT: Endpoint = Endpoint::Revoke;

    fn answer<'a>(
        server: &'a Server,
        headers: &'a HeaderMap,
        body: &'a [u8],
        _from: Option<IpAddr>,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send + 'a {
        Box::pin(async move {
            server.revoke(headers, body).await?;
            Ok(Bytes::from_static(b"{}"))
        })
    }
}

impl Form for Device {
    const ENDPOINT: Endpoint = Endpoint::Device;
    const RULE: Rule = Rule::DeviceAddress;
    const COUNTS_ALL: bool = true;

    fn answer<'a>(
        server: &'a Server,
        headers: &'a HeaderMap,
        body: &'a [u8],
        from: Option<IpAddr>,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send + 'a {
        Box::pin(async move { Ok(server.device_authorization(headers, body, from).await?.to_json().into()) })
    }
}

/// Reads the form and answers it. Not an `async fn`, which would keep its arguments twice.
pub(crate) fn answer_form<F: Form, B: http_body::Body + Send>(
    server: Arc<Server>,
    headers: HeaderMap,
    body: B,
    limits: (Duration, usize),
    address: Option<IpAddr>,
) -> impl Future<Output = Response<Body>> + Send
where
    B::Data: Send,
{
    let refused = |server: &Server, refusal: Refusal| {
        refuse(server, F::ENDPOINT, &refusal.error(), Some(refusal.status()))
    };
    async move {
        let mut deadline = Deadline::new(limits.0);
        let body = match deadline.within(pin!(read_body(body, limits.1))).await {
            Some(Ok(body)) => body,
            Some(Err(ReadError::TooLarge)) => return refused(&server, Refusal::TooLarge),
            Some(Err(ReadError::Broken)) => return refused(&server, Refusal::BrokenBody),
            None => return refused(&server, Refusal::SlowBody),
        };
        if let Some(address) = address
            && let Err(limited) = admit::<F>(&server, address).await
        {
            return refuse(&server, F::ENDPOINT, &limited.into(), None);
        }
        match deadline.within(pin!(F::answer(&server, &headers, &body, address))).await {
            Some(Ok(json)) => answered(F::ENDPOINT, json),
            Some(Err(error)) => {
                if let Some(address) = address.filter(|_| !F::COUNTS_ALL && is_guess(&error)) {
                    count::<F>(&server, address).await;
                }
                refuse(&server, F::ENDPOINT, &error, None)
            }
            None => refused(&server, Refusal::Deadline),
        }
    }
}

/// Whether the address may ask now. Boxed, so that the common future has no room for it.
fn admit<F: Form>(
    server: &Server,
    address: IpAddr,
) -> Pin<Box<dyn Future<Output = Result<(), RateLimited>> + Send + '_>> {
    Box::pin(async move {
        let counted = [(F::RULE, LimitBy::Address(address))];
        if F::COUNTS_ALL { server.limits().take(&counted).await } else { server.limits().ask(&counted).await }
    })
}

/// Counts a failure. Whether it was the last that is allowed shows at the next request.
fn count<F: Form>(server: &Server, address: IpAddr) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
    Box::pin(async move {
        let _ = server.limits().take(&[(F::RULE, LimitBy::Address(address))]).await;
    })
}

/// Whether the request presented something that is not right, as somebody does who guesses.
fn is_guess(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::InvalidClient | ErrorCode::InvalidGrant)
}

fn answered(endpoint: Endpoint, json: Bytes) -> Response<Body> {
    with_headers(StatusCode::OK, if is_open(endpoint) { &OPEN_HEADERS } else { &HEADERS }, json)
}

/// The headers of JSON that is not to be kept. They are made once: copies cost less.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
});

/// The same where any script may read the answer.
static OPEN_HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HEADERS.clone();
    cors::open(&mut headers);
    headers
});

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
    with_headers(status, &HEADERS, json)
}

fn with_headers(status: StatusCode, headers: &HeaderMap, json: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    *response.headers_mut() = headers.clone();
    response
}
