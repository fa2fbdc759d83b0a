//! Reading the `Authorization` header (RFC 6750 §2.1, RFC 9110 §11.4).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The longest value that is looked at.
const MAX_BYTES: usize = 8 * 1024;

/// What the header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    /// No header, or another scheme.
    Nothing,
    /// One bearer token.
    Token(&'a str),
    /// Not what RFC 6750 allows.
    Malformed(&'static str),
}

pub(super) fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Presented::Nothing };
    if values.next().is_some() {
        return Presented::Malformed("more than one Authorization header");
    }
    let value = value.as_bytes();
    if value.len() > MAX_BYTES {
        return Presented::Malformed("the Authorization header is too long");
    }
    let scheme_end = value.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(scheme_end);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Presented::Nothing;
    }
    if !rest.is_empty() && rest[0] != b' ' {
        return Presented::Malformed("a space must follow the scheme");
    }
    let token = rest.trim_ascii_start();
    let spaces = &rest[..rest.len() - token.len()];
    if token.is_empty() || spaces.iter().any(|byte| *byte != b' ') || !is_token68(token) {
        return Presented::Malformed("the Authorization header is not one bearer token");
    }
    match std::str::from_utf8(token) {
        Ok(token) => Presented::Token(token),
        Err(_) => Presented::Malformed("the Authorization header is not one bearer token"),
    }
}

fn is_token68(token: &[u8]) -> bool {
    let end = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    end > 0 && token[..end].iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        headers
    }

    #[test]
    fn bt_05_any_case_and_any_number_of_spaces() {
        for value in ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR abc", "Bearer   abc"] {
            assert_eq!(presented(&read(value.as_bytes())), Presented::Token("abc"), "{value}");
        }
        assert_eq!(presented(&read(b"Bearer a-b._~+/==")), Presented::Token("a-b._~+/=="));
    }

    #[test]
    fn bt_06_bt_08_bt_09_anything_else_is_malformed() {
        let values: [&[u8]; 13] = [
            b"Bearer",
            b"Bearer ",
            b"Bearer\tabc",
            b"Bearer \tabc",
            b"Bearer a b",
            b"Bearer abc ",
            b"Bearer a, Bearer b",
            b"Bearer a,Bearer b",
            b"Bearer \xff\xfe",
            b"Bearer \xc3\xa9",
            b"Bearer ===",
            b"Bearer a=b",
            b"Bearer:abc",
        ];
        for value in values {
            assert!(matches!(presented(&read(value)), Presented::Malformed(_)), "{value:?}");
        }
        let long = [b"Bearer ".as_slice(), &[b'a'; 9000]].concat();
        assert!(matches!(presented(&read(&long)), Presented::Malformed(_)));
    }

    #[test]
    fn other_schemes_are_no_bearer_token() {
        for value in ["Basic abc", "DPoP abc", "BearerX abc", "x", ""] {
            assert_eq!(presented(&read(value.as_bytes())), Presented::Nothing, "{value}");
        }
    }
}
