//! What a failed statement has done.

use oauth_core::storage::StoreError;
use sqlx::Error;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// A failure, by what is known of its statement.
#[derive(Debug)]
pub(super) enum Failure {
    /// It did nothing, and may be tried again: a serialization failure or a deadlock.
    Again(Error),
    /// It did nothing.
    Refused(Error),
    /// The connection was lost before the answer: it has done everything or nothing.
    Lost(Error),
}

impl Failure {
    /// Of a statement that was sent.
    pub(super) fn of(error: Error) -> Self {
        let Error::Database(database) = &error else { return Self::Lost(error) };
        let Some(database) = database.try_downcast_ref::<PgDatabaseError>() else { return Self::Lost(error) };
        // An error of the statement undoes it; one that ends the connection says nothing about it.
        if matches!(database.severity(), PgSeverity::Fatal | PgSeverity::Panic) {
            return Self::Lost(error);
        }
        match database.code() {
            "40001" | "40P01" => Self::Again(error),
            // statement_completion_unknown, and the connection exceptions of a pooler in between.
            code if code == "40003" || code.starts_with("08") => Self::Lost(error),
            _ => Self::Refused(error),
        }
    }

    /// For a call that writes nothing.
    pub(super) fn of_read(self) -> StoreError {
        let (Self::Again(error) | Self::Refused(error) | Self::Lost(error)) = self;
        StoreError::unavailable(error)
    }

    /// For a call that writes.
    pub(super) fn of_write(self) -> StoreError {
        match self {
            Self::Again(error) | Self::Refused(error) => StoreError::unavailable(error),
            Self::Lost(error) => StoreError::unknown(error),
        }
    }
}
