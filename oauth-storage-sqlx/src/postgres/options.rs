//! How the host should open its pool.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;

use super::PostgresStore;

impl PostgresStore {
    /// Options for the pool: no ping before each use, and at most one second's wait for a connection, which is inside the two
    /// seconds that a request has.
    ///
    /// A broken connection is found by using it: a read is repeated, a write answers
    /// [`Unknown`](oauth_core::storage::StoreError::Unknown), which the server resolves by a read.
    pub fn recommended_options() -> PgPoolOptions {
        PgPoolOptions::new().acquire_timeout(Duration::from_secs(1)).test_before_acquire(false)
    }
}
