//! What an attacker reads who has a copy of the store.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};

/// Keeps every record that was ever written, as an engine would write it. Clones share what they keep.
#[derive(Clone, Debug)]
pub struct DumpStore<S> {
    inner: S,
    written: Arc<Mutex<Vec<String>>>,
}

impl<S: Store> DumpStore<S> {
    /// Keeps what is written to `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, written: Arc::default() }
    }

    /// Everything that was written, one record after the other: key, version, and the body as text and in hexadecimal digits.
    pub fn text(&self) -> String {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

#[async_trait]
impl<S: Store> Store for DumpStore<S> {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        self.inner.load(key).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let stored = next.encode();
        let body = String::from_utf8_lossy(&stored);
        let raw: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{:?} {:?} {body} {raw}", next.key, next.version);
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        self.inner.swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.inner.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.inner.purge(now, limit).await
    }
}
