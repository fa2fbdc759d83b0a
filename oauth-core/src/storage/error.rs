//! How a backend fails.

use std::error::Error as StdError;

/// The result of a store's method.
pub type StoreResult<T> = Result<T, StoreError>;

/// A failure of the storage engine. Never absence, never a lost race: those are answers, not errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operation did not happen: no connection, a refused statement, a pool without a free slot.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The write may or may not have happened: the connection was lost or timed out before the acknowledgement.
    #[error("the outcome of the write is not known")]
    Unknown(#[source] Box<dyn StdError + Send + Sync>),
    /// The stored bytes are not a record.
    #[error("a stored record cannot be read")]
    Corrupt(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// The operation did not happen.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Whether the operation happened is not known.
    pub fn unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unknown(source.into())
    }
}

impl From<super::DecodeError> for StoreError {
    fn from(error: super::DecodeError) -> Self {
        Self::Corrupt(Box::new(error))
    }
}
