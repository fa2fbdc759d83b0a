//! Stores that are wrong on purpose, on the engine of a backend that is right: the suite catches each of them there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::grant::State;
use oauth_core::storage::testing::{Backend, Task, catches};
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Looks first and then writes, without comparing once more.
    ReadThenWrite,
    /// Writes whatever is there.
    LastWriteWins,
    /// Takes its own earlier delivery for somebody else's write.
    StaleToItsOwnWrite,
    /// Answers reads from what the handle has seen before.
    ReadsStale,
    /// Answers that a revocation is stored, and stores nothing.
    ForgetsRevocations,
    /// Says yes to what it did not write.
    Lies,
    /// Takes a failure for absence.
    FailureIsAbsence,
    /// Deletes what may go only in the next millisecond.
    PurgesTheBoundary,
    /// Names a page's last key no more.
    ListMissesTheLast,
}

/// A backend whose stores have a flaw.
pub(crate) struct Flawed<B>(pub(crate) B, pub(crate) Flaw);

impl<B: Backend> Flawed<B> {
    pub(crate) fn is_caught_by(&self, names: &[&str]) {
        catches(self, &format!("{:?}", self.1), names);
    }

    fn flawed(&self, inner: B::Store) -> FlawedStore<B::Store> {
        FlawedStore { inner, flaw: self.1, seen: Mutex::default() }
    }
}

impl<B: Backend> Backend for Flawed<B> {
    type Store = FlawedStore<B::Store>;

    async fn fresh(&self) -> Self::Store {
        self.flawed(self.0.fresh().await)
    }

    async fn reopen(&self, store: &Self::Store) -> Self::Store {
        self.flawed(self.0.reopen(&store.inner).await)
    }

    async fn unreachable(&self) -> Option<Self::Store> {
        Some(self.flawed(self.0.unreachable().await?))
    }

    fn block_on(&self, task: Task<'_>) {
        self.0.block_on(task);
    }
}

#[derive(Debug)]
pub(crate) struct FlawedStore<S> {
    inner: S,
    flaw: Flaw,
    seen: Mutex<HashMap<Key, Arc<Record>>>,
}

impl<S: Store> FlawedStore<S> {
    async fn version(&self, key: &Key) -> StoreResult<Option<Version>> {
        Ok(self.inner.load(key).await?.map(|record| record.version))
    }

    /// What an UPDATE without a condition does.
    async fn write(&self, next: &Arc<Record>) -> StoreResult<Swap> {
        loop {
            let stored = self.version(&next.key).await?;
            if self.inner.swap(next.clone(), stored).await? == Swap::Swapped {
                return Ok(Swap::Swapped);
            }
        }
    }
}

#[async_trait]
impl<S: Store> Store for FlawedStore<S> {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        if self.flaw == Flaw::ReadsStale
            && let Some(seen) = self.seen.lock().unwrap().get(key)
        {
            return Ok(Some(seen.clone()));
        }
        let found = match self.inner.load(key).await {
            Err(StoreError::Unavailable(_)) if self.flaw == Flaw::FailureIsAbsence => None,
            found => found?,
        };
        if let Some(found) = &found {
            self.seen.lock().unwrap().insert(*key, found.clone());
        }
        Ok(found)
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let revokes = next.grant().is_some_and(|grant| matches!(grant.state, State::Revoked { .. }));
        match self.flaw {
            Flaw::ReadThenWrite => {
                if self.version(&next.key).await? != expected {
                    return self.inner.swap(next, expected).await;
                }
                self.write(&next).await
            }
            Flaw::LastWriteWins => self.write(&next).await,
            Flaw::StaleToItsOwnWrite if self.version(&next.key).await? == Some(next.version) => {
                Ok(Swap::Stale)
            }
            Flaw::ForgetsRevocations if revokes => {
                let stored = self.version(&next.key).await?;
                Ok(if stored == expected { Swap::Swapped } else { Swap::Stale })
            }
            Flaw::Lies => self.inner.swap(next, expected).await.map(|_| Swap::Swapped),
            _ => self.inner.swap(next, expected).await,
        }
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let mut listing = self.inner.list(index, page).await?;
        if self.flaw == Flaw::ListMissesTheLast && listing.next.is_some() {
            listing.keys.pop();
        }
        Ok(listing)
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        let boundary = u64::from(self.flaw == Flaw::PurgesTheBoundary);
        self.inner.purge(now + std::time::Duration::from_millis(boundary), limit).await
    }
}

/// One `#[test]` of each flaw, for a backend expression.
macro_rules! flaws_are_caught {
    ($backend:expr) => {
        #[test]
        fn read_then_write() {
            Flawed($backend, Flaw::ReadThenWrite)
                .is_caught_by(&["one_of_many_inserts_wins", "one_of_many_swaps_wins"]);
        }

        #[test]
        fn last_write_wins() {
            Flawed($backend, Flaw::LastWriteWins).is_caught_by(&[
                "insert_needs_absence",
                "swap_needs_the_stored_version",
                "a_redelivered_swap_after_a_later_write_is_stale",
                "one_of_many_swaps_wins",
                "revocation_survives_late_writers",
            ]);
        }

        #[test]
        fn stale_to_its_own_write() {
            Flawed($backend, Flaw::StaleToItsOwnWrite).is_caught_by(&["a_redelivered_swap_is_recognised"]);
        }

        #[test]
        fn reads_stale() {
            Flawed($backend, Flaw::ReadsStale)
                .is_caught_by(&["handles_see_each_others_writes", "loads_never_go_back_in_time"]);
        }

        #[test]
        fn forgets_revocations() {
            Flawed($backend, Flaw::ForgetsRevocations).is_caught_by(&["revocation_survives_late_writers"]);
        }

        #[test]
        fn lies() {
            Flawed($backend, Flaw::Lies).is_caught_by(&[
                "insert_needs_absence",
                "swap_needs_the_stored_version",
                "one_of_many_inserts_wins",
                "revocation_survives_late_writers",
            ]);
        }

        #[test]
        fn failure_is_absence() {
            Flawed($backend, Flaw::FailureIsAbsence).is_caught_by(&["a_failure_is_never_an_answer"]);
        }

        #[test]
        fn purges_the_boundary() {
            Flawed($backend, Flaw::PurgesTheBoundary).is_caught_by(&["purge_deletes_by_retain_until_alone"]);
        }

        #[test]
        fn list_misses_the_last() {
            Flawed($backend, Flaw::ListMissesTheLast).is_caught_by(&["listing_pages_name_each_key_once"]);
        }
    };
}

pub(crate) use flaws_are_caught;
