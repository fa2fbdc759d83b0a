//! Short bytes.

use std::fmt;

use crate::fixed_bytes::stored_as_bytes;
use crate::handle::IdContext;
use crate::secret::{Random, random_array};

/// The salt of a derivation: random, not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt([u8; 12]);

/// The hash of a redirect URI, byte for byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UriHash([u8; 16]);

impl Salt {
    /// Draws a new salt.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random_array(random))
    }

    /// A salt of bytes that are already random.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl UriHash {
    /// The hash of a URI.
    pub fn of(uri: &str) -> Self {
        static REDIRECT_URI: IdContext = IdContext::new("oauth-core v1 redirect uri");
        Self(REDIRECT_URI.id(&[uri.as_bytes()]))
    }
}

impl fmt::Debug for UriHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UriHash({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

stored_as_bytes!(Salt, UriHash);
