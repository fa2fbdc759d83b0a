//! A store seen by the checks: an unexpected failure ends the check, and every answer is looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::broken;
use crate::clock::Timestamp;
use crate::storage::{Index, Key, Page, Purged, Record, Store, StoreResult, Swap, Version};

#[derive(Debug)]
pub(super) struct Probe<S>(pub(super) S);

#[track_caller]
fn answer<T>(method: &str, result: StoreResult<T>) -> T {
    result.unwrap_or_else(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        broken(
            "absence and a lost race are answers, and only a failure of the engine is an error",
            format_args!("{method} failed: {error}: {source}"),
        )
    })
}

impl<S: Store> Probe<S> {
    pub(super) async fn load(&self, key: Key) -> Option<Arc<Record>> {
        let found = answer("load", self.0.load(&key).await)?;
        if found.key != key {
            broken(
                "load answers the record under the asked key",
                format_args!("{:?} came for {key:?}", found.key),
            );
        }
        Some(found)
    }

    /// Loads what must be there.
    pub(super) async fn expect(&self, wanted: &Record, obligation: &str) {
        match self.load(wanted.key).await {
            None => broken(obligation, "the record is absent"),
            Some(found) if *found == *wanted => {}
            Some(found) if found.version != wanted.version => {
                broken(obligation, format_args!("another version is stored: {found:?}, not {wanted:?}"));
            }
            Some(found) => broken(obligation, format_args!("the content differs: {found:?}, not {wanted:?}")),
        }
    }

    pub(super) async fn expect_absent(&self, key: Key, obligation: &str) {
        if let Some(found) = self.load(key).await {
            broken(obligation, format_args!("{found:?} is stored"));
        }
    }

    pub(super) async fn swap(&self, next: &Arc<Record>, expected: Option<Version>) -> Swap {
        answer("swap", self.0.swap(next.clone(), expected).await)
    }

    pub(super) async fn expect_swap(
        &self,
        next: &Arc<Record>,
        expected: Option<Version>,
        wanted: Swap,
        obligation: &str,
    ) {
        let seen = self.swap(next, expected).await;
        if seen != wanted {
            broken(obligation, format_args!("swap answered {seen:?}"));
        }
    }

    pub(super) async fn insert(&self, record: &Arc<Record>) {
        let obligation = "swap from None writes where nothing is stored and answers Swapped";
        self.expect_swap(record, None, Swap::Swapped, obligation).await;
    }

    pub(super) async fn replace(&self, old: &Record, next: &Arc<Record>) {
        let obligation = "swap from the stored version writes and answers Swapped";
        self.expect_swap(next, Some(old.version), Swap::Swapped, obligation).await;
    }

    /// All keys of a listing, walked in pages.
    pub(super) async fn list(&self, index: Index<'_>, limit: usize) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut page = Page::first(limit);
        let mut seen = BTreeSet::new();
        loop {
            let listing = answer("list", self.0.list(index, page).await);
            if listing.keys.len() > limit {
                broken(
                    "a page has at most `limit` keys",
                    format_args!("{} came for {limit}", listing.keys.len()),
                );
            }
            keys.extend(listing.keys);
            let Some(next) = listing.next else { return keys };
            if !seen.insert(next) {
                broken("a listing ends", format_args!("the page after {next:?} was named twice"));
            }
            page = Page::after(next, limit);
        }
    }

    pub(super) async fn expect_listed(&self, index: Index<'_>, key: Key) {
        if !self.list(index, 100).await.contains(&key) {
            broken(
                "list never misses a record whose write was acknowledged and that still exists",
                format_args!("{key:?} is missing from {index:?}"),
            );
        }
    }

    pub(super) async fn purge(&self, now: Timestamp, limit: usize) -> Purged {
        let purged = answer("purge", self.0.purge(now, limit).await);
        if purged.deleted > limit {
            broken(
                "purge deletes at most `limit` records",
                format_args!("it deleted {} of {limit}", purged.deleted),
            );
        }
        purged
    }

    /// Purges until nothing is left to purge, and counts.
    pub(super) async fn purge_all(&self, now: Timestamp, limit: usize) -> usize {
        let mut deleted = 0;
        for _ in 0..10_000 {
            let purged = self.purge(now, limit).await;
            deleted += purged.deleted;
            if !purged.more {
                return deleted;
            }
        }
        broken("purge ends once nothing is left", "it said `more` ten thousand times")
    }
}
