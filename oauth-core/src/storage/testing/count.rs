//! A store that counts its calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::storage::{
    Index, Key, Listing, Namespace, Page, Purged, Record, Store, StoreResult, Swap, Version,
};

/// How often the methods were called. Calls of one namespace: by [`Counts::loads`], [`Counts::inserts`], [`Counts::swaps`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    loads: [u64; Namespace::ALL.len()],
    inserts: [u64; Namespace::ALL.len()],
    swaps: [u64; Namespace::ALL.len()],
    /// Calls of `list`.
    pub lists: u64,
    /// Calls of `purge`.
    pub purges: u64,
}

impl Counts {
    /// Calls of `load` for keys of that namespace.
    pub fn loads(&self, namespace: Namespace) -> u64 {
        self.loads[place(namespace)]
    }

    /// Calls of `swap` from `None` in that namespace.
    pub fn inserts(&self, namespace: Namespace) -> u64 {
        self.inserts[place(namespace)]
    }

    /// Calls of `swap` from a version in that namespace.
    pub fn swaps(&self, namespace: Namespace) -> u64 {
        self.swaps[place(namespace)]
    }

    /// All calls of all methods.
    pub fn total(&self) -> u64 {
        let by_namespace = self.loads.iter().chain(&self.inserts).chain(&self.swaps);
        by_namespace.sum::<u64>() + self.lists + self.purges
    }
}

fn place(namespace: Namespace) -> usize {
    usize::from(namespace as u8 - 1)
}

/// Counts the calls of the store that it wraps. Clones share the counts.
#[derive(Clone, Debug)]
pub struct CountingStore<S> {
    inner: S,
    counts: Arc<Mutex<Counts>>,
    refused: Arc<AtomicU64>,
}

impl<S: Store> CountingStore<S> {
    /// Counts from zero.
    pub fn new(inner: S) -> Self {
        Self { inner, counts: Arc::default(), refused: Arc::default() }
    }

    /// The calls so far.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls since the last time, which begin again at zero.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many swaps were answered with [`Swap::Stale`] since the beginning.
    pub fn stale(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[async_trait]
impl<S: Store> Store for CountingStore<S> {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        self.count(|counts| counts.loads[place(key.namespace())] += 1);
        self.inner.load(key).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let place = place(next.key.namespace());
        self.count(|counts| match expected {
            None => counts.inserts[place] += 1,
            Some(_) => counts.swaps[place] += 1,
        });
        let answer = self.inner.swap(next, expected).await;
        if matches!(answer, Ok(Swap::Stale)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.count(|counts| counts.lists += 1);
        self.inner.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.count(|counts| counts.purges += 1);
        self.inner.purge(now, limit).await
    }
}
