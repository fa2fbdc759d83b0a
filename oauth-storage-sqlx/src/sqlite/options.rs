//! How the host should open its pool.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::SqliteStore;

/// Inside the two seconds that a request has.
const ACQUIRE: Duration = Duration::from_secs(1);

/// How long to wait for another process's transaction: inside [`ACQUIRE`], so that the error says what was waited for.
const BUSY: Duration = Duration::from_millis(900);

impl SqliteStore {
    /// Options for the pool: no ping before each use, and at most one second's wait for a connection.
    pub fn recommended_options() -> SqlitePoolOptions {
        SqlitePoolOptions::new().acquire_timeout(ACQUIRE).test_before_acquire(false)
    }

    /// Options for the connections: WAL, `synchronous = FULL`, 900 ms of `busy_timeout`; the file is made where there is none.
    ///
    /// # Security
    ///
    /// A weaker `synchronous` lets a power failure undo the last writes, among them revocations and used codes.
    pub fn recommended_connect_options(file: impl AsRef<Path>) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
    }
}
