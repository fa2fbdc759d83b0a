//! The store of another process.

use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};

use crate::protocol::{Answer, Request};
use crate::replica::Replica;
use crate::store_call::{StoreCall, read_listing, read_loaded, read_purged};

/// A store whose calls are made by another process.
#[derive(Debug)]
pub struct RemoteStore(Replica);

impl RemoteStore {
    /// The store of that process.
    pub fn of(replica: Replica) -> Self {
        Self(replica)
    }

    /// The words of the answer, or none to what was refused.
    async fn ask(&self, call: StoreCall) -> Result<Option<Vec<String>>, String> {
        match self.0.call(&Request::Store(call)).await {
            Some(Answer::Done(words)) => Ok(Some(words)),
            Some(Answer::Refused) => Ok(None),
            Some(Answer::Failed(why)) => Err(why),
            None => Err("the process has ended".to_owned()),
        }
    }

    /// An answer that says something.
    async fn read<T>(&self, call: StoreCall, read: impl FnOnce(&[String]) -> Option<T>) -> StoreResult<T> {
        let words = self.ask(call).await.map_err(StoreError::unavailable)?;
        words.as_deref().and_then(read).ok_or_else(|| StoreError::unavailable("an answer to something else"))
    }
}

#[async_trait]
impl Store for RemoteStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let found = self.read(StoreCall::Load(*key), |words| read_loaded(*key, words)).await?;
        Ok(found.map(Arc::new))
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let answer = self.ask(StoreCall::Swap { next, expected }).await.map_err(StoreError::unknown)?;
        Ok(if answer.is_some() { Swap::Swapped } else { Swap::Stale })
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.read(StoreCall::list(index, page), read_listing).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.read(StoreCall::Purge(now, limit), read_purged).await
    }
}
