//! Connections of the host's pool, none of which comes back to it in the middle of a statement.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::{Connection, Error, Postgres};

use super::failure::Failure;

/// A connection in use. Dropped before [`done`](Self::done) it is closed: the pool would wait for the statement's end
/// before anybody could use the connection again, and a server that hangs would take all of them.
#[derive(Debug)]
pub(super) struct InUse(Option<PoolConnection<Postgres>>);

impl InUse {
    pub(super) async fn acquire(pool: &PgPool) -> Result<Self, Error> {
        Ok(Self(Some(pool.acquire().await?)))
    }

    /// Runs a statement to its end, which is after the commit, and gives the connection back.
    pub(super) async fn fetch(mut self, query: Query) -> Result<Vec<PgRow>, Failure> {
        let rows = query.fetch_all(&mut *self).await;
        self.done(rows)
    }

    /// Gives it back, if the statement's end shows that it still works.
    fn done<T>(mut self, result: Result<T, Error>) -> Result<T, Failure> {
        let result = result.map_err(Failure::of);
        if !matches!(result, Err(Failure::Lost(_))) {
            drop(self.0.take());
        }
        result
    }
}

pub(super) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

impl Deref for InUse {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("taken only by `done` and `drop`")
    }
}

impl DerefMut for InUse {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("taken only by `done` and `drop`")
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

/// Removes the broken ones among the idle connections: where one is, as after a restart of the server, most are.
pub(super) async fn sweep(pool: &PgPool) {
    let mut working = Vec::new();
    while let Some(connection) = pool.try_acquire() {
        let mut connection = InUse(Some(connection));
        let pinged = connection.ping().await;
        // Held until the end, so that none is tested twice.
        if pinged.is_ok() {
            working.push(connection);
        }
    }
    for connection in working {
        drop(connection.done(Ok(())));
    }
}
