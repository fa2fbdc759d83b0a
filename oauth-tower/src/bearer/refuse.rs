//! Writing a refusal.

use std::fmt::Debug;

use http::{HeaderMap, HeaderValue, Response, header};

use super::Refusal;
use crate::body::Body;
use crate::endpoint::seconds;

/// Writes the answer to a refused request.
///
/// # Security
///
/// What is written must not repeat anything of the request. The layer has reported the refusal already.
pub trait WriteRefusal: Debug + Send + Sync + 'static {
    /// The answer. `request` are the headers of the request, by which a policy may tell protocols apart.
    fn write(&self, refusal: &Refusal<'_>, request: &HeaderMap) -> Response<Body>;
}

/// Refusals as RFC 6750 §3 has them: the status, a challenge, `no-store`, and a small JSON body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rfc6750;

impl WriteRefusal for Rfc6750 {
    fn write(&self, refusal: &Refusal<'_>, _request: &HeaderMap) -> Response<Body> {
        // Both texts are constants without a character that JSON escapes.
        let error = refusal.cause.error().unwrap_or("unauthorized");
        let description = refusal.cause.description();
        let json = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = refusal.cause.status();
        let headers = response.headers_mut();
        headers.reserve(6);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = refusal.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = refusal.retry_after {
            headers.insert(header::RETRY_AFTER, seconds(after));
        }
        response
    }
}
