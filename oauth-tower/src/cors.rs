//! Cross-origin access: open where clients call from scripts without cookies, absent everywhere else.
//!
//! Open means `*` and never credentials, so a script reads only what it could fetch with what it holds. The requested
//! headers are reflected, since `*` does not cover `Authorization` (Fetch §4.9). Never on the authorization endpoint
//! (OAuth 2.1 §3.1, RFC 9700 §2.6).

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Lets any script read the answer.
pub(crate) fn open(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("WWW-Authenticate, Retry-After");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// Answers a preflight: any origin, the endpoint's methods, whatever headers were asked for.
pub(crate) fn preflight(request: &HeaderMap, methods: &'static str, headers: &mut HeaderMap) {
    const MAX_AGE: &str = "7200";
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        (header::VARY, "Access-Control-Request-Headers"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
}
