//! Resource indicators (RFC 8707): the audiences that a token is asked for.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::issuer::{is_host, is_port, split_port};
use crate::text;

/// The longest resource indicator, in bytes.
pub const MAX_RESOURCE_BYTES: usize = 2048;

/// An absolute URI without a fragment, kept exactly as given. Cheap to clone.
///
/// The text of the registered resource is the canonical one: it is what a token's audience says. `==` compares the
/// text; [`accepts`](Self::accepts) compares with what a client asks for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Resource(Arc<str>);

/// Why a string is not a resource indicator. All are `invalid_target`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ResourceError {
    /// More than [`MAX_RESOURCE_BYTES`].
    #[error("resource is too long")]
    TooLong,
    /// Anything but printable ASCII, or a character that no URI has.
    #[error("resource has a character that is not allowed")]
    Character,
    /// A fragment, empty or not (RFC 8707 §2).
    #[error("resource has a fragment")]
    Fragment,
    /// No scheme, or nothing behind it.
    #[error("resource is not an absolute URI")]
    Relative,
    /// User information, or not a valid host and port.
    #[error("resource has no valid host")]
    Authority,
}

impl Resource {
    /// Reads a resource indicator.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] names what is wrong.
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        if text.len() > MAX_RESOURCE_BYTES {
            return Err(ResourceError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte)) {
            return Err(ResourceError::Character);
        }
        if text.contains('#') {
            return Err(ResourceError::Fragment);
        }
        let (scheme, rest) = text.split_once(':').ok_or(ResourceError::Relative)?;
        let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !valid || rest.is_empty() {
            return Err(ResourceError::Relative);
        }
        let authority = rest.strip_prefix("//").map(|rest| &rest[..authority_len(rest)]);
        match authority {
            Some(authority) => {
                let (host, port) = split_port(authority);
                if !is_host(host) || port.is_some_and(|port| !is_port(port)) {
                    return Err(ResourceError::Authority);
                }
            }
            None if ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) => {
                return Err(ResourceError::Authority);
            }
            None => {}
        }
        Ok(Self(Arc::from(text)))
    }

    /// The resource as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `requested` names this resource: the same text, but for the case of scheme and host (RFC 3986 §6.2.2.1)
    /// and one slash at the end of a URI without a path (§6.2.3).
    pub fn accepts(&self, requested: &str) -> bool {
        if *self.0 == *requested {
            return true;
        }
        let (own_base, own_tail) = split_base(&self.0);
        let (base, tail) = split_base(requested);
        own_base.eq_ignore_ascii_case(base)
            && (own_tail == tail
                || (own_base.contains("://") && matches!((own_tail, tail), ("", "/") | ("/", ""))))
    }
}

/// Splits behind `scheme://authority`, or behind `scheme:`.
fn split_base(uri: &str) -> (&str, &str) {
    let scheme_end = uri.find(':').map_or(0, |at| at + 1);
    let end = match uri[scheme_end..].strip_prefix("//") {
        Some(rest) => scheme_end + 2 + authority_len(rest),
        None => scheme_end,
    };
    uri.split_at(end)
}

fn authority_len(after_slashes: &str) -> usize {
    after_slashes.find(['/', '?', '#']).unwrap_or(after_slashes.len())
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Self, ResourceError> {
        Self::parse(text)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A grant says its resources again with each token, and the next grant that is read is often for the same one.
impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        thread_local!(static LAST: RefCell<Option<Resource>> = const { RefCell::new(None) });

        text::deserialize(deserializer, "an absolute URI", |text| {
            LAST.with_borrow_mut(|last| match last {
                Some(last) if *last.0 == *text => Ok(last.clone()),
                _ => Ok::<_, ResourceError>(last.insert(Self::parse(text)?).clone()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_changes_nothing() {
        let read = |text: &str| serde_json::from_value::<Resource>(text.into()).ok();
        let (a, b) = ("https://a.example", "https://b.example");
        for text in [a, b, a, "https://a.example#", a, "", a, "HTTPS://a.example", a] {
            assert_eq!(read(text), Resource::parse(text).ok(), "{text}");
        }
        assert!(Arc::ptr_eq(&read(a).unwrap().0, &read(a).unwrap().0));
    }

    #[test]
    fn keeps_the_text() {
        for text in [
            "https://api.example",
            "https://API.example:8443/v1?x=1",
            "urn:example:api",
            "api://a.b/c",
            "a:b",
        ] {
            assert_eq!(Resource::parse(text).unwrap().as_str(), text);
            assert!(Resource::parse(text).unwrap().accepts(text));
        }
    }

    #[test]
    fn refuses() {
        use ResourceError::*;
        let long = format!("https://api.example/{}", "a".repeat(MAX_RESOURCE_BYTES));
        for (text, why) in [
            ("", Relative),
            ("api.example", Relative),
            ("/v1", Relative),
            ("//api.example", Relative),
            ("1a:b", Relative),
            ("urn:", Relative),
            ("https:v1", Authority),
            ("https:///v1", Authority),
            ("https://u@api.example", Authority),
            ("https://api.example:0", Authority),
            ("https://api.example#", Fragment),
            ("https://api.example/#x", Fragment),
            ("https://api.example/ ", Character),
            ("https://api.example\\@evil.example", Character),
            ("https://аpi.example", Character),
            ("https://api.example/\0", Character),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(Resource::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn tolerates_case_and_one_slash() {
        let accepts = |own: &str, requested: &str| Resource::parse(own).unwrap().accepts(requested);
        assert!(accepts("https://api.example", "https://api.example/"));
        assert!(accepts("https://api.example/", "https://api.example"));
        assert!(accepts("https://api.example/v1", "HTTPS://API.example/v1"));
        assert!(accepts("https://API.example", "https://api.example/"));
        assert!(accepts("urn:example:api", "URN:example:api"));
        for (own, requested) in [
            ("https://api.example", "https://api.example//"),
            ("https://api.example/v1", "https://api.example/v1/"),
            ("https://api.example/v1", "https://api.example/V1"),
            ("https://api.example", "https://api.example?"),
            ("https://api.example", "https://api.example#"),
            ("https://api.example", "https://api.example/#"),
            ("https://api.example", "http://api.example"),
            ("https://api.example", "https://api.example:443"),
            ("https://api.example", "https://api.example.evil.example"),
            ("https://api.example", "https://u@api.example"),
            ("https://api.example/v1", "https://api.example"),
            ("urn:example:api", "urn:example:API"),
            ("a:/", "a:"),
            ("https://api.example", ""),
            ("https://api.example", "é:é"),
        ] {
            assert!(!accepts(own, requested), "{own} {requested}");
        }
    }

    #[test]
    fn deserialization_validates() {
        assert!(serde_json::from_str::<Resource>(r#""https://api.example""#).is_ok());
        assert!(serde_json::from_str::<Resource>(r#""https://api.example#x""#).is_err());
    }
}
