//! The kinds of handle, and the prefix that each shows.

use std::borrow::Cow;

/// What a handle is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An authorization code (RFC 6749 §1.3.1).
    Code,
    /// An opaque access token (RFC 6749 §1.4).
    Access,
    /// A refresh token (RFC 6749 §1.5).
    Refresh,
    /// A device code (RFC 8628 §3.2).
    Device,
    /// A registration access token (RFC 7592 §3).
    Registration,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Code, Self::Access, Self::Refresh, Self::Device, Self::Registration];

    /// Goes into the tag of every handle, and into the digest that is stored: numbers are never reused.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Code => 1,
            Self::Access => 2,
            Self::Refresh => 3,
            Self::Device => 4,
            Self::Registration => 5,
        }
    }
}

/// The readable start of each kind of handle, so that secret scanners and people recognise a leaked one.
///
/// By default `oac`, `oat`, `ort`, `odc` and `ora`. The prefix is not authenticated by itself; the kind is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes {
    code: Cow<'static, str>,
    access: Cow<'static, str>,
    refresh: Cow<'static, str>,
    device: Cow<'static, str>,
    registration: Cow<'static, str>,
}

/// Why a prefix was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// It is not 2 to 16 characters of `a-z` and `0-9`.
    #[error("a handle prefix is 2 to 16 characters of a-z and 0-9")]
    Characters,
    /// Another kind has it already.
    #[error("two kinds of handle cannot share a prefix")]
    Shared,
}

impl Prefixes {
    /// The longest prefix, in bytes.
    pub const MAX_LEN: usize = 16;

    /// A prefix for each kind; those of device codes and registration access tokens are `odc` and `ora` unless
    /// [`Prefixes::with`] says otherwise.
    ///
    /// # Errors
    /// If one is not 2 to 16 characters of `a-z` and `0-9`, or two are the same.
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        access: impl Into<Cow<'static, str>>,
        refresh: impl Into<Cow<'static, str>>,
    ) -> Result<Self, PrefixError> {
        Self { code: code.into(), access: access.into(), refresh: refresh.into(), ..Self::default() }.check()
    }

    /// Replaces the prefix of one kind.
    ///
    /// # Errors
    /// As for [`Prefixes::new`].
    pub fn with(mut self, kind: Kind, prefix: impl Into<Cow<'static, str>>) -> Result<Self, PrefixError> {
        match kind {
            Kind::Code => self.code = prefix.into(),
            Kind::Access => self.access = prefix.into(),
            Kind::Refresh => self.refresh = prefix.into(),
            Kind::Device => self.device = prefix.into(),
            Kind::Registration => self.registration = prefix.into(),
        }
        self.check()
    }

    /// The prefix of a kind, without the underscore that follows it in a handle.
    pub fn get(&self, kind: Kind) -> &str {
        match kind {
            Kind::Code => &self.code,
            Kind::Access => &self.access,
            Kind::Refresh => &self.refresh,
            Kind::Device => &self.device,
            Kind::Registration => &self.registration,
        }
    }

    /// The kind that has exactly this prefix.
    pub fn kind_of(&self, prefix: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| self.get(*kind) == prefix)
    }

    fn check(self) -> Result<Self, PrefixError> {
        let valid = |prefix: &str| {
            (2..=Self::MAX_LEN).contains(&prefix.len())
                && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !Kind::ALL.iter().all(|kind| valid(self.get(*kind))) {
            return Err(PrefixError::Characters);
        }
        // Each prefix finds its own kind exactly if none is shared.
        if !Kind::ALL.iter().all(|kind| self.kind_of(self.get(*kind)) == Some(*kind)) {
            return Err(PrefixError::Shared);
        }
        Ok(self)
    }
}

impl Default for Prefixes {
    fn default() -> Self {
        let [code, access, refresh, device, registration] =
            ["oac", "oat", "ort", "odc", "ora"].map(Cow::Borrowed);
        Self { code, access, refresh, device, registration }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_short_plain_and_distinct() {
        let prefixes = Prefixes::default().with(Kind::Code, "acme0code").unwrap();
        assert_eq!(prefixes.kind_of("acme0code"), Some(Kind::Code));
        assert_eq!(prefixes.kind_of("oac"), None);
        assert_eq!(prefixes.kind_of("ort"), Some(Kind::Refresh));
        for wrong in ["", "a", "abcdefghijklmnopq", "ab_c", "AB", "a-b", "é1", "a b"] {
            assert_eq!(Prefixes::default().with(Kind::Access, wrong), Err(PrefixError::Characters));
        }
        assert_eq!(Prefixes::default().with(Kind::Access, "ort"), Err(PrefixError::Shared));
        assert_eq!(Prefixes::new("aa", "bb", "aa"), Err(PrefixError::Shared));
    }
}
