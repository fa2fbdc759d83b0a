//! Sixteen bytes, stored as base64url.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::handle::IdContext;
use crate::secret::{Random, random_array};

/// The salt of a derivation: random, not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt([u8; 16]);

/// The hash of a redirect URI, byte for byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UriHash([u8; 16]);

impl Salt {
    /// Draws a new salt.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random_array(random))
    }

    /// A salt of bytes that are already random.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
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

fn parse(text: &str) -> Result<[u8; 16], &'static str> {
    let mut bytes = [0; 16];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(16) => Ok(bytes),
        _ => Err("not 16 bytes in base64url without padding"),
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
                crate::text::deserialize(deserializer, "16 bytes in base64url", |text| parse(text).map(Self))
            }
        }
    )*};
}

stored_as_text!(Salt, UriHash);
