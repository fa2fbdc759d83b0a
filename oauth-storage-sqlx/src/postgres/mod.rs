//! PostgreSQL.

mod connection;
mod failure;
mod migrate;
mod options;
mod statements;

use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::types::Uuid;

use crate::columns::Columns;
use crate::listing;
use crate::migrate::MigrateError;
use crate::names::{InvalidName, Name};
use crate::row::{corrupt, key, record};
use connection::{Connections, Query};
use failure::Failure;
use statements::Statements;

/// How often a statement is tried that the server undoes because of another transaction.
const ATTEMPTS: usize = 5;

/// A store in PostgreSQL, or in a cluster that speaks its protocol. Clones share everything.
///
/// # Guarantees
///
/// With `synchronous_commit = on`, which is PostgreSQL's default, and `fsync = on` a write that was answered survives a crash
/// of the server. Any number of processes may use the tables. READ COMMITTED suffices: every operation is one statement.
///
/// It does not survive the promotion of a standby that had not received it: a used code or refresh token would work again,
/// a revoked grant would live. Only `synchronous_commit = on` with `synchronous_standby_names`, or `remote_apply`, rules
/// that out. With `synchronous_commit = off` a crash alone does it.
///
/// The pool must lead to the primary: a read from a standby may miss a revocation.
///
/// PostgreSQL's text holds no U+0000: a grant with one in its client id, subject or session is refused.
///
/// # Cost
///
/// One round trip an operation; a `swap` that loses takes a second one, to see whether it was an earlier delivery of itself.
/// Updates of live grants change no indexed column and stay in their page (HOT), as long as no transaction of the same
/// database stays open for long.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    connections: Connections,
    statements: Arc<Statements>,
    schema: Option<Name>,
    prefix: Name,
}

impl PostgresStore {
    /// A store on the host's pool, in tables that begin with `oauth_`, where the connections' `search_path` finds them.
    /// [`migrate`](Self::migrate) makes them.
    pub fn new(pool: PgPool) -> Self {
        Self::on(pool, None, Name::prefix())
    }

    /// The same store in tables of that schema.
    ///
    /// # Errors
    ///
    /// When `schema` is not `[a-z_][a-z0-9_]{0,40}`.
    pub fn with_schema(self, schema: &str) -> Result<Self, InvalidName> {
        Ok(Self::on(self.connections.pool().clone(), Some(Name::parse(schema)?), self.prefix))
    }

    /// The same store in tables that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// When `prefix` is not `[a-z_][a-z0-9_]{0,40}`.
    pub fn with_prefix(self, prefix: &str) -> Result<Self, InvalidName> {
        Ok(Self::on(self.connections.pool().clone(), self.schema, Name::parse(prefix)?))
    }

    fn on(pool: PgPool, schema: Option<Name>, prefix: Name) -> Self {
        let statements = Arc::new(Statements::new(schema.as_ref(), &prefix));
        Self { connections: Connections::of(pool), statements, schema, prefix }
    }

    /// The pool that it was given.
    pub fn pool(&self) -> &PgPool {
        self.connections.pool()
    }

    /// Makes the schema and the tables, or brings them up to date. Idempotent, also when several processes start at once.
    ///
    /// A role that may only read and write suffices where nothing is left to do.
    ///
    /// # Errors
    ///
    /// When the database refuses; it is then as before.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        Ok(migrate::run(self.pool(), self.schema.as_ref(), &self.prefix).await?)
    }

    /// Runs a read; once more when its connection turned out to be broken.
    async fn read(&self, query: impl Fn() -> Query + Send + Sync) -> StoreResult<Vec<PgRow>> {
        let (mut attempt, mut swept) = (1, false);
        loop {
            let connection = self.connections.acquire().await.map_err(StoreError::unavailable)?;
            match connection.fetch(query()).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Lost(_)) if !swept => {
                    self.connections.sweep().await;
                    swept = true;
                }
                Err(Failure::Again(_)) if attempt < ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure.of_read()),
            }
        }
    }

    /// Runs a write; again as long as the server undoes it.
    async fn write(&self, query: impl Fn() -> Query + Send + Sync) -> StoreResult<Vec<PgRow>> {
        let mut attempt = 1;
        loop {
            let connection = self.connections.acquire().await.map_err(StoreError::unavailable)?;
            match connection.fetch(query()).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Again(_)) if attempt < ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure.of_write()),
            }
        }
    }

    /// Asks what is stored after a write that met something else than it expected.
    async fn stored_version(&self, key: Key) -> StoreResult<Option<Version>> {
        let rows = self.read(|| place(sqlx::query(self.statements.version()), key)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let version: Uuid = row.try_get(0).map_err(corrupt)?;
        Ok(Some(Version::from_bytes(version.into_bytes())))
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let rows = self.read(|| place(sqlx::query(self.statements.load()), *key)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let version: Uuid = row.try_get(0).map_err(corrupt)?;
        let body: &[u8] = row.try_get(2).map_err(corrupt)?;
        record(*key, version.into_bytes(), row.try_get(1).map_err(corrupt)?, body).map(Some)
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let body = next.encode();
        for _ in 0..ATTEMPTS {
            let written = self.write(|| match expected {
                None => all(sqlx::query(self.statements.insert()), &next, &body),
                Some(expected) => all(sqlx::query(self.statements.update()), &next, &body)
                    .bind(Uuid::from_bytes(*expected.as_bytes())),
            });
            if !written.await?.is_empty() {
                return Ok(Swap::Swapped);
            }
            // The statement met a record that was not the expected one. Which one is there may have changed since, so the
            // answer is that of the moment of this second look. An earlier delivery of this swap may have arrived: a
            // failure to look is not known to be a failure to write.
            match self.stored_version(next.key).await.map_err(StoreError::unknown)? {
                Some(stored) if stored == next.version => return Ok(Swap::Swapped),
                stored if stored == expected => {}
                _ => return Ok(Swap::Stale),
            }
        }
        Err(StoreError::unavailable("the record changed under every attempt"))
    }

    /// In the order of the ids.
    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let (column, value) = listing::column(index)?;
        let statement = || sqlx::query(self.statements.list(column, page.after.is_some()));
        let query = || {
            let query = statement().bind(value.to_owned()).bind(listing::rows(page));
            match page.after {
                None => query,
                Some(after) => query.bind(Uuid::from_bytes(*after.id())),
            }
        };
        let rows = self.read(query).await?;
        let keys = rows.iter().map(|row| {
            let id: Uuid = row.try_get(1).map_err(corrupt)?;
            key(row.try_get(0).map_err(corrupt)?, id.into_bytes())
        });
        Ok(listing::page(keys.collect::<StoreResult<_>>()?, page))
    }

    /// In one statement, which leaves alone what another transaction holds: it neither waits nor makes others wait.
    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        // The statement looks for one more.
        let limit = i64::try_from(limit).unwrap_or(i64::MAX).min(i64::MAX - 1);
        let query =
            || sqlx::query(self.statements.purge()).bind(minute(now)).bind(now.as_millis()).bind(limit);
        let rows = self.write(query).await?;
        let row = rows.first().ok_or_else(|| StoreError::unknown("the statement gave no row"))?;
        let deleted: i64 = row.try_get(0).map_err(StoreError::unknown)?;
        let more = row.try_get(1).map_err(StoreError::unknown)?;
        Ok(Purged { deleted: usize::try_from(deleted).unwrap_or_default(), more })
    }
}

fn place(query: Query, key: Key) -> Query {
    query.bind(i16::from(key.namespace() as u8)).bind(Uuid::from_bytes(*key.id()))
}

/// The arguments that an insert and an update share.
fn all(query: Query, record: &Record, body: &[u8]) -> Query {
    let columns = Columns::of(record);
    place(query, record.key)
        .bind(Uuid::from_bytes(*record.version.as_bytes()))
        .bind(record.retain_until.as_millis())
        .bind(minute(record.retain_until))
        .bind(columns.created_at)
        .bind(columns.expires_at)
        .bind(columns.state)
        .bind(columns.client_id.map(str::to_owned))
        .bind(columns.subject.map(str::to_owned))
        .bind(columns.session.map(str::to_owned))
        .bind(body.to_vec())
}

/// The minute of an instant. Rounding down keeps the order: what lies before `now` has a minute up to that of `now`.
fn minute(instant: Timestamp) -> i32 {
    let minutes = instant.as_secs().div_euclid(60);
    i32::try_from(minutes.clamp(i64::from(i32::MIN), i64::from(i32::MAX))).expect("it was clamped")
}
