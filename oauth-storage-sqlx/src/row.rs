//! From columns to records.

use std::error::Error as StdError;
use std::sync::Arc;

use oauth_core::clock::Timestamp;
use oauth_core::storage::{Key, Namespace, Record, StoreError, StoreResult, Version};

/// Stored values that no release of this crate writes.
#[derive(Debug, thiserror::Error)]
enum BadRow {
    #[cfg(feature = "sqlite")]
    #[error("{0} bytes where an id or a version has 16")]
    Length(usize),
    #[error("no namespace has the number {0}")]
    Namespace(i16),
}

pub(crate) fn corrupt(error: impl Into<Box<dyn StdError + Send + Sync>>) -> StoreError {
    StoreError::Corrupt(error.into())
}

#[cfg(feature = "sqlite")]
pub(crate) fn sixteen(bytes: &[u8]) -> StoreResult<[u8; 16]> {
    bytes.try_into().map_err(|_| corrupt(BadRow::Length(bytes.len())))
}

pub(crate) fn key(namespace: i16, id: [u8; 16]) -> StoreResult<Key> {
    let known = u8::try_from(namespace).ok().and_then(Namespace::from_u8);
    Ok(Key::new(known.ok_or_else(|| corrupt(BadRow::Namespace(namespace)))?, id))
}

pub(crate) fn record(
    key: Key,
    version: [u8; 16],
    retain_until: i64,
    body: &[u8],
) -> StoreResult<Arc<Record>> {
    let (version, retain_until) = (Version::from_bytes(version), Timestamp::from_millis(retain_until));
    Ok(Arc::new(Record::decode(key, version, retain_until, body)?))
}
