//! Headers that are known to be good: nearly all tokens of a key have the same one, to the letter.

use std::sync::OnceLock;

/// The longest header that is kept, in characters of base64url: a few thousand keys of strangers stay small.
const MAX_HEADER: usize = 512;

/// The header of the first token of a key that was good, if there was one.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsualHeader(OnceLock<Header>);

#[derive(Clone, Debug)]
struct Header {
    /// As it was sent. base64url has one spelling for the same bytes.
    encoded: Box<[u8]>,
    typ: Option<Box<str>>,
}

impl UsualHeader {
    /// Whether it is `encoded`.
    pub(crate) fn is(&self, encoded: &[u8]) -> bool {
        self.0.get().is_some_and(|header| *header.encoded == *encoded)
    }

    /// The `typ` of it.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.0.get()?.typ.as_deref()
    }

    /// Keeps the header of a token whose signature is valid, if it is the first.
    pub(crate) fn keep(&self, encoded: &[u8], typ: Option<&str>) {
        if encoded.len() <= MAX_HEADER {
            self.0.get_or_init(|| Header { encoded: encoded.into(), typ: typ.map(Into::into) });
        }
    }
}
