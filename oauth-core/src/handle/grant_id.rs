//! The id of a grant.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::clock::Timestamp;
use crate::fixed_bytes;
use crate::secret::{Random, random_array};

/// 128 bits that name a grant: the storage key of its record, part of every handle of it.
///
/// Not a secret. Printed and serialized as a hyphenated lower-case UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// A UUIDv7 (RFC 9562 §5.7): ids sort by creation, which keeps inserts cheap on engines with sorted keys.
    ///
    /// Whoever sees a handle can read from it when its grant began; [`GrantId::new_random`] shows nothing.
    pub fn new_v7(now: Timestamp, random: &dyn Random) -> Self {
        Self::v7(now, random_array(random))
    }

    pub(crate) fn v7(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes())
    }

    /// A UUIDv4 (RFC 9562 §5.4): 122 random bits.
    pub fn new_random(random: &dyn Random) -> Self {
        Self::v4(random_array(random))
    }

    pub(crate) fn v4(random: [u8; 16]) -> Self {
        Self(Builder::from_random_bytes(random).into_uuid().into_bytes())
    }

    /// The id's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// An id of any 16 bytes, such as a stored or a derived one.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(Uuid::from_bytes_ref(&self.0).as_hyphenated(), f)
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a hyphenated lower-case UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a grant id")]
pub struct ParseGrantIdError;

impl FromStr for GrantId {
    type Err = ParseGrantIdError;
    fn from_str(text: &str) -> Result<Self, ParseGrantIdError> {
        let id = Uuid::try_parse(text).map_err(|_| ParseGrantIdError)?;
        let canonical = *id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text;
        if canonical { Ok(Self(id.into_bytes())) } else { Err(ParseGrantIdError) }
    }
}

impl Serialize for GrantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        fixed_bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for GrantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        fixed_bytes::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SeededRandom;

    #[test]
    fn v7_sorts_by_time_and_says_its_version() {
        let random = SeededRandom::new(1);
        let early = GrantId::new_v7(Timestamp::from_millis(1_700_000_000_000), &random);
        let late = GrantId::new_v7(Timestamp::from_millis(1_700_000_000_001), &random);
        assert!(early < late);
        assert_eq!(Uuid::from_bytes(*early.as_bytes()).get_version_num(), 7);
        assert_eq!(Uuid::from_bytes(*GrantId::new_random(&random).as_bytes()).get_version_num(), 4);
        GrantId::new_v7(Timestamp::from_millis(i64::MIN), &random);
        GrantId::new_v7(Timestamp::MAX, &random);
    }

    #[test]
    fn text_is_canonical() {
        let id = GrantId::from_bytes([0xAB; 16]);
        let text = "abababab-abab-abab-abab-abababababab";
        assert_eq!((id.to_string().as_str(), text.parse()), (text, Ok(id)));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<GrantId>(&format!("\"{text}\"")).unwrap(), id);
        for other in [&text.to_uppercase(), &text.replace('-', ""), &format!("{{{text}}}"), ""] {
            assert_eq!(other.parse::<GrantId>(), Err(ParseGrantIdError));
        }
    }
}
