//! A store that can be read as a whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};
use oauth_storage_memory::MemoryStore;

/// A memory store that remembers everything it was ever given. Clones share the same records.
///
/// It never purges by itself: the memory store's own clock stands still.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: MemoryStore,
    written: Arc<Mutex<Vec<Arc<Record>>>>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        let inner = MemoryStore::with_clock(Arc::new(ManualClock::new(Timestamp::EPOCH)));
        Self { inner, written: Arc::default() }
    }

    /// Everything that was ever handed over to be stored.
    pub fn written(&self) -> Vec<Arc<Record>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The stored record of a key.
    pub fn get(&self, key: &Key) -> Option<Arc<Record>> {
        block_on(self.inner.load(key)).expect("the memory store does not fail")
    }

    /// What is stored now.
    pub fn snapshot(&self) -> BTreeMap<Key, Arc<Record>> {
        let keys: Vec<Key> = self.written().iter().map(|record| record.key).collect();
        keys.into_iter().filter_map(|key| Some((key, self.get(&key)?))).collect()
    }

    /// The versions of what is stored now: equal as long as nothing was written.
    pub fn versions(&self) -> BTreeMap<Key, Version> {
        self.snapshot().into_iter().map(|(key, record)| (key, record.version)).collect()
    }

    /// The stored grants.
    pub fn grants(&self) -> Vec<Arc<Record>> {
        self.snapshot().into_values().filter(|record| record.grant().is_some()).collect()
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for Ledger {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        self.inner.load(key).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(next.clone());
        self.inner.swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.inner.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.inner.purge(now, limit).await
    }
}
