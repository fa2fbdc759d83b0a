//! Scopes: ordered sets of scope tokens (RFC 6749 §3.3, OAuth 2.1 §1.4.1).

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// The longest scope, in bytes.
pub const MAX_SCOPE_BYTES: usize = 4096;
/// The most tokens in one scope, repetitions included.
pub const MAX_SCOPE_TOKENS: usize = 100;

/// An ordered set of scope tokens, kept as one string: `a b c`, single spaces, no repetitions.
///
/// Cheap to clone. Every value is within [`MAX_SCOPE_BYTES`] and [`MAX_SCOPE_TOKENS`], so that set operations on
/// what a client sent stay bounded. `==` compares the text: `a b` differs from `b a`; use
/// [`is_subset_of`](Self::is_subset_of) both ways for equality of sets.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Scope(Arc<str>);

/// Why a string is not a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScopeError {
    /// A character outside `%x21 / %x23-5B / %x5D-7E`, or a space that does not separate two tokens.
    #[error("scope is malformed")]
    Syntax,
    /// More than [`MAX_SCOPE_BYTES`].
    #[error("scope is too long")]
    TooLong,
    /// More than [`MAX_SCOPE_TOKENS`].
    #[error("scope has too many tokens")]
    TooMany,
}

impl Scope {
    /// The scope without tokens. Does not allocate.
    pub fn empty() -> Self {
        Self(Arc::default())
    }

    /// Reads `token *( SP token )`; the empty string is the empty scope. Repeated tokens are dropped, the first stays.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] where the text is over a limit (checked before anything that is not linear) or malformed.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Ok(Self::empty());
        }
        if text.len() > MAX_SCOPE_BYTES {
            return Err(ScopeError::TooLong);
        }
        check_syntax(text.as_bytes())?;
        let mut tokens = Vec::new();
        let mut repeated = false;
        for token in text.split(' ') {
            if tokens.contains(&token) {
                repeated = true;
            } else {
                tokens.push(token);
            }
        }
        if repeated { Ok(Self::from_tokens(&tokens)) } else { Ok(Self(Arc::from(text))) }
    }

    /// As [`Scope::parse`]. The same text as that of a known scope is not parsed again, and shares its memory.
    pub(crate) fn parse_like(text: &str, known: &Self) -> Result<Self, ScopeError> {
        if *known.0 == *text { Ok(known.clone()) } else { Self::parse(text) }
    }

    /// The wire form: tokens separated by single spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|token| !token.is_empty())
    }

    /// Whether `token` is a member. Never a substring match.
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|own| own == token)
    }

    /// Whether every token is in `other`.
    pub fn is_subset_of(&self, other: &Scope) -> bool {
        self.0 == other.0 || self.iter().all(|token| other.contains(token))
    }

    /// The tokens that are in both, in the order of `self`.
    pub fn intersection(&self, other: &Scope) -> Scope {
        self.retain(|token| other.contains(token))
    }

    /// The tokens that are not in `other`, in the order of `self`.
    pub fn difference(&self, other: &Scope) -> Scope {
        self.retain(|token| !other.contains(token))
    }

    /// The tokens of `self`, then those of `other`.
    ///
    /// What would exceed the limits of a scope is left out: the result may allow less than both together, never more.
    pub fn union(&self, other: &Scope) -> Scope {
        if other.is_subset_of(self) {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        let mut text = String::with_capacity(self.0.len() + 1 + other.0.len());
        text.push_str(&self.0);
        let room = MAX_SCOPE_TOKENS - self.len();
        for token in other.iter().filter(|token| !self.contains(token)).take(room) {
            if text.len() + 1 + token.len() > MAX_SCOPE_BYTES {
                break;
            }
            text.push(' ');
            text.push_str(token);
        }
        Scope(Arc::from(text))
    }

    fn retain(&self, keep: impl Fn(&str) -> bool) -> Scope {
        if self.iter().all(&keep) {
            return self.clone();
        }
        let kept: Vec<&str> = self.iter().filter(|token| keep(token)).collect();
        Self::from_tokens(&kept)
    }

    fn from_tokens(tokens: &[&str]) -> Scope {
        if tokens.is_empty() { Self::empty() } else { Self(Arc::from(tokens.join(" "))) }
    }
}

/// One linear pass: the characters, the spaces and the number of tokens.
fn check_syntax(text: &[u8]) -> Result<(), ScopeError> {
    let mut tokens = 1;
    let mut previous = b' ';
    for &byte in text {
        match byte {
            b' ' if previous == b' ' => return Err(ScopeError::Syntax),
            b' ' => tokens += 1,
            0x21 | 0x23..=0x5B | 0x5D..=0x7E => {}
            _ => return Err(ScopeError::Syntax),
        }
        previous = byte;
    }
    if previous == b' ' {
        return Err(ScopeError::Syntax);
    }
    if tokens > MAX_SCOPE_TOKENS { Err(ScopeError::TooMany) } else { Ok(()) }
}

impl Default for Scope {
    fn default() -> Self {
        Self::empty()
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A grant says its scope again with each token, and the next grant that is read is often of the same scope.
impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        thread_local!(static LAST: RefCell<Scope> = RefCell::new(Scope::empty()));

        text::deserialize(deserializer, "a scope string", |text| {
            if text.is_empty() {
                return Ok(Self::empty());
            }
            LAST.with_borrow_mut(|last| {
                *last = Self::parse_like(text, last)?;
                Ok::<_, ScopeError>(last.clone())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn parses_and_drops_repetitions() {
        assert_eq!(scope("read write").as_str(), "read write");
        assert_eq!(scope("a b a c b").as_str(), "a b c");
        assert_eq!(scope("a b a c b").len(), 3);
        assert!(scope("").is_empty());
        assert_eq!(scope("").iter().count(), 0);
        assert_eq!(Scope::empty().len(), 0);
    }

    #[test]
    fn what_was_read_before_changes_nothing() {
        let read = |text: &str| serde_json::from_value::<Scope>(text.into()).ok();
        for text in ["a b", "c", "a b", "", "a b", "a b a", "a  b", "a b", "é", "a b"] {
            assert_eq!(read(text), Scope::parse(text).ok(), "{text}");
        }
        assert!(Arc::ptr_eq(&read("a b").unwrap().0, &read("a b").unwrap().0));
    }

    #[test]
    fn rp_30_scope_syntax() {
        for bad in ["a\"b", "a\\b", "é", "  a", " a", "a ", "a  b", " ", "a\tb", "a\nb", "a\0", "a\u{7f}"] {
            assert_eq!(Scope::parse(bad), Err(ScopeError::Syntax), "{bad:?}");
        }
        assert!(Scope::parse("!#[]~ https://a.example/x:y").is_ok());
    }

    #[test]
    fn rp_18_limits_come_first() {
        let many = (0..5000).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(Scope::parse(&many), Err(ScopeError::TooLong));
        assert_eq!(Scope::parse("a ".repeat(101).trim_end()), Err(ScopeError::TooMany));
        assert_eq!(scope("a ".repeat(100).trim_end()).as_str(), "a");
        assert_eq!(Scope::parse(&"a".repeat(MAX_SCOPE_BYTES + 1)), Err(ScopeError::TooLong));
        assert!(Scope::parse(&"a".repeat(MAX_SCOPE_BYTES)).is_ok());
    }

    #[test]
    fn rp_31_membership_is_not_substring() {
        let held = scope("admin-readonly xadmin");
        assert!(!held.contains("admin"));
        assert!(held.contains("xadmin"));
        assert!(!held.contains(""));
        assert!(!held.contains("admin-readonly xadmin"));
        assert!(!Scope::empty().contains(""));
    }

    #[test]
    fn set_operations() {
        let (ab, bc) = (scope("a b"), scope("b c"));
        assert_eq!(ab.intersection(&bc).as_str(), "b");
        assert_eq!(ab.difference(&bc).as_str(), "a");
        assert_eq!(ab.union(&bc).as_str(), "a b c");
        assert_eq!(ab.union(&Scope::empty()), ab);
        assert_eq!(Scope::empty().union(&ab), ab);
        assert_eq!(ab.difference(&ab), Scope::empty());
        assert_eq!(ab.intersection(&Scope::empty()), Scope::empty());
        assert!(scope("b a").is_subset_of(&ab));
        assert!(!bc.is_subset_of(&ab));
        assert!(Scope::empty().is_subset_of(&Scope::empty()));
        assert!(!ab.is_subset_of(&Scope::empty()));
    }

    #[test]
    fn a_union_stays_within_the_limits() {
        let tokens = |prefix| (0..80).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(" ");
        let union = scope(&tokens("a")).union(&scope(&tokens("b")));
        assert_eq!(union.len(), MAX_SCOPE_TOKENS);
        assert_eq!(Scope::parse(union.as_str()), Ok(union));
        let long = scope(&"a".repeat(4000)).union(&scope(&"b".repeat(96)));
        assert_eq!(long.as_str().len(), 4000);
    }

    #[test]
    fn deserialization_validates() {
        assert_eq!(serde_json::from_str::<Scope>(r#""a b a""#).unwrap().as_str(), "a b");
        assert!(serde_json::from_str::<Scope>(r#"" a""#).is_err());
        assert!(serde_json::from_str::<Scope>(r#"["a"]"#).is_err());
        assert_eq!(serde_json::to_string(&scope("a b")).unwrap(), r#""a b""#);
    }
}
