//! The handle keys of a deployment.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fixed_bytes;
use crate::secret::{Random, random_array};
use crate::wiped::Wiped;

/// Names a key of the ring; derived from the key, shown in every handle, not a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// The id's bytes.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// An id that was read from a handle or a record; whether the ring has it is another question.
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    fn of(key: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = blake3::derive_key("oauth-core 2025 handle key id", key);
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 8 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key id")]
pub struct ParseKeyIdError;

impl FromStr for KeyId {
    type Err = ParseKeyIdError;
    fn from_str(text: &str) -> Result<Self, ParseKeyIdError> {
        let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 8 || !text.bytes().all(digits) {
            return Err(ParseKeyIdError);
        }
        u32::from_str_radix(text, 16).map(|id| Self(id.to_be_bytes())).map_err(|_| ParseKeyIdError)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        fixed_bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        fixed_bytes::deserialize(deserializer).map(Self)
    }
}

#[derive(Clone)]
pub(super) struct RingKey {
    pub(super) id: KeyId,
    pub(super) bytes: Wiped<32>,
}

impl RingKey {
    fn new(key: [u8; 32]) -> Self {
        Self { id: KeyId::of(&key), bytes: Wiped::new(key) }
    }
}

/// The keys that tag handles and seal what travels through the browser: the first mints, all verify.
///
/// Replicas share one ring. To rotate, put the new key first on every replica that verifies before any mints with it;
/// drop the old one when nothing that it tagged is still to be retried. A key that is lost costs no session: handles
/// of an unknown key are still checked against the digest in their record.
///
/// # Security
/// A key is 32 random bytes, kept out of the database: neither the keys nor the database alone make a working token.
#[derive(Clone)]
pub struct KeyRing {
    current: RingKey,
    previous: Vec<RingKey>,
}

/// Why a ring was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// There is no key to mint with.
    #[error("a key ring needs at least one key")]
    Empty,
    /// Two keys are the same, or have the same id.
    #[error("two keys of the ring have the same id")]
    Duplicate,
}

impl KeyRing {
    /// A ring of one key.
    pub fn new(current: [u8; 32]) -> Self {
        Self { current: RingKey::new(current), previous: Vec::new() }
    }

    /// A ring of one fresh key: after a restart with another, a lost answer cannot be repeated and nothing sealed opens.
    pub fn generate(random: &dyn Random) -> Self {
        Self::new(random_array(random))
    }

    /// Several keys, the current one first.
    ///
    /// # Errors
    /// If there is none, or one comes twice.
    pub fn from_keys(keys: impl IntoIterator<Item = [u8; 32]>) -> Result<Self, KeyRingError> {
        let mut keys = keys.into_iter();
        let mut ring = Self::new(keys.next().ok_or(KeyRingError::Empty)?);
        for key in keys {
            let key = RingKey::new(key);
            if ring.key_ids().any(|id| id == key.id) {
                return Err(KeyRingError::Duplicate);
            }
            ring.previous.push(key);
        }
        Ok(ring)
    }

    /// Adds a key that verifies and no longer mints. A key that is there already changes nothing.
    pub fn with_previous(mut self, previous: [u8; 32]) -> Self {
        let key = RingKey::new(previous);
        if self.key_ids().all(|id| id != key.id) {
            self.previous.push(key);
        }
        self
    }

    /// The ids of the keys, the current one first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        std::iter::once(&self.current).chain(&self.previous).map(|key| key.id)
    }

    pub(super) fn current(&self) -> &RingKey {
        &self.current
    }

    pub(super) fn previous(&self) -> &[RingKey] {
        &self.previous
    }
}

impl TryFrom<Vec<[u8; 32]>> for KeyRing {
    type Error = KeyRingError;
    fn try_from(keys: Vec<[u8; 32]>) -> Result<Self, KeyRingError> {
        Self::from_keys(keys)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing")?;
        f.debug_list().entries(self.key_ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_a_current_key_and_no_key_twice() {
        let ring = KeyRing::new([1; 32]).with_previous([2; 32]).with_previous([1; 32]);
        let ids: Vec<_> = ring.key_ids().collect();
        assert_eq!(ids, [KeyId::of(&[1; 32]), KeyId::of(&[2; 32])]);
        assert_eq!(KeyRing::from_keys([]).unwrap_err(), KeyRingError::Empty);
        assert_eq!(KeyRing::from_keys([[1; 32], [1; 32]]).unwrap_err(), KeyRingError::Duplicate);
        assert_eq!(KeyRing::try_from(vec![[1; 32], [2; 32]]).unwrap().key_ids().count(), 2);
    }

    #[test]
    fn key_id_text_is_canonical() {
        let id = KeyId::from_bytes([0, 0xAB, 1, 2]);
        assert_eq!((id.to_string().as_str(), "00ab0102".parse()), ("00ab0102", Ok(id)));
        for wrong in ["", "00AB0102", "+0ab0102", "0ab0102", "000ab0102"] {
            assert_eq!(wrong.parse::<KeyId>(), Err(ParseKeyIdError));
        }
    }
}
