//! Stores that are right as long as one process uses the storage: two processes find them out.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::testing::{catches, check};
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};
use tokio::sync::Mutex;

use crate::engine::Engine;
use crate::in_turn::TwoProcesses;

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Reads, compares and writes while it holds a lock of its process.
    Locks,
    /// Answers loads of what its process has written or read last.
    Caches,
}

/// A flaw, with what the stores of one process share.
#[derive(Clone, Debug)]
pub(crate) struct ProcessWide {
    kind: Kind,
    seen: Arc<Mutex<HashMap<Key, Option<Arc<Record>>>>>,
}

impl ProcessWide {
    fn new(kind: Kind) -> Self {
        Self { kind, seen: Arc::default() }
    }

    /// The same for other storage.
    pub(crate) fn afresh(&self) -> Self {
        Self::new(self.kind)
    }

    pub(crate) fn on(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(FlawedStore { inner, flaw: self.clone() })
    }
}

#[derive(Debug)]
struct FlawedStore {
    inner: Arc<dyn Store>,
    flaw: ProcessWide,
}

impl FlawedStore {
    async fn version(&self, key: &Key) -> StoreResult<Option<Version>> {
        Ok(self.inner.load(key).await?.map(|record| record.version))
    }
}

#[async_trait]
impl Store for FlawedStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let Kind::Caches = self.flaw.kind else { return self.inner.load(key).await };
        let mut seen = self.flaw.seen.lock().await;
        if let Some(found) = seen.get(key) {
            return Ok(found.clone());
        }
        let found = self.inner.load(key).await?;
        seen.insert(*key, found.clone());
        Ok(found)
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let mut seen = self.flaw.seen.lock().await;
        if let Kind::Caches = self.flaw.kind {
            seen.remove(&next.key);
            return self.inner.swap(next, expected).await;
        }
        let stored = self.version(&next.key).await?;
        if stored != expected && stored != Some(next.version) {
            return Ok(Swap::Stale);
        }
        // What an UPDATE without a condition does.
        loop {
            let stored = self.version(&next.key).await?;
            if self.inner.swap(next.clone(), stored).await? == Swap::Swapped {
                return Ok(Swap::Swapped);
            }
        }
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.inner.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        let mut seen = self.flaw.seen.lock().await;
        seen.clear();
        self.inner.purge(now, limit).await
    }
}

/// One process passes the checks that are meant for these flaws, and two fail them.
pub(crate) fn flaws_are_caught<E: Engine>(engine: impl Fn() -> E) {
    let reads = ["handles_see_each_others_writes", "loads_never_go_back_in_time"];
    let races = ["one_of_many_inserts_wins", "one_of_many_swaps_wins"];
    for (kind, names) in [(Kind::Caches, reads), (Kind::Locks, races)] {
        let mut stores = TwoProcesses::on(engine());
        stores.flaw = Some(ProcessWide::new(kind));
        stores.alone = true;
        for name in names {
            check(name)(&stores);
        }
        stores.alone = false;
        catches(&stores, &format!("{kind:?}"), &names);
    }
}
