//! One shard: a table of records and the listing of its grants.

use std::collections::BinaryHeap;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Index, Key, Record, Swap, Version};

use crate::index::Listings;

/// A shard below this many records is not swept: there is little to win.
const MIN_SWEEP: usize = 1024;

pub(crate) struct Shard {
    /// The key is read from the record, so that it is held once.
    records: HashTable<Arc<Record>>,
    listings: Listings,
    hasher: DefaultHashBuilder,
    /// With how many records the next sweep is due.
    sweep_at: usize,
}

fn hash(hasher: &DefaultHashBuilder, key: &Key) -> u64 {
    hasher.hash_one(u128::from_ne_bytes(*key.id()))
}

impl Shard {
    pub(crate) fn new(hasher: DefaultHashBuilder) -> Self {
        let listings = Listings::new(hasher.clone());
        Self { records: HashTable::new(), listings, hasher, sweep_at: MIN_SWEEP }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Record>> {
        self.records.find(hash(&self.hasher, key), |record| record.key == *key)
    }

    /// Compares and writes; also gives back what it replaced.
    pub(crate) fn swap(
        &mut self,
        next: Arc<Record>,
        expected: Option<Version>,
    ) -> (Swap, Option<Arc<Record>>) {
        let Self { records, listings, hasher, .. } = self;
        let hash_of_next = hash(hasher, &next.key);
        match records.find_mut(hash_of_next, |record| record.key == next.key) {
            Some(stored) if stored.version == next.version => (Swap::Swapped, None),
            Some(stored) if Some(stored.version) == expected => {
                listings.moved(stored, &next);
                (Swap::Swapped, Some(std::mem::replace(stored, next)))
            }
            None if expected.is_none() => {
                listings.insert(&next);
                records.insert_unique(hash_of_next, next, |record| hash(hasher, &record.key));
                (Swap::Swapped, None)
            }
            _ => (Swap::Stale, None),
        }
    }

    /// Adds keys after `after` to the `limit` smallest found so far.
    pub(crate) fn list(
        &self,
        index: &Index<'_>,
        after: Option<Key>,
        limit: usize,
        smallest: &mut BinaryHeap<Key>,
    ) {
        for key in self.listings.range(index, after) {
            if smallest.len() >= limit {
                if smallest.peek().is_some_and(|largest| *largest < key) {
                    break;
                }
                smallest.pop();
            }
            smallest.push(key);
        }
    }

    /// Takes out at most `limit` records whose time is over, and says whether more are left.
    pub(crate) fn purge(&mut self, now: Timestamp, limit: usize) -> (Vec<Arc<Record>>, bool) {
        let over = |record: &Arc<Record>| record.retain_until < now;
        let purged: Vec<_> = self.records.extract_if(|record| over(record)).take(limit).collect();
        for record in &purged {
            self.listings.remove(record);
        }
        let more = purged.len() == limit && self.records.iter().any(over);
        if purged.len() > self.records.len() {
            let Self { records, hasher, .. } = self;
            records.shrink_to(2 * records.len(), |record| hash(hasher, &record.key));
        }
        (purged, more)
    }

    /// Whether the shard has doubled since the last sweep.
    pub(crate) fn is_due(&self) -> bool {
        self.records.len() >= self.sweep_at
    }

    /// Takes out all records whose time is over.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> Vec<Arc<Record>> {
        if !self.is_due() {
            return Vec::new();
        }
        let (swept, _) = self.purge(now, usize::MAX);
        self.sweep_at = MIN_SWEEP.max(2 * self.records.len());
        swept
    }
}
