//! What is often written in SQL instead of a compare-and-swap: the suite catches it on this engine.

use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::testing::{Backend, Task, catches};
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use oauth_storage_sqlx::PostgresStore;
use sqlx::types::Uuid;
use sqlx::{Error, Postgres, Row, Transaction, query};
use tokio::sync::Mutex;

use crate::backend::Schemas;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// SELECT, compare, then write without a condition.
    SelectThenWrite,
    /// INSERT … ON CONFLICT DO UPDATE.
    Upsert,
    /// Reads within a transaction that began long ago.
    OldSnapshot,
}

struct Sloppy(Schemas, Flaw);

#[derive(Debug)]
struct SloppyStore {
    inner: PostgresStore,
    flaw: Flaw,
    snapshot: Mutex<Option<Transaction<'static, Postgres>>>,
}

impl Backend for Sloppy {
    type Store = SloppyStore;

    async fn fresh(&self) -> SloppyStore {
        SloppyStore { inner: self.0.fresh().await, flaw: self.1, snapshot: Mutex::default() }
    }

    async fn reopen(&self, store: &SloppyStore) -> SloppyStore {
        SloppyStore { inner: self.0.reopen(&store.inner).await, flaw: self.1, snapshot: Mutex::default() }
    }

    fn block_on(&self, task: Task<'_>) {
        self.0.block_on(task);
    }
}

impl SloppyStore {
    async fn upsert(&self, next: &Record) -> Result<(), Error> {
        query(
            "INSERT INTO oauth_records (namespace, id, version, retain_until, purge_minute, body) \
             VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (namespace, id) DO UPDATE SET \
             version = excluded.version, retain_until = excluded.retain_until, body = excluded.body",
        )
        .bind(i16::from(next.key.namespace() as u8))
        .bind(Uuid::from_bytes(*next.key.id()))
        .bind(Uuid::from_bytes(*next.version.as_bytes()))
        .bind(next.retain_until.as_millis())
        .bind(next.encode())
        .execute(self.inner.pool())
        .await?;
        Ok(())
    }

    async fn load_from_snapshot(&self, key: &Key) -> Result<Option<(Version, i64, Vec<u8>)>, Error> {
        let mut snapshot = self.snapshot.lock().await;
        let transaction = match &mut *snapshot {
            Some(transaction) => transaction,
            none => none.insert(self.inner.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?),
        };
        let row = query("SELECT version, retain_until, body FROM oauth_records WHERE id = $1")
            .bind(Uuid::from_bytes(*key.id()))
            .fetch_optional(&mut **transaction)
            .await?;
        Ok(row.map(|row| (Version::from_bytes(*row.get::<Uuid, _>(0).as_bytes()), row.get(1), row.get(2))))
    }
}

#[async_trait]
impl Store for SloppyStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        if self.flaw != Flaw::OldSnapshot {
            return self.inner.load(key).await;
        }
        let found = self.load_from_snapshot(key).await.map_err(StoreError::unavailable)?;
        let Some((version, retain_until, body)) = found else { return Ok(None) };
        Ok(Some(Arc::new(Record::decode(*key, version, Timestamp::from_millis(retain_until), &body)?)))
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        if self.flaw == Flaw::OldSnapshot {
            return self.inner.swap(next, expected).await;
        }
        if self.flaw == Flaw::SelectThenWrite {
            let stored = self.inner.load(&next.key).await?.map(|record| record.version);
            if stored == Some(next.version) {
                return Ok(Swap::Swapped);
            }
            if stored != expected {
                return Ok(Swap::Stale);
            }
        }
        self.upsert(&next).await.map_err(StoreError::unavailable)?;
        Ok(Swap::Swapped)
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.inner.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.inner.purge(now, limit).await
    }
}

fn is_caught(flaw: Flaw, checks: &[&str]) {
    catches(&Sloppy(Schemas::new(), flaw), &format!("{flaw:?}"), checks);
}

#[test]
fn select_then_write() {
    is_caught(Flaw::SelectThenWrite, &["one_of_many_inserts_wins", "one_of_many_swaps_wins"]);
}

#[test]
fn upsert() {
    is_caught(
        Flaw::Upsert,
        &["insert_needs_absence", "swap_needs_the_stored_version", "one_of_many_swaps_wins"],
    );
}

#[test]
fn old_snapshot() {
    is_caught(Flaw::OldSnapshot, &["handles_see_each_others_writes", "loads_never_go_back_in_time"]);
}
