//! SQLite.

mod batch;
mod migrate;
mod options;
mod rows;
mod statements;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Connection, Error, Row, Sqlite};

use crate::listing;
use crate::migrate::MigrateError;
use crate::names::{InvalidName, Name};
use crate::row::{corrupt, key, record, sixteen};
use statements::Statements;
use writer::Writer;

/// A store in an SQLite file. Clones share one writer.
///
/// # Guarantees
///
/// With [`recommended_connect_options`](Self::recommended_connect_options), which are WAL and `synchronous = FULL`, a write
/// that was answered survives the end of the process, of the machine and of its power. Any number of processes of one machine
/// may use the file; network file systems are not for SQLite.
///
/// With `synchronous = NORMAL` the last writes before a power failure may be undone: a used code or refresh token would work
/// again. With `OFF` the file itself may be lost.
///
/// # Writes
///
/// Writes that wait at the same time share one transaction and so one wait for the disk. Each is answered after the commit;
/// one that fails is tried again apart from the others. Dropping a write's future changes nothing: once queued, it happens.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    statements: Arc<Statements>,
    prefix: Name,
    writer: Writer,
}

impl SqliteStore {
    /// A store on the host's pool, in tables that begin with `oauth_`. [`migrate`](Self::migrate) makes them.
    pub fn new(pool: SqlitePool) -> Self {
        Self::on(pool, Name::prefix())
    }

    /// The same store in tables that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// When `prefix` is not `[a-z_][a-z0-9_]{0,40}`.
    pub fn with_prefix(self, prefix: &str) -> Result<Self, InvalidName> {
        Ok(Self::on(self.pool, Name::parse(prefix)?))
    }

    fn on(pool: SqlitePool, prefix: Name) -> Self {
        let statements = Arc::new(Statements::new(&prefix));
        let writer = Writer::new(pool.clone(), statements.clone());
        Self { pool, statements, prefix, writer }
    }

    /// The pool that it was given.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Makes the tables, or brings them up to date. Idempotent, also when several processes start at once.
    ///
    /// # Errors
    ///
    /// When the database refuses; it is then as before.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        Ok(migrate::run(&self.pool, &self.prefix).await?)
    }

    async fn row(&self, key: &Key) -> Result<Option<SqliteRow>, Error> {
        let query = sqlx::query(self.statements.load()).bind(key.namespace() as u8).bind(key.id().to_vec());
        let mut connection = self.pool.acquire().await?;
        let row = rows::first(&mut connection, query).await;
        given_back(connection, row)
    }

    async fn rows(&self, index: Index<'_>, page: Page) -> StoreResult<Result<Vec<SqliteRow>, Error>> {
        let (column, value) = listing::column(index)?;
        // No bytes come before all ids.
        let after = page.after.map_or_else(Vec::new, |key| key.id().to_vec());
        let query = sqlx::query(self.statements.list(column)).bind(value.to_owned());
        let query = query.bind(after).bind(listing::rows(page));
        Ok(match self.pool.acquire().await {
            Ok(mut connection) => {
                let rows = rows::all(&mut connection, query).await;
                given_back(connection, rows)
            }
            Err(error) => Err(error),
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let row = match self.row(key).await {
            Err(error) if is_broken(&error) => self.row(key).await,
            result => result,
        };
        let Some(row) = row.map_err(StoreError::unavailable)? else { return Ok(None) };
        let (version, retain_until, body): (&[u8], i64, &[u8]) = (
            row.try_get(0).map_err(corrupt)?,
            row.try_get(1).map_err(corrupt)?,
            row.try_get(2).map_err(corrupt)?,
        );
        record(*key, sixteen(version)?, retain_until, body).map(Some)
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.writer.swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let rows = match self.rows(index, page).await? {
            Err(error) if is_broken(&error) => self.rows(index, page).await?,
            result => result,
        };
        let rows = rows.map_err(StoreError::unavailable)?;
        let keys = rows.iter().map(|row| {
            let id: &[u8] = row.try_get(1).map_err(corrupt)?;
            key(row.try_get(0).map_err(corrupt)?, sixteen(id)?)
        });
        Ok(listing::page(keys.collect::<StoreResult<_>>()?, page))
    }

    /// In one transaction beside the other writes, which wait for it.
    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        let mut connection = self.pool.acquire().await.map_err(StoreError::unavailable)?;
        let _turn = self.writer.turn().await;
        let purged = self.purge_on(&mut connection, now, limit).await;
        let (purged, committed) = given_back(connection, purged).map_err(StoreError::unavailable)?;
        committed.map_err(StoreError::unknown)?;
        Ok(purged)
    }
}

impl SqliteStore {
    /// What was purged, and whether that is known to be durable.
    async fn purge_on(
        &self,
        connection: &mut SqliteConnection,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Purged, Result<(), Error>), Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let purge = sqlx::query(self.statements.purge())
            .bind(now.as_millis())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let deleted = rows::affected(&mut transaction, purge).await?;
        let due = sqlx::query(self.statements.due()).bind(now.as_millis());
        let due = rows::first(&mut transaction, due).await?.ok_or(Error::RowNotFound)?;
        let purged =
            Purged { deleted: usize::try_from(deleted).unwrap_or(usize::MAX), more: due.try_get(0)? };
        Ok((purged, transaction.commit().await))
    }
}

/// The pool gets back a connection unless it is broken: it would ask that one, and perhaps wait for its answer for ever.
fn given_back<T>(connection: PoolConnection<Sqlite>, result: Result<T, Error>) -> Result<T, Error> {
    if result.as_ref().is_err_and(is_broken) {
        drop(connection.detach());
    }
    result
}

/// Whether another connection may do better.
fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Io(_) | Error::WorkerCrashed)
}
