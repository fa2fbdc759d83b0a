//! What all replicas of an issuer share: its handle keys, and the fence around everything that it issued.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::fixed_bytes::stored_as_bytes;
use crate::handle::{KeyId, WRAPPED_LEN};
use crate::secret::Secret32;
use crate::storage::StoredSigningKey;

/// The keys of an issuer, and its fence: one record, so that one load shows a replica both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// Whose they are.
    pub issuer: Arc<str>,
    /// The handle keys, in the order in which they mint; none where the host gives its ring itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ring: Vec<StoredKey>,
    /// The keys that sign, in the order in which they do; none where the host gives them itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing: Vec<StoredSigningKey>,
    /// Nothing that was issued at or before this time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// One handle key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredKey {
    /// Its id, as handles show it.
    pub id: KeyId,
    /// From when on handles are minted with it, until the next key does.
    pub mints_from: Timestamp,
    /// The key.
    pub key: KeyMaterial,
}

/// The bytes of a key as they are stored: wrapped by a key that the store does not have, or plain.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyMaterial(Material);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Material {
    Plain(Plain),
    Wrapped { by: KeyId, sealed: Sealed },
}

#[derive(Clone)]
struct Plain(Secret32);

#[derive(Clone, PartialEq)]
struct Sealed([u8; WRAPPED_LEN]);

stored_as_bytes!(Sealed);

impl KeyMaterial {
    /// A key that whoever reads the store can read.
    pub fn plain(key: [u8; 32]) -> Self {
        Self(Material::Plain(Plain(Secret32::new(key))))
    }

    /// A key that another one has encrypted.
    pub fn wrapped(by: KeyId, sealed: [u8; WRAPPED_LEN]) -> Self {
        Self(Material::Wrapped { by, sealed: Sealed(sealed) })
    }

    /// The key that wrapped it; `None` for a plain one.
    pub fn wrapped_by(&self) -> Option<KeyId> {
        self.as_wrapped().map(|(by, _)| by)
    }

    /// The key, where it is plain.
    pub(crate) fn as_plain(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Material::Plain(key) => Some(key.0.expose()),
            Material::Wrapped { .. } => None,
        }
    }

    /// The key that wrapped it, and the key as that encrypted it.
    pub(crate) fn as_wrapped(&self) -> Option<(KeyId, &[u8; WRAPPED_LEN])> {
        match &self.0 {
            Material::Plain(_) => None,
            Material::Wrapped { by, sealed } => Some((*by, &sealed.0)),
        }
    }
}

impl PartialEq for Plain {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }
}

impl Serialize for Plain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::fixed_bytes::serialize(self.0.expose(), serializer)
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Secret32::new(crate::fixed_bytes::deserialize(deserializer)?)))
    }
}

/// Shows the form, not the bytes.
impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wrapped_by() {
            None => f.write_str("Plain(..)"),
            Some(by) => write!(f, "Wrapped(by {by})"),
        }
    }
}
