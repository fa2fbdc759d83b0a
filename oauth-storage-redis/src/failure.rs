//! What goes wrong between a store and a server.

use std::error::Error as StdError;

use oauth_core::storage::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why there is no answer, or not the wanted one.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was sent.
    NotSent(Box<dyn StdError + Send + Sync>),
    /// It was sent, and what came of it is not known.
    Lost(Box<dyn StdError + Send + Sync>),
    /// The server did nothing and said why.
    Refused(RedisError),
}

impl Failure {
    /// What it means for a call that changes nothing.
    pub(crate) fn of_read(self) -> StoreError {
        match self {
            Self::NotSent(error) | Self::Lost(error) => StoreError::Unavailable(error),
            Self::Refused(error) if error.code() == Some("WRONGTYPE") => StoreError::Corrupt(error.into()),
            Self::Refused(error) => StoreError::Unavailable(error.into()),
        }
    }

    /// What it means for a write.
    pub(crate) fn of_write(self) -> StoreError {
        match self {
            Self::Lost(error) => StoreError::Unknown(error),
            other => other.of_read(),
        }
    }

    /// An earlier delivery of the same was lost.
    pub(crate) fn after_a_lost_delivery(self) -> Self {
        match self {
            Self::NotSent(error) | Self::Lost(error) => Self::Lost(error),
            Self::Refused(error) => Self::Lost(error.into()),
        }
    }

    /// The server does not know the script, whatever became of earlier deliveries.
    pub(crate) fn is_unknown_script(&self) -> bool {
        let error = match self {
            Self::Refused(error) => Some(error),
            Self::Lost(error) => error.downcast_ref::<RedisError>(),
            Self::NotSent(_) => None,
        };
        error.is_some_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// The same for a later delivery: it is lost where this one is.
    pub(crate) fn of_another_delivery(&self, later: Self) -> Self {
        if matches!(self, Self::Lost(_)) { later.after_a_lost_delivery() } else { later }
    }
}

/// Whether a server that says so is about to be another one, or none: a new connection may reach its successor.
pub(crate) fn says_farewell(error: &RedisError) -> bool {
    // Cut off from its replicas, of which one may have been promoted.
    error.code() == Some("NOREPLICAS")
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown
            )
        )
}

/// An answer that this release does not expect.
pub(crate) fn unexpected(answer: &redis::Value) -> Failure {
    // The answer may hold a record, so only its kind is told.
    let kind = match answer {
        redis::Value::Nil => "nil",
        redis::Value::Int(_) => "an integer",
        redis::Value::BulkString(_) | redis::Value::SimpleString(_) | redis::Value::Okay => "a string",
        _ => "another type",
    };
    Failure::Lost(format!("Redis answered {kind} where something else was due").into())
}
