//! Listings may say too much, never too little.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::backend::{EndOf, drive, on_threads};
use super::probe::Probe;
use super::sample::{HOUR, NOW, Sample};
use super::{Backend, Store, Task, broken};
use crate::storage::{Index, Key, Page};

const COMPLETE: &str = "list never misses a record whose write was acknowledged and that still exists";
const OF_THE_SET: &str = "list names what is or was of the set, and nothing else";

/// Grants are found by each of their three columns, values compared exactly.
pub fn listing_finds_by_client_subject_and_session<B: Backend>(backend: &B) {
    let sample = Sample::new(60);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let values = ["a", "A", "a ", "%", "_", "é", "aa", "a'--", "client", "🦀"];
        let mut records = Vec::new();
        for (place, value) in values.into_iter().enumerate() {
            let other = values[(place + 1) % values.len()];
            records.push(sample.grant_of(value, Some(other), None));
            records.push(sample.grant_of("shared", Some(value), Some(other)));
            records.push(sample.grant_of(other, None, Some(value)));
        }
        for record in &records {
            store.insert(record).await;
        }
        for value in values.into_iter().chain(["shared", "nobody"]) {
            for index in [Index::Client(value), Index::Subject(value), Index::Session(value)] {
                let wanted =
                    records.iter().filter(|record| index.matches(record)).map(|record| record.key).collect();
                expect_exactly(&store, index, 100, &wanted).await;
            }
        }
    });
}

/// Consents and sessions name subjects and clients too, but are not listed.
pub fn listing_holds_grants_only<B: Backend>(backend: &B) {
    let sample = Sample::new(61);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let mut grants = BTreeSet::new();
        for body in sample.bodies() {
            let record = sample.record(body);
            store.insert(&record).await;
            if record.subject().is_some() {
                grants.insert(record.key);
            }
        }
        expect_exactly(&store, Index::Subject("subject"), 100, &grants).await;
        expect_exactly(&store, Index::Session("session"), 100, &grants).await;
    });
}

/// Whatever the size of a page, the pages together name each key once, and in the same order each time.
pub fn listing_pages_name_each_key_once<B: Backend>(backend: &B) {
    let sample = Sample::new(62);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let mut wanted = BTreeSet::new();
        for place in 0..150 {
            let record =
                sample.grant_of(if place % 3 == 0 { "other" } else { "client" }, Some("subject"), None);
            store.insert(&record).await;
            if place % 3 != 0 {
                wanted.insert(record.key);
            }
        }
        for limit in [1, 2, 7, 99, 100, 101, 1000] {
            expect_exactly(&store, Index::Client("client"), limit, &wanted).await;
        }
        let order = store.list(Index::Client("client"), 7).await;
        if store.list(Index::Client("client"), 13).await != order {
            broken("the order of a listing is stable", "it depends on the size of the pages");
        }
    });
}

/// A grant that gets a subject and a session only later is listed by them then, and by each value that it gets.
pub fn listing_follows_a_rewritten_record<B: Backend>(backend: &B) {
    let sample = Sample::new(63);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let mut stored = sample.grant_of("client", None, None);
        store.insert(&stored).await;
        for value in ["first", "second"] {
            let next = sample.next_grant(&stored, |grant| {
                grant.subject = Some(value.into());
                grant.session = Some(value.into());
            });
            store.replace(&stored, &next).await;
            for index in [Index::Client("client"), Index::Subject(value), Index::Session(value)] {
                store.expect_listed(index, next.key).await;
            }
            stored = next;
        }
        let same = sample.next_grant(&stored, |_| {});
        store.replace(&stored, &same).await;
        store.expect_listed(Index::Subject("second"), same.key).await;
    });
}

/// The key that a page ended with may be gone when the next is asked for.
pub fn listing_goes_on_after_a_purged_key<B: Backend>(backend: &B) {
    let sample = Sample::new(64);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        for _ in 0..20 {
            store.insert(&sample.grant_of("client", None, None)).await;
        }
        let all = store.list(Index::Client("client"), 100).await;
        let last =
            *all.get(9).unwrap_or_else(|| broken(COMPLETE, format_args!("{} of 20 are listed", all.len())));
        let Some(record) = store.load(last).await else { broken(COMPLETE, "a listed record is absent") };
        store.replace(&record, &sample.retained(&record, NOW - HOUR)).await;
        store.purge_all(NOW, 100).await;
        store.expect_absent(last, "purge deletes what is past its time").await;
        let page = store.0.list(Index::Client("client"), Page::after(last, 100)).await;
        let rest: BTreeSet<Key> = page.map(|page| page.keys).unwrap_or_default().into_iter().collect();
        if all[10..].iter().any(|key| !rest.contains(key)) {
            broken(COMPLETE, "keys are missing after a key that has been purged");
        }
    });
}

/// While some threads insert, others list: what was acknowledged before the first page is always there.
pub fn listing_never_misses_while_others_insert<B: Backend>(backend: &B) {
    let sample = &Sample::new(65);
    let handles = drive(backend, async {
        let first = Probe(backend.fresh().await);
        let mut handles = Vec::new();
        for _ in 0..3 {
            handles.push(Probe(backend.reopen(&first.0).await));
        }
        handles.push(first);
        handles
    });
    let acknowledged = &Mutex::new(Vec::new());
    let ended = &[AtomicBool::new(false), AtomicBool::new(false)];
    let known = || acknowledged.lock().expect("no check panics while it holds the lock").clone();
    let known = &known;
    let tasks = handles.iter().enumerate().map(|(place, store)| -> Task<'_> {
        if place % 2 == 0 {
            return Box::pin(async move {
                let _end = EndOf(&ended[place / 2]);
                for _ in 0..60 {
                    let record = sample.grant_of("client", Some("subject"), None);
                    store.insert(&record).await;
                    acknowledged.lock().expect("no check panics while it holds the lock").push(record.key);
                }
            });
        }
        Box::pin(async move {
            let mut last = false;
            while !last {
                last = ended.iter().all(|end| end.load(Ordering::SeqCst));
                let before = known();
                let listed: BTreeSet<Key> =
                    store.list(Index::Subject("subject"), 16).await.into_iter().collect();
                if let Some(key) = before.iter().find(|key| !listed.contains(key)) {
                    broken(COMPLETE, format_args!("{key:?} is missing while others insert"));
                }
            }
        })
    });
    on_threads(backend, tasks.collect());
    let listed = drive(backend, handles[0].list(Index::Client("client"), 100)).len();
    if listed != 120 {
        broken(COMPLETE, format_args!("{listed} of 120 are listed"));
    }
}

async fn expect_exactly<S: Store>(store: &Probe<S>, index: Index<'_>, limit: usize, wanted: &BTreeSet<Key>) {
    let listed = store.list(index, limit).await;
    let set: BTreeSet<Key> = listed.iter().copied().collect();
    if set.len() != listed.len() {
        broken("the pages of a listing name each key once", format_args!("{index:?} names keys twice"));
    }
    if let Some(key) = wanted.difference(&set).next() {
        broken(COMPLETE, format_args!("{key:?} is missing from {index:?} with pages of {limit}"));
    }
    if let Some(key) = set.difference(wanted).next() {
        broken(OF_THE_SET, format_args!("{index:?} names {key:?}"));
    }
}
