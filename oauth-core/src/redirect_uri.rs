//! Redirect URIs: registration, and the comparison that decides where a code may go (RFC 9700 §2.1, §4.1.3;
//! OAuth 2.1 §2.3; RFC 8252 §7).
//!
//! 1. A URI is a string. It is stored, compared and sent as given; nothing is normalized.
//! 2. A request matches byte for byte; on a loopback address, the port alone may differ.
//! 3. What is dangerous is refused at registration, so that no later step has to recognize it.

mod check;
mod scheme;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::grant::UriHash;
use crate::issuer::is_port;
use crate::text;

pub use check::{MAX_REDIRECT_URI_BYTES, RedirectUriError};

/// A registered redirect URI. Cheap to clone.
///
/// Deserialization applies the rules of registration: a stored URI that breaks them is an error, never a target.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RedirectUri(Arc<str>, UriHash);

/// What a redirect URI leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RedirectKind {
    /// An `https` URL: a web site, or an app that claims it (RFC 8252 §7.2).
    Https,
    /// An `http` URL on `127.0.0.1`, `[::1]` or `localhost`: a native app on this device (RFC 8252 §7.3).
    Loopback,
    /// A private-use scheme: a native app, or whichever app claims the same scheme (RFC 8252 §7.1, §8.6).
    CustomScheme,
}

impl RedirectUri {
    /// Accepts a URI for a client's registration.
    ///
    /// # Errors
    ///
    /// [`RedirectUriError`] names what is wrong.
    pub fn register(uri: &str) -> Result<Self, RedirectUriError> {
        check::register(uri)?;
        Ok(Self(Arc::from(uri), UriHash::of(uri)))
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its hash, which is computed once.
    pub(crate) fn hash(&self) -> UriHash {
        self.1
    }

    /// The hash of a URI that usually is this one.
    pub(crate) fn hash_of(&self, uri: &str) -> UriHash {
        if *self.0 == *uri { self.1 } else { UriHash::of(uri) }
    }

    /// What the URI leads to.
    pub fn kind(&self) -> RedirectKind {
        if self.0.starts_with("https://") {
            RedirectKind::Https
        } else if self.0.starts_with("http://") {
            RedirectKind::Loopback
        } else {
            RedirectKind::CustomScheme
        }
    }

    /// Whether a request may use `requested`: the same bytes, or the same but for the port of a loopback URI
    /// (`http` on `127.0.0.1` or `[::1]`; on `localhost` where `localhost_ports` allows it, OAuth 2.1 §8.4.2).
    ///
    /// # Security
    ///
    /// Where this is false, nothing may be sent to `requested`, not even an error (RFC 6749 §4.1.2.1). On true, send
    /// to `requested`, which has the right port.
    pub fn matches(&self, requested: &str, localhost_ports: bool) -> bool {
        if scheme::is_denied(requested) {
            return false;
        }
        *self.0 == *requested || self.matches_but_for_port(requested, localhost_ports)
    }

    /// Whether its host is the device itself, whatever the scheme: some program there receives what is sent to it.
    pub(crate) fn is_on_this_device(&self) -> bool {
        let host = self.display_host();
        let name = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) };
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        self.kind() != RedirectKind::CustomScheme
            && (name == "localhost"
                || name.ends_with(".localhost")
                || name.starts_with("[::1]")
                || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback()))
    }

    /// What a consent page names as the receiver: `host[:port]`, or the custom scheme.
    pub fn display_host(&self) -> &str {
        let (scheme, rest) = self.0.split_once(':').unwrap_or((&self.0, ""));
        match self.kind() {
            RedirectKind::CustomScheme => scheme,
            RedirectKind::Https | RedirectKind::Loopback => {
                check::split_authority(rest).unwrap_or_default().0
            }
        }
    }

    /// Cuts both strings as text and compares the parts: two parsers that disagree cannot be played off.
    fn matches_but_for_port(&self, requested: &str, localhost_ports: bool) -> bool {
        if !requested.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@' && byte != b'\\') {
            return false;
        }
        ["http://127.0.0.1", "http://[::1]", "http://localhost"].iter().any(|origin| {
            (localhost_ports || *origin != "http://localhost")
                && after_port(&self.0, origin).is_some_and(|own| after_port(requested, origin) == Some(own))
        })
    }
}

/// What follows `origin` and an optional, valid port.
fn after_port<'u>(uri: &'u str, origin: &str) -> Option<&'u str> {
    let rest = uri.strip_prefix(origin)?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let (port, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            is_port(port).then_some(rest)?
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
}

/// Appends response parameters to a URI that a [`RedirectUri`] matched; its own query stays as it is.
///
/// Names and values are form-urlencoded, a space as `%20`, which every decoder of queries reads alike.
pub fn with_query<'a>(uri: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::with_capacity(uri.len() + 192);
    out.push_str(uri);
    let mut separator = match uri.split_once('?') {
        None => Some('?'),
        Some((_, query)) if query.is_empty() || query.ends_with('&') => None,
        Some(_) => Some('&'),
    };
    for (name, value) in pairs {
        out.extend(separator);
        separator = Some('&');
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(uri: &str) -> Result<Self, RedirectUriError> {
        Self::register(uri)
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, "a redirect URI", Self::register)
    }
}
