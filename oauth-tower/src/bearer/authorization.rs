//! Reading the `Authorization` header (RFC 6750 §2.1): one header, one scheme, one token.

use http::{HeaderMap, header};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

/// What a request presents.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    /// No bearer token: no header, or another scheme's.
    Nothing,
    /// One token, of the right alphabet.
    Token(&'a str),
    /// A token that is longer than any that could be good.
    TooLong,
    /// Anything else, with the reason for the operator.
    Malformed(&'static str),
}

/// Reads the header; in time linear in what is looked at, which is bounded.
pub(super) fn read(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Presented::Nothing };
    if values.next().is_some() {
        return Presented::Malformed("there is more than one Authorization header");
    }
    let value = value.as_bytes();
    let rest = match value.split_first_chunk() {
        Some((scheme, rest)) if is_bearer(scheme) && rest.first() == Some(&b' ') => rest,
        _ => match other(value) {
            Ok(rest) => rest,
            Err(presented) => return presented,
        },
    };
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    let token = &rest[spaces..];
    if token.len() > MAX_TOKEN {
        return Presented::TooLong;
    }
    if spaces == 0 || !is_token68(token) {
        return Presented::Malformed("Bearer is not followed by spaces and one token");
    }
    match std::str::from_utf8(token) {
        Ok(token) => Presented::Token(token),
        Err(_) => Presented::Malformed("the token is not text"),
    }
}

fn is_bearer(scheme: &[u8; 6]) -> bool {
    scheme.eq_ignore_ascii_case(b"Bearer")
}

/// What follows `Bearer` where that is no space; what is presented if the scheme is another.
fn other(value: &[u8]) -> Result<&[u8], Presented<'static>> {
    let scheme = value.iter().position(|&byte| !is_token_char(byte)).unwrap_or(value.len());
    match value.split_at(scheme) {
        ([], _) => Err(Presented::Malformed("the Authorization header names no scheme")),
        (scheme, rest) if scheme.eq_ignore_ascii_case(b"Bearer") => Ok(rest),
        _ => Err(Presented::Nothing),
    }
}

/// `token68` of RFC 9110 §11.2, which RFC 6750 calls `b64token`.
fn is_token68(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
    let text = &bytes[..bytes.len() - padding];
    // No early end and no branches, so that the compiler compares many bytes at a time.
    !text.is_empty() && text.iter().fold(0, |bad, &byte| bad | u8::from(!is_token68_char(byte))) == 0
}

fn is_token68_char(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // '-', '.', '/' and the digits stand in a row.
    let row = byte.wrapping_sub(b'-') < 13;
    letter | row | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// `tchar` of RFC 9110 §5.6.2, of which a scheme's name consists.
fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with<'a>(headers: &'a mut HeaderMap, value: &[u8]) -> Presented<'a> {
        headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        read(headers)
    }

    #[test]
    fn one_token_in_any_case_of_the_scheme() {
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers), Presented::Nothing);
        for value in ["Bearer a.B-1_~+/==", "bearer a.B-1_~+/==", "bEaReR   a.B-1_~+/=="] {
            assert_eq!(with(&mut headers, value.as_bytes()), Presented::Token("a.B-1_~+/=="), "{value}");
        }
        for value in
            ["Basic YTpi", "DPoP abc", "BearerX abc", "Negotiate", "Bearer-x abc", "Basic a, Bearer b"]
        {
            assert_eq!(with(&mut headers, value.as_bytes()), Presented::Nothing, "{value}");
        }
    }

    #[test]
    fn the_alphabet() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token68_char(byte), expected, "{byte}");
        }
    }

    #[test]
    fn everything_else_is_malformed() {
        let mut headers = HeaderMap::new();
        let values: [&[u8]; 18] = [
            b"",
            b" ",
            b"Bearer",
            b"Bearer ",
            b"Bearer =",
            b"Bearer a b",
            b"Bearer a ",
            b"Bearer\ta",
            b"Bearer \ta",
            b"Bearer a,b",
            b"Bearer a, Bearer b",
            b"Bearer, a",
            b"Bearer=a",
            b"Bearer a=b",
            b"Bearer \"a\"",
            b"Bearer \xff\xfe",
            b"Bearer \xc3\xa9",
            b"\xff\xfe a",
        ];
        for value in values {
            let read = with(&mut headers, value);
            assert!(matches!(read, Presented::Malformed(_)), "{:?}: {read:?}", value.escape_ascii());
        }
    }

    #[test]
    fn two_headers_are_malformed_and_long_ones_refused() {
        let mut headers = HeaderMap::new();
        let longest = format!("Bearer {}", "a".repeat(MAX_TOKEN));
        assert!(matches!(with(&mut headers, longest.as_bytes()), Presented::Token(_)));
        assert_eq!(with(&mut headers, format!("{longest}a").as_bytes()), Presented::TooLong);
        for second in ["Bearer b", "Basic YTpi"] {
            with(&mut headers, b"Bearer a");
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(second));
            assert!(matches!(read(&headers), Presented::Malformed(_)), "{second}");
        }
    }
}
