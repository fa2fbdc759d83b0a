//! What purging leaves behind: nothing.

use std::sync::Arc;
use std::time::Duration;

use engines::Redis;
use futures_util::{StreamExt, stream};
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Index, Page, Record, Store, Swap};
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::AsyncCommands;

use crate::backend::{on, open, unused_prefix};
use crate::raw::Raw;
use crate::records::{CLIENT, HOUR, NOW, Records};

const MILLI: Duration = Duration::from_millis(1);

async fn fresh() -> (RedisStore, Raw) {
    let redis = Redis::shared();
    (open(on(redis), &unused_prefix()).await, Raw::on(redis).await)
}

async fn insert(store: &RedisStore, record: &Arc<Record>) {
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
}

async fn purge(store: &RedisStore, now: Timestamp) -> usize {
    let purged = store.purge(now, 1000).await.unwrap();
    assert!(!purged.more);
    purged.deleted
}

#[tokio::test]
async fn nothing_is_left_of_purged_records() {
    let (store, mut raw) = fresh().await;
    let records = Records::new(1);
    for _ in 0..50 {
        let grant = records.grant();
        insert(&store, &grant).await;
        let next = records.changed(&grant, |grant| grant.session = Some("session".into()));
        assert_eq!(store.swap(next, Some(grant.version)).await.unwrap(), Swap::Swapped);
    }
    let last = records.grant().retain_until;
    assert_eq!(purge(&store, last).await, 0);
    assert_eq!(purge(&store, last + MILLI).await, 50);
    assert!(raw.keys(store.prefix(), "r").await.is_empty());
    // Entries under the former columns: a write under way could still belong to them, for an hour.
    assert_eq!(purge(&store, last + 2 * HOUR).await, 0);
    assert_eq!(raw.keys(store.prefix(), "*").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_changed_column_does_not_list_a_grant_twice() {
    let (store, mut raw) = fresh().await;
    let records = Records::new(2);
    let first = records.grant();
    let second = records.changed(&first, |grant| grant.subject = Some("another".into()));
    insert(&store, &first).await;
    assert_eq!(store.swap(second.clone(), Some(first.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(raw.entries(store.prefix()).await, 6, "client, subject and purging, twice");
    for (index, found) in [
        (Index::Client(CLIENT), vec![second.key]),
        (Index::Subject("another"), vec![second.key]),
        (Index::Subject(first.subject().unwrap()), vec![]),
    ] {
        assert_eq!(store.list(index, Page::first(10)).await.unwrap().keys, found, "{index:?}");
    }
}

#[tokio::test]
async fn a_lost_race_leaves_no_entry() {
    let (store, mut raw) = fresh().await;
    let records = Records::new(3);
    let winner = records.grant();
    insert(&store, &winner).await;
    let entries = raw.entries(store.prefix()).await;
    for _ in 0..20 {
        let rival = records.changed(&winner, |grant| grant.subject = Some("rival".into()));
        assert_eq!(store.swap(rival.clone(), None).await.unwrap(), Swap::Stale);
        let unknown = Some(records.grant().version);
        assert_eq!(store.swap(rival, unknown).await.unwrap(), Swap::Stale);
    }
    assert_eq!(raw.entries(store.prefix()).await, entries);
    // A late delivery of the write that made the entries is stale too, and leaves them alone.
    let next = records.next(&winner);
    assert_eq!(store.swap(next.clone(), Some(winner.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(store.swap(winner, None).await.unwrap(), Swap::Stale);
    assert_eq!(raw.entries(store.prefix()).await, entries);
    assert_eq!(store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap().keys, [next.key]);
}

/// As when the process ended between the index and the record, or between the record's deletion and the index.
#[tokio::test]
async fn entries_without_a_record_are_doubted_for_an_hour_and_then_removed() {
    let (store, mut raw) = fresh().await;
    let over = Records::new(4).grant();
    let now = over.retain_until + MILLI;
    insert(&store, &over).await;
    for key in raw.keys(store.prefix(), "r").await {
        let _: () = raw.0.del(key).await.unwrap();
    }
    for time in [now, now + MILLI, now + HOUR] {
        assert_eq!(purge(&store, time).await, 0);
        assert_eq!(raw.entries(store.prefix()).await, 3, "client, subject and purging");
    }
    assert!(store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap().keys.is_empty());
    assert_eq!(purge(&store, now + HOUR + MILLI).await, 0);
    assert_eq!(raw.keys(store.prefix(), "*").await, Vec::<String>::new());
}

/// The entry of a write under way is looked at before the record is there.
#[tokio::test]
async fn a_record_that_arrives_after_its_entry_was_doubted_is_listed_and_purged() {
    for retained in [Duration::ZERO, 3 * HOUR] {
        let (store, mut raw) = fresh().await;
        let records = Records::new(5);
        let over = records.retained(&records.grant(), NOW - HOUR);
        insert(&store, &over).await;
        let name = raw.keys(store.prefix(), "r").await.remove(0);
        let value: Vec<u8> = raw.0.get(&name).await.unwrap();
        let _: () = raw.0.del(&name).await.unwrap();
        assert_eq!(purge(&store, NOW).await, 0);
        let _: () = raw.0.set(&name, value).await.unwrap();
        let kept = records.retained(&over, NOW + retained);
        assert_eq!(store.swap(kept.clone(), Some(over.version)).await.unwrap(), Swap::Swapped);

        assert_eq!(store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap().keys, [kept.key]);
        let after = if retained.is_zero() { 1 } else { 0 };
        assert_eq!(purge(&store, NOW + HOUR + MILLI).await, after);
        assert_eq!(purge(&store, NOW + retained + MILLI).await, 1 - after);
        assert_eq!(raw.keys(store.prefix(), "*").await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_retention_may_grow_and_shrink() {
    let (store, mut raw) = fresh().await;
    let records = Records::new(6);
    let mut stored = records.grant();
    insert(&store, &stored).await;
    for (hours, now, deleted) in
        [(30, 29, 0), (60, 40, 0), (50, 49, 0), (200, 100, 0), (120, 119, 0), (120, 121, 1)]
    {
        let next = records.retained(&stored, NOW + hours * HOUR);
        assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
        stored = next;
        assert_eq!(purge(&store, NOW + now * HOUR).await, deleted, "{hours} {now}");
    }
    assert_eq!(raw.keys(store.prefix(), "*").await, Vec::<String>::new());
}

/// Writers go on while very many records are purged in bounded batches; keys and memory return to where they were, each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purging_beside_load_deletes_what_is_over_and_nothing_else() {
    const OVER: usize = 20_000;
    const LIVE: usize = 200;
    let redis = Redis::start();
    let store = open(on(&redis), "load").await;
    let mut raw = Raw::on(&redis).await;
    let records = Records::new(7);
    let mut written: Vec<_> = (0..LIVE).map(|_| records.grant()).collect();
    for record in &written {
        insert(&store, record).await;
    }
    let base = raw.used_memory().await;
    for _ in 0..2 {
        let over = (0..OVER).map(|_| records.retained(&records.grant(), NOW - HOUR));
        let inserts = over.map(|record| async { insert(&store, &{ record }).await });
        stream::iter(inserts).buffer_unordered(64).for_each(async |()| {}).await;
        let full = raw.used_memory().await;
        let writing = async {
            for round in 0..2 * LIVE {
                let next = records.next(&written[round % LIVE]);
                let expected = Some(written[round % LIVE].version);
                assert_eq!(store.swap(next.clone(), expected).await.unwrap(), Swap::Swapped);
                written[round % LIVE] = next;
            }
        };
        let purging = async {
            let mut deleted = 0;
            loop {
                let purged = store.purge(NOW, 500).await.unwrap();
                assert!(purged.deleted <= 500);
                deleted += purged.deleted;
                if !purged.more {
                    return deleted;
                }
            }
        };
        let ((), deleted) = tokio::join!(writing, purging);
        assert_eq!(deleted, OVER);
        for record in &written {
            assert_eq!(store.load(&record.key).await.unwrap().as_ref(), Some(record));
        }
        assert_eq!(raw.keys("load", "r").await.len(), LIVE);
        assert_eq!(raw.entries("load").await, 3 * LIVE);
        let left = raw.used_memory().await;
        assert!(left < base + (full - base) / 10, "{base} bytes grew to {full} and shrank to {left}");
    }
}
