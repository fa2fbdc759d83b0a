//! Whether a form was sent by a page of this origin, as far as the browser says (defence in depth).

use http::request::Parts;
use http::{HeaderName, HeaderValue, header};

use crate::issuer::Issuer;

/// Whether nothing in `Sec-Fetch-Site` and `Origin` says that the request comes from elsewhere.
///
/// A page without a referrer sends `Origin: null` even to its own origin, which counts only beside a browser's word that it
/// is the same.
///
/// # Security
///
/// Not proof: a request without either header passes. What protects is a seal that is bound to the browser cookie.
pub fn is_same_origin(head: &Parts, issuer: &Issuer) -> bool {
    let text = |name| head.headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut sites = text(HeaderName::from_static("sec-fetch-site")).peekable();
    let vouched = sites.peek().is_some();
    let same_site = sites.all(|site| matches!(site, b"same-origin" | b"none"));
    let same_origin = text(header::ORIGIN)
        .all(|origin| origin == issuer.origin().as_bytes() || (vouched && origin == b"null"));
    same_site && same_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(headers: &[(&str, &str)]) -> bool {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        is_same_origin(&head, &Issuer::parse("https://as.example/t1").unwrap())
    }

    #[test]
    fn br_07_other_sites_are_told_by_what_the_browser_says() {
        for own in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://as.example")],
        ] {
            assert!(judge(own), "{own:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://as.example"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://as.example.evil.example")],
        ] {
            assert!(!judge(foreign), "{foreign:?}");
        }
    }
}
