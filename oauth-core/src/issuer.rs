//! Issuer identifiers (RFC 8414 §2): compared and echoed byte for byte.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// An issuer identifier, kept exactly as given. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: Arc<str>,
    path_start: usize,
}

/// Why a string is not an issuer identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IssuerError {
    /// Neither `https://`, nor `http://` with a loopback host.
    #[error("an issuer is an https URL, or http on 127.0.0.1, [::1] or localhost")]
    Scheme,
    /// Whitespace, a control character, a backslash or anything outside ASCII.
    #[error("an issuer consists of printable ASCII characters")]
    Character,
    /// A query.
    #[error("an issuer has no query")]
    Query,
    /// A fragment.
    #[error("an issuer has no fragment")]
    Fragment,
    /// A user name or password.
    #[error("an issuer has no user information")]
    UserInfo,
    /// No host, or not a host name or IP address.
    #[error("an issuer has a valid host")]
    Host,
    /// Not a decimal number from 1 to 65535 without leading zeros.
    #[error("an issuer's port is a number from 1 to 65535")]
    Port,
    /// A slash at the end: clients derive other addresses from the issuer, and compare it byte for byte.
    #[error("an issuer does not end with a slash")]
    TrailingSlash,
    /// A dot segment, an empty segment or an escape in the path.
    #[error("an issuer's path has no dot segments, empty segments or escapes")]
    Path,
}

impl Issuer {
    /// Reads `https://host[:port][/path]`; `http` where the host is `127.0.0.1`, `[::1]` or `localhost`.
    ///
    /// # Errors
    ///
    /// [`IssuerError`] names what is wrong.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte)) {
            return Err(IssuerError::Character);
        }
        if text.contains('#') {
            return Err(IssuerError::Fragment);
        }
        if text.contains('?') {
            return Err(IssuerError::Query);
        }
        let (rest, https) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            (_, Some(rest)) => (rest, false),
            _ => return Err(IssuerError::Scheme),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(IssuerError::UserInfo);
        }
        let (host, port) = split_port(authority);
        if !is_host(host) {
            return Err(IssuerError::Host);
        }
        if port.is_some_and(|port| !is_port(port)) {
            return Err(IssuerError::Port);
        }
        if !https && !is_loopback(host) {
            return Err(IssuerError::Scheme);
        }
        if path.ends_with('/') {
            return Err(IssuerError::TrailingSlash);
        }
        if path.contains('%') || path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(IssuerError::Path);
        }
        Ok(Self { text: Arc::from(text), path_start: text.len() - path.len() })
    }

    /// The identifier as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The identifier as given, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// `scheme://host[:port]`.
    pub fn origin(&self) -> &str {
        &self.text[..self.path_start]
    }

    /// The path: empty, or such as `/t1`.
    pub fn path(&self) -> &str {
        &self.text[self.path_start..]
    }

    /// Whether the scheme is `https`; otherwise it is `http` on a loopback host.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The URL of an endpoint: the issuer followed by `path`, such as `/token`.
    pub fn join(&self, path: &str) -> String {
        [&self.text, path].concat()
    }

    /// The absolute path of a well-known document, inserted before the issuer's path (RFC 8414 §3.1):
    /// `/.well-known/{name}{path}`.
    pub fn well_known(&self, name: &str) -> String {
        ["/.well-known/", name, self.path()].concat()
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        Self::parse(text)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Issuer").field(&self.text).finish()
    }
}

impl Serialize for Issuer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Issuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, "an issuer URL", Self::parse)
    }
}

/// Splits `host[:port]`; the host keeps its brackets.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').map_or(authority.len(), |at| at + 2),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_end);
    match port.strip_prefix(':') {
        Some(port) => (host, Some(port)),
        None if port.is_empty() => (host, None),
        // Something follows the bracket: no host at all.
        None => ("", None),
    }
}

/// Whether the text is a port from 1 to 65535 in decimal, without leading zeros.
pub(crate) fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && !port.starts_with('0')
        && port.parse::<u16>().is_ok()
}

/// Whether the text is a host name, an IPv4 address in its one usual spelling, or an IPv6 address in brackets.
pub(crate) fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if host.len() > 253 || !host.split('.').all(|label| !label.is_empty() && label.bytes().all(name)) {
        return false;
    }
    // Parsers read a last label that is a number as an address in one of many spellings (127.1, 0x7f.1).
    let last = host.rsplit('.').next().unwrap_or(host);
    let numeric =
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    !numeric || host.parse::<Ipv4Addr>().is_ok()
}

/// Whether the host is one of the three spellings of the loopback interface that are recognized (RFC 8252 §7.3, §8.3).
pub(crate) fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text() {
        for text in [
            "https://as.example",
            "https://as.example:8443/t1/oauth",
            "http://127.0.0.1:3000",
            "http://[::1]",
            "http://localhost:1/x",
            "https://[2001:db8::1]:444/a",
            "https://AS.example",
        ] {
            let issuer = Issuer::parse(text).unwrap();
            assert_eq!(issuer.as_str(), text);
            assert_eq!(&*issuer.shared(), text);
            assert_eq!(format!("{}{}", issuer.origin(), issuer.path()), text);
            assert_eq!(issuer.is_https(), text.starts_with("https"));
        }
    }

    #[test]
    fn mx_07_paths_of_tenants() {
        let tenant = Issuer::parse("https://as.example/t1").unwrap();
        assert_eq!(tenant.origin(), "https://as.example");
        assert_eq!(tenant.path(), "/t1");
        assert_eq!(tenant.join("/token"), "https://as.example/t1/token");
        assert_eq!(
            tenant.well_known("oauth-authorization-server"),
            "/.well-known/oauth-authorization-server/t1"
        );
        let root = Issuer::parse("https://as.example").unwrap();
        assert_eq!(root.path(), "");
        assert_eq!(root.well_known("openid-configuration"), "/.well-known/openid-configuration");
    }

    #[test]
    fn refuses() {
        use IssuerError::*;
        for (text, why) in [
            ("", Scheme),
            ("as.example", Scheme),
            ("ftp://as.example", Scheme),
            ("HTTPS://as.example", Scheme),
            ("http://as.example", Scheme),
            ("http://localhost.as.example", Scheme),
            ("http://localhost.", Host),
            ("http://127.1", Host),
            ("https://", Host),
            ("https:///t1", Host),
            ("https://:443", Host),
            ("https://a..example", Host),
            ("https://0x7f.1", Host),
            ("https://[::1", Host),
            ("https://[::1]x", Host),
            ("https://a%2eb", Host),
            ("https://as.example:", Port),
            ("https://as.example:0", Port),
            ("https://as.example:0443", Port),
            ("https://as.example:65536", Port),
            ("https://as.example:+1", Port),
            ("https://as.example/", TrailingSlash),
            ("https://as.example/t1/", TrailingSlash),
            ("https://as.example/a//b", Path),
            ("https://as.example/../b", Path),
            ("https://as.example/.", Path),
            ("https://as.example/%2e", Path),
            ("https://as.example?", Query),
            ("https://as.example#", Fragment),
            ("https://u@as.example", UserInfo),
            ("https://u:p@as.example", UserInfo),
            (" https://as.example", Character),
            ("https://as.example\n", Character),
            ("https://as.example\\t1", Character),
            ("https://аs.example", Character),
        ] {
            assert_eq!(Issuer::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn deserialization_validates() {
        let issuer: Issuer = serde_json::from_str(r#""https://as.example/t1""#).unwrap();
        assert_eq!(issuer.path(), "/t1");
        assert!(serde_json::from_str::<Issuer>(r#""https://as.example/""#).is_err());
    }
}
