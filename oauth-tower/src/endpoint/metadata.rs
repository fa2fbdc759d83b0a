//! The documents that anybody may read: metadata (RFC 8414 §3) and the key set (RFC 7517 §5).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use oauth_core::metadata::Metadata;
use oauth_core::server::KeySet;
use serde::Serialize;

use super::json::{json_bytes, json_response};
use crate::body::Body;
use crate::cors;
use crate::protected_resource::ProtectedResource;

/// How long clients may keep the metadata.
const CACHE: &str = "public, max-age=3600";

/// A document, and for how long it may be kept.
#[derive(Clone, Debug)]
pub(crate) struct Document(Bytes, HeaderValue);

impl Document {
    pub(crate) fn new(metadata: &Metadata) -> Self {
        let json = serde_json::to_vec(metadata).expect("strings and lists of them are JSON");
        Self(json.into(), HeaderValue::from_static(CACHE))
    }

    pub(crate) fn resource(resource: &ProtectedResource) -> Self {
        Self(resource.to_json().into(), HeaderValue::from_static(CACHE))
    }

    /// The keys of this moment.
    pub(crate) fn key_set(keys: KeySet) -> Self {
        let cache = HeaderValue::try_from(format!("public, max-age={}", keys.max_age.as_secs()));
        Self(Bytes::from_owner(keys.json), cache.expect("digits are header text"))
    }
}

/// Answers GET and HEAD.
pub(crate) fn document(method: &Method, document: &Document) -> Response<Body> {
    let json = document.0.clone();
    let length = json.len();
    let mut response = json_bytes(StatusCode::OK, if *method == Method::HEAD { Bytes::new() } else { json });
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, document.1.clone());
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
