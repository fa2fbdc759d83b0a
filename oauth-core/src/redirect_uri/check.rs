//! What may be registered as a redirect URI.

use crate::issuer::{is_host, is_loopback, is_port, split_port};
use crate::params::percent_decode_form;

use super::scheme::{is_denied, split_scheme};

/// The longest redirect URI, in bytes.
pub const MAX_REDIRECT_URI_BYTES: usize = 2048;

/// Parameters of an authorization response: a query that already has one would make two of it.
const RESERVED_KEYS: &[&str] = &[
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "id_token",
    "access_token",
    "response",
];

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RedirectUriError {
    /// More than [`MAX_REDIRECT_URI_BYTES`].
    #[error("redirect URI is too long")]
    TooLong,
    /// Whitespace, a control character (also escaped), a backslash, or a character that no URI has.
    #[error("redirect URI has a character that is not allowed")]
    Character,
    /// A `*`: there are no patterns.
    #[error("redirect URI has a wildcard")]
    Wildcard,
    /// A fragment, empty or not.
    #[error("redirect URI has a fragment")]
    Fragment,
    /// No scheme, or nothing absolute behind it.
    #[error("redirect URI is not absolute")]
    Relative,
    /// A scheme that does not lead to a client.
    #[error("redirect URI has a scheme that is not allowed")]
    Scheme,
    /// `http` on anything but `127.0.0.1`, `[::1]` and `localhost`.
    #[error("redirect URI has to use https, or http on 127.0.0.1, [::1] or localhost")]
    InsecureHttp,
    /// A user name or password.
    #[error("redirect URI has user information")]
    UserInfo,
    /// No host, or not a host name or IP address in its usual spelling.
    #[error("redirect URI has no valid host")]
    Host,
    /// Not a decimal number from 1 to 65535 without leading zeros.
    #[error("redirect URI's port is not a number from 1 to 65535")]
    Port,
    /// `.` or `..` as a segment, also escaped or with parameters.
    #[error("redirect URI has a dot segment")]
    DotSegment,
    /// A malformed percent-escape.
    #[error("redirect URI has a malformed escape")]
    Escape,
    /// A query parameter that the authorization response uses.
    #[error("redirect URI has a query parameter that is reserved for the response")]
    ReservedParameter,
}

use RedirectUriError as Refused;

/// Whether the URI may be registered.
pub(super) fn register(uri: &str) -> Result<(), RedirectUriError> {
    if uri.len() > MAX_REDIRECT_URI_BYTES {
        return Err(Refused::TooLong);
    }
    check_characters(uri)?;
    let (scheme, rest) = split_scheme(uri).ok_or(Refused::Relative)?;
    let path_and_query = if uri.starts_with("https://") || uri.starts_with("http://") {
        let (authority, tail) = split_authority(rest).ok_or(Refused::Relative)?;
        let host = check_authority(authority)?;
        if scheme == "http" && !is_loopback(host) {
            return Err(Refused::InsecureHttp);
        }
        check_as_browsers_read(uri, host)?;
        tail
    } else if is_denied(uri) {
        return Err(Refused::Scheme);
    } else {
        match split_authority(rest) {
            Some(("", tail)) => tail,
            Some((authority, tail)) => check_authority(authority).map(|_| tail)?,
            // Without a slash it may as well be a host and port that lack their scheme.
            None if rest.starts_with('/') => rest,
            None => return Err(Refused::Relative),
        }
    };
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    check_path(path)?;
    check_query(query)
}

/// Splits what follows the scheme's colon, where it begins with `//`, into the authority and the rest.
pub(super) fn split_authority(after_scheme: &str) -> Option<(&str, &str)> {
    let rest = after_scheme.strip_prefix("//")?;
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

fn check_characters(uri: &str) -> Result<(), RedirectUriError> {
    for byte in uri.bytes() {
        match byte {
            b'#' => return Err(Refused::Fragment),
            b'*' => return Err(Refused::Wildcard),
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => return Err(Refused::Character),
            _ if !byte.is_ascii_graphic() => return Err(Refused::Character),
            _ => {}
        }
    }
    Ok(())
}

fn check_authority(authority: &str) -> Result<&str, RedirectUriError> {
    if authority.contains('@') {
        return Err(Refused::UserInfo);
    }
    let (host, port) = split_port(authority);
    if !is_host(host) {
        return Err(Refused::Host);
    }
    if port.is_some_and(|port| !is_port(port)) {
        return Err(Refused::Port);
    }
    Ok(host)
}

/// The parser that browsers share has to find the same host; it also knows which `xn--` labels are names at all.
fn check_as_browsers_read(uri: &str, host: &str) -> Result<(), RedirectUriError> {
    let url = url::Url::parse(uri).map_err(|_| Refused::Host)?;
    match url.host() {
        Some(url::Host::Domain(name)) if !name.eq_ignore_ascii_case(host) => Err(Refused::Host),
        Some(_) => Ok(()),
        None => Err(Refused::Host),
    }
}

/// Segments are judged decoded, and cut where a server may cut them: at `/`, `\` and `;`.
fn check_path(path: &str) -> Result<(), RedirectUriError> {
    let decoded = unescape(path)?;
    for segment in decoded.split(|byte| matches!(byte, b'/' | b'\\')) {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or(segment);
        if matches!(name, b"." | b"..") {
            return Err(Refused::DotSegment);
        }
    }
    Ok(())
}

fn check_query(query: &str) -> Result<(), RedirectUriError> {
    unescape(query)?;
    for pair in query.split('&') {
        let key = pair.split('=').next().unwrap_or(pair);
        let key = percent_decode_form(key).map_err(|_| Refused::Escape)?;
        if RESERVED_KEYS.contains(&key.as_ref()) {
            return Err(Refused::ReservedParameter);
        }
    }
    Ok(())
}

/// Decodes a path or query, which has no brackets and no escaped control characters.
fn unescape(text: &str) -> Result<Vec<u8>, RedirectUriError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    let digit = |rest: &mut std::str::Bytes<'_>| rest.next().and_then(|byte| char::from(byte).to_digit(16));
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'[' | b']' => return Err(Refused::Character),
            b'%' => match (digit(&mut rest), digit(&mut rest)) {
                (Some(high), Some(low)) => (high * 16 + low) as u8,
                _ => return Err(Refused::Escape),
            },
            _ => byte,
        });
    }
    if decoded.iter().any(u8::is_ascii_control) { Err(Refused::Character) } else { Ok(decoded) }
}
