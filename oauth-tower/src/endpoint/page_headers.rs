//! The response headers of every HTML page.
//!
//! A sign-in or consent page must not be framed (RFC 9700 section 4.16), must not leak its address, which carries the
//! authorization request, through `Referer` (RFC 9700 section 4.2), and must not stay in a cache.
//! `Strict-Transport-Security` speaks for a whole host name and is left to the host.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A policy under which nothing loads, nothing runs and nobody frames.
const NOTHING: &str = "default-src 'none'; img-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The `Content-Security-Policy` of a page whose only active content is one inline `<style>`, named by the SHA-256 digest
/// of its text. `None` is for a page without any style.
///
/// There is no `form-action` on purpose: browsers apply it to the redirects that follow a submission as well, and
/// both the sign-in and the consent form may end in a redirect to the client's own origin.
#[must_use]
pub fn content_security_policy(style_sha256: Option<&[u8; 32]>) -> HeaderValue {
    let nothing = HeaderValue::from_static(NOTHING);
    match style_sha256 {
        None => nothing,
        Some(digest) => {
            let policy = format!("{NOTHING}; style-src 'sha256-{}'", STANDARD.encode(digest));
            HeaderValue::try_from(policy).unwrap_or(nothing)
        }
    }
}

/// The headers of an HTML page, errors included.
///
/// There is no `Cross-Origin-Opener-Policy` on purpose: any value but `unsafe-none` on this page cuts a popup off from
/// the client that opened it (`same-origin-allow-popups` guards only the popups that a page itself opens), so a client
/// that signs in with a popup would never get its answer. The page holds nothing that an opener could read across origins.
#[must_use]
pub fn page_headers(content_security_policy: HeaderValue) -> HeaderMap {
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    let mut headers = HeaderMap::with_capacity(fixed.len() + 1);
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, content_security_policy);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn br_09_every_page_refuses_framing_and_caching() {
        for policy in [content_security_policy(None), content_security_policy(Some(&[7; 32]))] {
            let headers = page_headers(policy);
            let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(csp.contains("default-src 'none'") && csp.contains("frame-ancestors 'none'"), "{csp}");
            assert!(csp.contains("base-uri 'none'") && !csp.contains("unsafe"), "{csp}");
            assert!(!csp.contains("form-action"), "{csp}");
            assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
            assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        }
    }

    #[test]
    fn a_page_without_style_allows_none() {
        assert_eq!(content_security_policy(None), NOTHING);
    }
}
