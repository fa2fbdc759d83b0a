//! Values of a fixed number of bytes, as they are stored: raw in a binary format, base64url in a readable one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Writes the bytes.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes));
    }
    serializer.serialize_bytes(bytes)
}

/// Reads exactly as many bytes.
pub(crate) fn deserialize<'de, D, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error>
where
    D: Deserializer<'de>,
{
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Fixed)
    } else {
        deserializer.deserialize_bytes(Fixed)
    }
}

struct Fixed<const N: usize>;

impl<const N: usize> Visitor<'_> for Fixed<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes, in text as base64url without padding")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
        let mut bytes = [0; N];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(read) if read == N => Ok(bytes),
            _ => Err(E::invalid_value(serde::de::Unexpected::Other("other text"), &self)),
        }
    }
}

/// `Serialize` and `Deserialize` for a newtype of an array of bytes.
macro_rules! stored_as_bytes {
    ($($name:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::fixed_bytes::serialize(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::fixed_bytes::deserialize(deserializer).map(Self)
            }
        }
    )*};
}

pub(crate) use stored_as_bytes;
