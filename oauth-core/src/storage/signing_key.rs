//! A key that signs tokens, as it is stored.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::handle::KeyId;

/// One key that signs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredSigningKey {
    /// Its id, as tokens and the key set show it.
    pub kid: Arc<str>,
    /// Its algorithm, as `alg` says it.
    pub algorithm: Arc<str>,
    /// From when on it signs, until the next key does.
    pub signs_from: Timestamp,
    /// The private key.
    pub key: SigningMaterial,
}

/// A private key in PKCS#8 as it is stored: wrapped by a key that the store does not have, or plain.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SigningMaterial(Material);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Material {
    Plain(Bytes),
    Wrapped { by: KeyId, sealed: Bytes },
}

/// Overwritten when dropped, wrapped or not.
#[derive(Clone, PartialEq)]
struct Bytes(Zeroizing<Vec<u8>>);

impl SigningMaterial {
    /// A key that whoever reads the store can read.
    pub fn plain(pkcs8: Zeroizing<Vec<u8>>) -> Self {
        Self(Material::Plain(Bytes(pkcs8)))
    }

    /// A key that another one has encrypted.
    pub fn wrapped(by: KeyId, sealed: Vec<u8>) -> Self {
        Self(Material::Wrapped { by, sealed: Bytes(Zeroizing::new(sealed)) })
    }

    /// The key that wrapped it; `None` for a plain one.
    pub fn wrapped_by(&self) -> Option<KeyId> {
        match &self.0 {
            Material::Plain(_) => None,
            Material::Wrapped { by, .. } => Some(*by),
        }
    }

    /// The bytes as they are stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Material::Plain(bytes) | Material::Wrapped { sealed: bytes, .. } => &bytes.0,
        }
    }
}

/// Shows the form, not the bytes.
impl fmt::Debug for SigningMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wrapped_by() {
            None => f.write_str("Plain(..)"),
            Some(by) => write!(f, "Wrapped(by {by})"),
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(&*self.0)));
        }
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(BytesVisitor)
        } else {
            deserializer.deserialize_bytes(BytesVisitor)
        }
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes, in text as base64url without padding")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(Zeroizing::new(bytes.to_vec())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| E::custom("not base64url"))?;
        Ok(Bytes(Zeroizing::new(bytes)))
    }
}
