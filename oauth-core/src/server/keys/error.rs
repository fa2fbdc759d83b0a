//! Why a server does not start, or its keys do not rotate.

use std::sync::Arc;

use crate::error::Error;
use crate::handle::KeyId;
use crate::server::BuildError;

/// What is wrong with the keys in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The store cannot be reached, or fails.
    #[error("the keys cannot be read from the store: {}", .0.reason())]
    Store(Error),
    /// They are wrapped, and this process has no wrapping key.
    #[error(
        "the stored handle key {key} is wrapped by key {by}, and this process was given none; give it that key with \
         StoredKeys::wrapped_by, or, if it is lost for good, call StoredKeys::replace_unreadable"
    )]
    Wrapped {
        /// The handle key.
        key: KeyId,
        /// The key that wrapped it.
        by: KeyId,
    },
    /// They are wrapped by another key.
    #[error(
        "the stored handle key {key} is wrapped by key {by}, and this process was given {given}; give it also that key \
         with StoredKeys::also_unwrapped_by, or, if it is lost for good, call StoredKeys::replace_unreadable"
    )]
    OtherWrappingKey {
        /// The handle key.
        key: KeyId,
        /// The key that wrapped it.
        by: KeyId,
        /// The wrapping key of this process.
        given: KeyId,
    },
    /// The stored bytes are not the key that was stored.
    #[error("the stored handle key {key} is damaged; restore it, or call StoredKeys::replace_unreadable")]
    Damaged {
        /// The handle key.
        key: KeyId,
    },
    /// A stored key that signs cannot be used.
    #[error(
        "the stored signing key {kid} {why}; restore it or give its wrapping key, or call StoredKeys::replace_unreadable"
    )]
    Signing {
        /// Its id.
        kid: Arc<str>,
        /// What is wrong.
        why: &'static str,
    },
    /// An imported key is of another algorithm than the server's keys.
    #[error(
        "the key {kid} is not one for {expected}, which SigningKeys::stored names: it would be replaced at once"
    )]
    OtherAlgorithm {
        /// Its id.
        kid: Arc<str>,
        /// The algorithm of the server's keys.
        expected: &'static str,
    },
    /// As many keys as there may be are still published, each for tokens that have not expired.
    #[error(
        "{0} signing keys are published, each for tokens that have not expired; try again when one of them is over"
    )]
    TooMany(usize),
    /// Another added key has not begun to sign.
    #[error("the added signing key {kid} has not begun to sign; try again when it has")]
    Pending {
        /// Its id.
        kid: Arc<str>,
    },
    /// The record under the key of this issuer's keys is something else.
    #[error("the store answered with something that is not the keys of this issuer")]
    NotOurs,
    /// Nothing to rotate: the server was given its ring by the host, or one was drawn for the process alone.
    #[error("this server's keys are not in the store; build it with .stored_keys(..)")]
    NotStored,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

impl From<KeysError> for Error {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error,
            other => Self::unavailable(other.to_string()),
        }
    }
}
