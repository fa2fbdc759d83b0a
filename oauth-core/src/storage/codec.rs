//! The stored format, for engines that hold bytes.
//!
//! One byte of format version, then the body in MessagePack. Its members have names, of one letter where there are many
//! records, so that later versions can add some: what a release does not know it skips. A golden file in the tests guards
//! the format, and any MessagePack tool shows it (`dd skip=1`); engines with columns keep beside it what operators ask for.

use rmp_serde::decode::ReadRefReader;
use serde::{Deserialize as _, Serialize as _};

use super::{Body, Key, Record, Version};
use crate::clock::Timestamp;

/// The version of the format that [`Record::encode`] writes.
pub const FORMAT: u8 = 1;

/// Stored bytes that are not a record of a known format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Nothing was stored.
    #[error("the stored record is empty")]
    Empty,
    /// Written by a later release.
    #[error("the stored record has format {0}, this release reads up to {FORMAT}")]
    Format(u8),
    /// Not what this format looks like.
    #[error("the stored record does not parse")]
    Syntax(#[source] rmp_serde::decode::Error),
    /// Something follows the body.
    #[error("the stored record goes on after its end")]
    Trailing,
    /// The body is of another kind than its key says.
    #[error("the stored record is of another kind than its key")]
    Kind,
}

/// A grant with a token of each kind takes about 650.
const USUAL_BYTES: usize = 1000;

impl Record {
    /// The bytes of the body. Key, version and `retain_until` are for the engine to keep beside it.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        bytes.push(FORMAT);
        let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
        self.body.serialize(&mut serializer).expect("writing to memory does not fail");
        bytes
    }

    /// Reads what [`Record::encode`] wrote.
    ///
    /// # Errors
    ///
    /// When the bytes are not a record of a known format, or not of the kind that the key says.
    pub fn decode(
        key: Key,
        version: Version,
        retain_until: Timestamp,
        bytes: &[u8],
    ) -> Result<Self, DecodeError> {
        let (format, body) = bytes.split_first().ok_or(DecodeError::Empty)?;
        if *format != FORMAT {
            return Err(DecodeError::Format(*format));
        }
        let mut reader = rmp_serde::Deserializer::from_read_ref(body);
        let body = Body::deserialize(&mut reader).map_err(DecodeError::Syntax)?;
        if !is_at_its_end(&mut reader) {
            return Err(DecodeError::Trailing);
        }
        if body.namespace() != key.namespace() {
            return Err(DecodeError::Kind);
        }
        Ok(Self { key, version, retain_until, body })
    }
}

/// Whether nothing is left: asking for a unit fails at the marker only where there is none.
fn is_at_its_end(reader: &mut rmp_serde::Deserializer<ReadRefReader<'_, [u8]>>) -> bool {
    matches!(<()>::deserialize(reader), Err(rmp_serde::decode::Error::InvalidMarkerRead(_)))
}
