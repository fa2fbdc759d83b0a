//! An in-memory store, for tests and for a single process.
//!
//! * Everything is lost when the process ends: every grant, and with it every token.
//! * Two processes share nothing: behind a load balancer a code made by one is unknown to the other.
//! * Within its process it keeps the whole contract of [`Store`], which the published suite checks.
//! * It is bounded by what must be kept: a shard that has doubled since it was last swept drops what its clock says is past
//!   `retain_until`, so nobody has to call [`Store::purge`]. The price per write is constant on average.
//!
//! ```
//! use oauth_storage_memory::MemoryStore;
//!
//! let store = MemoryStore::new();
//! let same_records = store.clone();
//! assert!(same_records.is_empty());
//! ```
//!
//! Records are spread over 64 shards, each with its own lock; no operation holds two of them.

mod index;
mod shard;
mod sorted;
#[cfg(test)]
mod tests;

use std::collections::BinaryHeap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use hashbrown::DefaultHashBuilder;
use oauth_core::clock::{Clock, SystemClock, Timestamp};
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};

use shard::Shard;

const SHARDS: usize = 64;

/// A store in memory. Clones share the same records.
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    shards: [RwLock<Shard>; SHARDS],
    clock: Arc<dyn Clock>,
    /// The shard where the next purge begins, so that purging in small batches does not search the first ones again.
    purge_from: AtomicUsize,
}

impl MemoryStore {
    /// An empty store that tells what is past its time by the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that tells what is past its time by the given clock; it should be the server's.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let shards = std::array::from_fn(|_| RwLock::new(Shard::new(hasher.clone())));
        Self(Arc::new(Inner { shards, clock, purge_from: AtomicUsize::new(0) }))
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.0.shards.iter().map(|shard| read(shard).len()).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.shards.iter().all(|shard| read(shard).len() == 0)
    }

    fn shard(&self, key: &Key) -> &RwLock<Shard> {
        // The last byte is random in ids that begin with a time.
        &self.0.shards[usize::from(key.id()[15]) % SHARDS]
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// No operation leaves a shard half changed, so a lock that a panic has poisoned still guards whole records.
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        Ok(read(self.shard(key)).get(key).cloned())
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let shard = self.shard(&next.key);
        // What was replaced or swept is freed after the lock is released.
        let (answer, replaced, due) = {
            let mut shard = write(shard);
            let (answer, replaced) = shard.swap(next, expected);
            (answer, replaced, shard.is_due())
        };
        drop(replaced);
        if due {
            let now = self.0.clock.now();
            let swept = write(shard).sweep(now);
            drop(swept);
        }
        Ok(answer)
    }

    /// In the order of the keys.
    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let limit = page.limit.max(1);
        let mut smallest = BinaryHeap::new();
        for shard in &self.0.shards {
            read(shard).list(&index, page.after, limit.saturating_add(1), &mut smallest);
        }
        let mut keys = smallest.into_sorted_vec();
        let more = keys.len() > limit;
        keys.truncate(limit);
        let next = if more { keys.last().copied() } else { None };
        keys.retain(|key| read(self.shard(key)).get(key).is_some_and(|record| index.matches(record)));
        Ok(Listing { keys, next })
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        let from = self.0.purge_from.load(Ordering::Relaxed);
        let mut deleted = 0;
        for place in (0..SHARDS).map(|step| (from + step) % SHARDS) {
            let (purged, more) = write(&self.0.shards[place]).purge(now, limit - deleted);
            deleted += purged.len();
            drop(purged);
            if more {
                self.0.purge_from.store(place, Ordering::Relaxed);
                return Ok(Purged { deleted, more: true });
            }
        }
        Ok(Purged { deleted, more: false })
    }
}
