//! The documents that anybody may read: metadata (RFC 8414 §3) and the key set (RFC 7517 §5).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use oauth_core::metadata::Metadata;
use serde::Serialize;

use super::json::{json_bytes, json_response};
use crate::body::Body;
use crate::cors;

/// The key set of a server that signs nothing.
const NO_KEYS: &[u8] = br#"{"keys":[]}"#;

/// How long clients may keep a document.
const CACHE: &str = "public, max-age=3600";

/// A document that does not change while the server runs.
#[derive(Clone, Debug)]
pub(crate) struct Document(Bytes);

impl Document {
    pub(crate) fn new(metadata: &Metadata) -> Self {
        Self(serde_json::to_vec(metadata).expect("strings and lists of them are JSON").into())
    }

    pub(crate) fn no_keys() -> Self {
        Self(Bytes::from_static(NO_KEYS))
    }
}

/// Answers GET and HEAD.
pub(crate) fn document(method: &Method, document: &Document) -> Response<Body> {
    let json = document.0.clone();
    let length = json.len();
    let mut response = json_bytes(StatusCode::OK, if *method == Method::HEAD { Bytes::new() } else { json });
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    headers.remove(header::PRAGMA);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    cors::open(headers);
    response
}

#[derive(Serialize)]
struct NotServed {
    error: &'static str,
}

/// 404 below a well-known name that nobody serves: JSON, since clients that look for metadata parse whatever they get.
pub(crate) fn not_served() -> Response<Body> {
    let mut response = json_response(StatusCode::NOT_FOUND, &NotServed { error: "not_found" });
    cors::open(response.headers_mut());
    response
}
