//! Whether a request carries a form, or JSON: decided by its headers, before any of its body.

use http::{HeaderMap, header};

/// The one media type that most endpoints take (RFC 6749 §3.2).
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// The one that registration takes (RFC 7591 §3.1).
const JSON: &[u8] = b"application/json";

/// Whether the body is a form in UTF-8.
///
/// # Errors
///
/// A sentence for the client, where the type is absent, repeated, another one, or names another charset.
pub(crate) fn check_form(headers: &HeaderMap) -> Result<(), &'static str> {
    check(headers, FORM, "the body must be application/x-www-form-urlencoded")
}

/// Whether the body is JSON in UTF-8.
///
/// # Errors
///
/// As [`check_form`].
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), &'static str> {
    check(headers, JSON, "the body must be application/json")
}

fn check(headers: &HeaderMap, wanted: &[u8], otherwise: &'static str) -> Result<(), &'static str> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return Err("the request needs one Content-Type");
    };
    if value.as_bytes() == wanted {
        return Ok(());
    }
    let mut parts = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case(wanted) {
        return Err(otherwise);
    }
    let utf8 = |parameter: &[u8]| {
        let mut pair = parameter.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let (name, value) = (pair.next().unwrap_or_default(), pair.next().unwrap_or_default());
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        !name.eq_ignore_ascii_case(b"charset") || value.eq_ignore_ascii_case(b"utf-8")
    };
    if parts.all(utf8) { Ok(()) } else { Err("the body must be in UTF-8") }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(types: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in types {
            headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        check_form(&headers).is_ok()
    }

    #[test]
    fn rp_20_rp_21_only_a_form_in_utf8_is_taken() {
        for form in [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "application/x-www-form-urlencoded;charset=\"utf-8\"",
            "Application/X-WWW-Form-Urlencoded ; charset=utf-8",
        ] {
            assert!(check(&[form]), "{form}");
        }
        for other in [
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
            "",
            "application/json, application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded, application/json",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded; charset",
        ] {
            assert!(!check(&[other]), "{other}");
        }
        assert!(!check(&[]));
        assert!(!check(&["application/x-www-form-urlencoded"; 2]));
    }
}
