//! Refusals in the form that gRPC has for them: trailers alone, and a status of its own.

use http::{HeaderMap, HeaderValue, Response, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Cause, Refusal, Rfc6750, WriteRefusal};
use crate::body::Body;

/// Refusals for a port that speaks gRPC alone: HTTP 200 without a body, `grpc-status`, `grpc-message`, and the challenge as
/// metadata `www-authenticate` ("Trailers-Only" of the gRPC protocol).
///
/// | cause | status |
/// | --- | --- |
/// | no token, a malformed or bad one, too weak or too old an authentication | 16 `UNAUTHENTICATED` |
/// | too small a scope | 7 `PERMISSION_DENIED` |
/// | the token could not be checked | 14 `UNAVAILABLE` |
/// | no layer in front | 13 `INTERNAL` |
///
/// A gRPC-web request is answered in the same form, with the media type of gRPC-web.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc;

/// [`Grpc`] for requests whose content type is one of gRPC or gRPC-web, [`Rfc6750`] for all others: for a port that speaks
/// both.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcOrHttp;

/// The media types of gRPC (`application/grpc`, `application/grpc+proto`, …) and of gRPC-web.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Grpc,
    GrpcWeb,
    Other,
}

impl WriteRefusal for Grpc {
    fn write(&self, refusal: &Refusal<'_>, request: &HeaderMap) -> Response<Body> {
        trailers_only(refusal, protocol(request))
    }
}

impl WriteRefusal for GrpcOrHttp {
    fn write(&self, refusal: &Refusal<'_>, request: &HeaderMap) -> Response<Body> {
        match protocol(request) {
            Protocol::Other => Rfc6750.write(refusal, request),
            protocol => trailers_only(refusal, protocol),
        }
    }
}

impl Cause {
    /// The status code of gRPC.
    pub fn grpc_status(self) -> u8 {
        match self {
            Self::InsufficientScope => 7,
            Self::LayerMissing => 13,
            Self::Unavailable => 14,
            Self::NoToken | Self::Malformed | Self::InvalidToken | Self::InsufficientAuthentication => 16,
        }
    }
}

fn protocol(request: &HeaderMap) -> Protocol {
    const GRPC: &[u8] = b"application/grpc";
    let Some(value) = request.get(header::CONTENT_TYPE) else { return Protocol::Other };
    let Some((start, rest)) = value.as_bytes().split_at_checked(GRPC.len()) else { return Protocol::Other };
    if !start.eq_ignore_ascii_case(GRPC) {
        return Protocol::Other;
    }
    let ends = |rest: &[u8]| matches!(rest.first(), None | Some(b'+' | b';' | b' '));
    match rest.split_at_checked(4) {
        _ if ends(rest) => Protocol::Grpc,
        Some((web, rest)) if web.eq_ignore_ascii_case(b"-web") => {
            // `application/grpc-web-text` is base64 of the same.
            let text = rest.get(..5).is_some_and(|text| text.eq_ignore_ascii_case(b"-text"));
            if ends(if text { &rest[5..] } else { rest }) { Protocol::GrpcWeb } else { Protocol::Other }
        }
        _ => Protocol::Other,
    }
}

fn trailers_only(refusal: &Refusal<'_>, protocol: Protocol) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.reserve(6);
    let media_type = match protocol {
        Protocol::GrpcWeb => "application/grpc-web+proto",
        Protocol::Grpc | Protocol::Other => "application/grpc",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("grpc-status", HeaderValue::from(u16::from(refusal.cause.grpc_status())));
    let message = percent_encode(refusal.cause.description());
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert("grpc-message", message);
    }
    if let Some(challenge) = refusal.challenge() {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(after) = refusal.retry_after {
        let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        headers.insert("grpc-retry-pushback-ms", HeaderValue::from(millis));
    }
    response
}

/// "Percent-Encoded" of the gRPC protocol: printable ASCII but `%` stays.
fn percent_encode(text: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_by_content_type() {
        let mut headers = HeaderMap::new();
        assert_eq!(protocol(&headers), Protocol::Other);
        for (value, expected) in [
            ("application/grpc", Protocol::Grpc),
            ("Application/GRPC+proto", Protocol::Grpc),
            ("application/grpc; x=y", Protocol::Grpc),
            ("application/grpc-web", Protocol::GrpcWeb),
            ("application/grpc-web+proto", Protocol::GrpcWeb),
            ("application/grpc-web-text+proto", Protocol::GrpcWeb),
            ("application/grpc-web-text", Protocol::GrpcWeb),
            ("application/grpcx", Protocol::Other),
            ("application/grpc-webx", Protocol::Other),
            ("application/grpc-web-textual", Protocol::Other),
            ("application/json", Protocol::Other),
            ("application/grp", Protocol::Other),
            ("", Protocol::Other),
        ] {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(protocol(&headers), expected, "{value}");
        }
    }

    #[test]
    fn messages_are_percent_encoded() {
        assert_eq!(percent_encode("100 % sure\n\u{e9}~"), "100 %25 sure%0A%C3%A9~");
    }
}
