//! A plain store with one flaw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::grant::{Grant, State};
use oauth_core::storage::testing::{Backend, yield_once};
use oauth_core::storage::{
    Body, Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    ReadThenWrite,
    LastWriteWins,
    StaleToItsOwnWrite,
    WritesItsOwnAgain,
    ReadsStale,
    CachesPerHandle,
    ForgetsRevocations,
    WritesOverRevoked,
    WritesInTwoSteps,
    IndexesAfterWriting,
    AnswersANeighbour,
    IgnoresTheNamespace,
    ForgetsTheSession,
    HidesExpired,
    FailureIsAbsence,
    ListMissesTheLast,
    ListIgnoresTheLimit,
    ListIgnoresAfter,
    ListNeedsTheLastKey,
    ListIgnoresCase,
    ListKeepsTheFirstIndex,
    PurgesTheBoundary,
    PurgesRevoked,
    PurgesByTheGrantsEnd,
    PurgesByTheFirstTime,
    PurgesWithoutLimit,
    PurgeForgetsMore,
}

/// The backend of stores with that flaw.
pub(crate) struct Flawed(pub(crate) Flaw);

impl Backend for Flawed {
    type Store = FlawedStore;

    async fn fresh(&self) -> FlawedStore {
        FlawedStore { flaw: self.0, reachable: true, data: Arc::default(), cache: Mutex::default() }
    }

    async fn reopen(&self, store: &FlawedStore) -> FlawedStore {
        FlawedStore { flaw: self.0, reachable: true, data: store.data.clone(), cache: Mutex::default() }
    }

    async fn unreachable(&self) -> Option<FlawedStore> {
        Some(FlawedStore { flaw: self.0, reachable: false, data: Arc::default(), cache: Mutex::default() })
    }
}

#[derive(Debug)]
pub(crate) struct FlawedStore {
    flaw: Flaw,
    reachable: bool,
    data: Arc<Mutex<Data>>,
    /// What this handle has read, for the flaw of reading it again.
    cache: Mutex<BTreeMap<Key, Arc<Record>>>,
}

#[derive(Debug, Default)]
struct Data {
    records: BTreeMap<Key, Arc<Record>>,
    before: BTreeMap<Key, Arc<Record>>,
    first: BTreeMap<Key, Arc<Record>>,
    indexed: BTreeSet<(u8, String, Key)>,
}

fn columns(record: &Record) -> impl Iterator<Item = (u8, String, Key)> + '_ {
    let columns = [record.client_id(), record.subject(), record.session()];
    (0..).zip(columns).filter_map(|(column, value)| Some((column, value?.to_owned(), record.key)))
}

impl Data {
    fn find(&self, key: &Key, flaw: Flaw) -> Option<Arc<Record>> {
        let found = match flaw {
            Flaw::AnswersANeighbour => {
                self.records.range(key..).next().or(self.records.iter().next_back()).map(|(_, found)| found)
            }
            Flaw::IgnoresTheNamespace => self.records.values().find(|found| found.key.id() == key.id()),
            Flaw::ReadsStale => self.before.get(key).or_else(|| self.records.get(key)),
            _ => self.records.get(key),
        };
        found.cloned()
    }

    fn answer(&self, next: &Record, expected: Option<Version>, flaw: Flaw) -> (Swap, bool) {
        let stored = self.records.get(&next.key);
        let own = stored.is_some_and(|stored| stored.version == next.version);
        let mut expects = stored.map(|stored| stored.version) == expected;
        expects |= flaw == Flaw::WritesOverRevoked && stored.is_some_and(|stored| is_revoked(stored));
        match flaw {
            Flaw::LastWriteWins => (Swap::Swapped, true),
            Flaw::WritesItsOwnAgain if own => (Swap::Swapped, true),
            _ if own && flaw != Flaw::StaleToItsOwnWrite => (Swap::Swapped, false),
            _ if expects => (Swap::Swapped, true),
            _ => (Swap::Stale, false),
        }
    }

    fn write(&mut self, next: &Arc<Record>) {
        if let Some(before) = self.records.insert(next.key, next.clone()) {
            self.before.insert(next.key, before);
        }
        self.first.entry(next.key).or_insert_with(|| next.clone());
    }

    fn index(&mut self, next: &Record) {
        self.indexed.extend(columns(next));
    }
}

fn is_revoked(record: &Record) -> bool {
    record.grant().is_some_and(|grant| matches!(grant.state, State::Revoked { .. }))
}

fn without_session(record: &Record) -> Arc<Record> {
    let body = match &record.body {
        Body::Grant(grant) => Body::Grant(Grant { session: None, ..grant.clone() }),
        other => other.clone(),
    };
    Arc::new(Record { body, ..record.clone() })
}

impl FlawedStore {
    fn data(&self) -> StoreResult<MutexGuard<'_, Data>> {
        if self.reachable {
            return Ok(self.data.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Err(StoreError::unavailable("not reachable"))
    }

    fn cached(&self, key: &Key) -> Option<Arc<Record>> {
        self.cache.lock().unwrap().get(key).cloned()
    }
}

#[async_trait]
impl Store for FlawedStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        if self.flaw == Flaw::CachesPerHandle
            && let Some(cached) = self.cached(key)
        {
            return Ok(Some(cached));
        }
        let found = match self.data() {
            Err(_) if self.flaw == Flaw::FailureIsAbsence => None,
            Err(error) => return Err(error),
            Ok(data) => data.find(key, self.flaw),
        };
        if let Some(found) = &found {
            self.cache.lock().unwrap().insert(*key, found.clone());
        }
        // The suite's present is 2100-01-01.
        let hidden = |record: &Record| record.retain_until.as_secs() < 4_102_444_800;
        Ok(match (self.flaw, found) {
            (Flaw::HidesExpired, Some(found)) if hidden(&found) => None,
            (Flaw::ForgetsTheSession, Some(found)) => Some(without_session(&found)),
            (_, found) => found,
        })
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        if self.flaw == Flaw::ReadThenWrite {
            let (answer, write) = self.data()?.answer(&next, expected, self.flaw);
            yield_once().await;
            if write {
                self.data()?.write(&next);
                self.data()?.index(&next);
            }
            return Ok(answer);
        }
        if self.flaw == Flaw::WritesInTwoSteps {
            let (answer, write) = self.data()?.answer(&next, expected, self.flaw);
            if write {
                self.data()?.records.remove(&next.key);
                yield_once().await;
                self.data()?.write(&next);
                self.data()?.index(&next);
            }
            return Ok(answer);
        }
        let answer = {
            let mut data = self.data()?;
            let (answer, write) = data.answer(&next, expected, self.flaw);
            if !write {
                return Ok(answer);
            }
            let forgotten = self.flaw == Flaw::ForgetsRevocations && is_revoked(&next);
            if !forgotten {
                data.write(&next);
            }
            if self.flaw != Flaw::IndexesAfterWriting {
                data.index(&next);
            }
            answer
        };
        yield_once().await;
        self.data()?.index(&next);
        self.cache.lock().unwrap().insert(next.key, next);
        Ok(answer)
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let data = self.data()?;
        let (column, value) = match index {
            Index::Client(value) => (0, value),
            Index::Subject(value) => (1, value),
            Index::Session(value) => (2, value),
            other => return Err(StoreError::unavailable(format!("{other:?}"))),
        };
        let first_only = |key: &Key| {
            data.first
                .get(key)
                .is_some_and(|first| columns(first).any(|own| (own.0, &*own.1) == (column, value)))
        };
        let matches = |entry: &&(u8, String, Key)| match self.flaw {
            Flaw::ListIgnoresCase => entry.0 == column && entry.1.eq_ignore_ascii_case(value),
            Flaw::ListKeepsTheFirstIndex => entry.0 == column && entry.1 == value && first_only(&entry.2),
            _ => entry.0 == column && entry.1 == value,
        };
        let keys: BTreeSet<Key> = data.indexed.iter().filter(matches).map(|entry| entry.2).collect();
        let mut keys: Vec<Key> = match page.after {
            Some(_) if self.flaw == Flaw::ListIgnoresAfter => keys.into_iter().collect(),
            Some(after) if self.flaw == Flaw::ListNeedsTheLastKey && !data.records.contains_key(&after) => {
                Vec::new()
            }
            after => keys.into_iter().filter(|key| after.is_none_or(|after| *key > after)).collect(),
        };
        if self.flaw == Flaw::ListMissesTheLast && keys.len() > 1 {
            keys.pop();
        }
        if self.flaw == Flaw::ListIgnoresTheLimit {
            return Ok(Listing { keys, next: None });
        }
        let more = keys.len() > page.limit;
        keys.truncate(page.limit);
        let next = keys.last().copied().filter(|_| more);
        Ok(Listing { keys, next })
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        let mut data = self.data()?;
        let over = |record: &&Arc<Record>| match self.flaw {
            Flaw::PurgesTheBoundary => record.retain_until <= now,
            Flaw::PurgesRevoked => record.retain_until < now || is_revoked(record),
            Flaw::PurgesByTheGrantsEnd => {
                record.grant().map_or(record.retain_until, |grant| grant.expires_at) < now
            }
            Flaw::PurgesByTheFirstTime => data.first[&record.key].retain_until < now,
            _ => record.retain_until < now,
        };
        let over: Vec<Key> = data.records.values().filter(over).map(|record| record.key).collect();
        let limit = if self.flaw == Flaw::PurgesWithoutLimit { usize::MAX } else { limit };
        for key in over.iter().take(limit) {
            data.records.remove(key);
            data.first.remove(key);
            data.before.remove(key);
        }
        let more = over.len() > limit && self.flaw != Flaw::PurgeForgetsMore;
        Ok(Purged { deleted: over.len().min(limit), more })
    }
}
