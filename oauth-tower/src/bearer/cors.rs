//! Cross-origin access to a protected API: any origin, no cookies.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::body::Body;
use crate::cors;

pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Any method, since what the app serves is not known here.
pub(super) fn preflight(request: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    cors::preflight(request, "*", response.headers_mut());
    response
}

/// Lets scripts read an answer and its challenge. An app that has said itself who may read its answer has the last word.
pub(super) fn open(headers: &mut HeaderMap) {
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static(
        "WWW-Authenticate, Retry-After, Mcp-Session-Id, Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin",
    );
    headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}
