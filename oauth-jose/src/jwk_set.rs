//! A set of public keys (RFC 7517 §5).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Jwk;
use crate::strict_json::Strict;

/// The longest text of a set that is read, in bytes.
pub const MAX_SET: usize = 64 * 1024;
/// The most keys of a set that is read, those that are skipped included.
pub const MAX_KEYS: usize = 100;

/// A set of public keys.
///
/// Reading is tolerant where RFC 7517 §5 says so: keys of other kinds, uses and algorithms are skipped, and so are private
/// ones, which cannot be trusted any more. It is strict elsewhere: too large, too many, repeated members, two different keys of
/// one `kid` and algorithm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    skipped: usize,
}

/// Why a set is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkSetError {
    /// Not a JWK Set.
    #[error("not a well-formed JWK Set")]
    Malformed,
    /// Longer than [`MAX_SET`] or with more than [`MAX_KEYS`] keys.
    #[error("too many keys")]
    TooLarge,
    /// Two different keys of one `kid` and algorithm.
    #[error("two keys of the same kid")]
    DuplicateKid,
}

impl JwkSet {
    /// A set of these keys.
    ///
    /// # Errors
    ///
    /// [`JwkSetError::DuplicateKid`] if two of them could not be told apart, [`JwkSetError::TooLarge`] for more than
    /// [`MAX_KEYS`].
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, JwkSetError> {
        let mut set = Self::default();
        for key in keys {
            set.add(key)?;
        }
        Ok(set)
    }

    /// Reads a set.
    ///
    /// # Errors
    ///
    /// A [`JwkSetError`].
    pub fn parse(json: &[u8]) -> Result<Self, JwkSetError> {
        if json.len() > MAX_SET {
            return Err(JwkSetError::TooLarge);
        }
        let Raw(values) = serde_json::from_slice(json).map_err(|_| JwkSetError::Malformed)?;
        Self::from_values(values)
    }

    fn from_values(values: Vec<Strict>) -> Result<Self, JwkSetError> {
        let mut set = Self::default();
        for value in values {
            match Jwk::from_value(value) {
                Ok(key) => set.add(key)?,
                Err(_) => set.skipped += 1,
            }
        }
        Ok(set)
    }

    fn add(&mut self, key: Jwk) -> Result<(), JwkSetError> {
        let same_name = |other: &&Jwk| {
            key.kid().is_some() && other.kid() == key.kid() && other.algorithm() == key.algorithm()
        };
        match self.keys.iter().find(same_name) {
            Some(other) if *other == key => Ok(()),
            Some(_) => Err(JwkSetError::DuplicateKid),
            None if self.keys.len() == MAX_KEYS => Err(JwkSetError::TooLarge),
            None => {
                self.keys.push(key);
                Ok(())
            }
        }
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// How many keys were skipped when the set was read.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

/// The members of `keys`, not read yet.
struct Raw(Vec<Strict>);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWK Set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut keys = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != "keys" {
                map.next_value::<IgnoredAny>()?;
            } else if keys.is_some() {
                return Err(A::Error::duplicate_field("keys"));
            } else {
                let Few(values) = map.next_value()?;
                keys = Some(values);
            }
        }
        keys.map(Raw).ok_or_else(|| A::Error::missing_field("keys"))
    }
}

/// At most [`MAX_KEYS`] values.
struct Few(Vec<Strict>);

impl<'de> Deserialize<'de> for Few {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FewVisitor;

        impl<'de> Visitor<'de> for FewVisitor {
            type Value = Few;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an array of at most {MAX_KEYS} keys")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Few, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    if values.len() == MAX_KEYS {
                        return Err(A::Error::custom(JwkSetError::TooLarge));
                    }
                    values.push(value);
                }
                Ok(Few(values))
            }
        }

        deserializer.deserialize_seq(FewVisitor)
    }
}

impl Serialize for JwkSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("keys", &self.keys)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw(values) = Raw::deserialize(deserializer)?;
        Self::from_values(values).map_err(D::Error::custom)
    }
}
