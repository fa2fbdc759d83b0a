//! Short bytes, stored as base64url.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

fn parse<const N: usize>(text: &str) -> Result<[u8; N], &'static str> {
    let mut bytes = [0; N];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(read) if read == N => Ok(bytes),
        _ => Err("another number of bytes, or not base64url without padding"),
    }
}

macro_rules! stored_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, "bytes in base64url", |text| parse(text).map(Self))
            }
        }
    )*};
}

stored_as_text!(Salt, UriHash);
