//! The server goes and comes back; the store stays the same object.

use std::time::Duration;

use engines::{Redis, RedisCluster};
use oauth_core::storage::{Index, Page, Store, StoreError, Swap};
use oauth_storage_redis::RedisStore;
use tokio::time::Instant;

use crate::backend::{on, on_cluster};
use crate::records::{CLIENT, NOW, Records};

/// Inside a request's deadline of two seconds.
const SOON: Duration = Duration::from_millis(1900);
const DURABLE: [(&str, &str); 2] = [("appendonly", "yes"), ("appendfsync", "always")];

/// Every method fails in time, none with an answer.
async fn fails(store: &RedisStore, records: &Records) {
    let (insert, stored) = (records.grant(), records.grant());
    let next = records.next(&stored);
    let began = Instant::now();
    assert!(matches!(store.load(&stored.key).await, Err(StoreError::Unavailable(_))));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    for (record, expected) in [(insert, None), (next, Some(stored.version))] {
        let began = Instant::now();
        let swap = store.swap(record, expected).await;
        assert!(matches!(swap, Err(StoreError::Unavailable(_) | StoreError::Unknown(_))), "{swap:?}");
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
    let began = Instant::now();
    assert!(store.list(Index::Client("client"), Page::first(1)).await.is_err());
    assert!(store.purge(NOW, 1).await.is_err());
    assert!(began.elapsed() < 2 * SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_was_answered_survives_a_crash_and_the_store_recovers() {
    let redis = Redis::start_with(&DURABLE);
    let store = on(&redis).connect().await.unwrap();
    let records = Records::new(1);
    let mut stored = Vec::new();
    for round in 0..5 {
        for _ in 0..40 {
            let first = records.grant();
            let second = records.next(&first);
            assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Swapped);
            assert_eq!(store.swap(second.clone(), Some(first.version)).await.unwrap(), Swap::Swapped);
            stored.push(second);
        }
        redis.crash();
        if round == 0 {
            fails(&store, &records).await;
            // Nothing can have been sent, and that is known.
            let swap = store.swap(records.grant(), None).await;
            assert!(matches!(swap, Err(StoreError::Unavailable(_))), "{swap:?}");
        }
        redis.restart();
        for record in &stored {
            assert_eq!(store.load(&record.key).await.unwrap().as_ref(), Some(record), "round {round}");
        }
    }
    let listed = store.list(Index::Client(CLIENT), Page::first(1000)).await.unwrap();
    assert_eq!(listed.keys.len(), stored.len());
}

#[tokio::test]
async fn a_cluster_keeps_what_was_answered_and_the_store_recovers() {
    let cluster = RedisCluster::start_with(&DURABLE);
    let store = on_cluster(&cluster).connect().await.unwrap();
    let records = Records::new(2);
    let stored: Vec<_> = (0..50).map(|_| records.grant()).collect();
    for record in &stored {
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    }
    cluster.crash();
    fails(&store, &records).await;
    cluster.restart();
    // The driver finds the nodes again in its own time.
    let began = Instant::now();
    while store.load(&stored[0].key).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "the store does not recover");
        tokio::task::yield_now().await;
    }
    for record in &stored {
        assert_eq!(store.load(&record.key).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(store.swap(records.next(&stored[0]), Some(stored[0].version)).await.unwrap(), Swap::Swapped);
}

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for() {
    let redis = Redis::start();
    let store = on(&redis).timeout(Duration::from_millis(300)).connect().await.unwrap();
    let records = Records::new(3);
    let stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    redis.pause();
    fails(&store, &records).await;
    let next = records.next(&stored);
    let swap = store.swap(next, Some(stored.version)).await;
    assert!(matches!(swap, Err(StoreError::Unavailable(_) | StoreError::Unknown(_))), "{swap:?}");
    redis.resume();
    assert!(store.load(&stored.key).await.unwrap().is_some());
}

#[tokio::test]
async fn replicas_that_are_not_there_leave_the_outcome_unknown() {
    let redis = Redis::start();
    let store = on(&redis).wait_replicas(1, Duration::from_millis(20)).connect().await.unwrap();
    let records = Records::new(4);
    let record = records.grant();
    let insert = store.swap(record.clone(), None).await;
    assert!(matches!(insert, Err(StoreError::Unknown(_))), "{insert:?}");
    let plain = on(&redis).connect().await.unwrap();
    assert_eq!(plain.load(&record.key).await.unwrap(), Some(record.clone()));
    let next = records.next(&record);
    let swap = store.swap(next.clone(), Some(record.version)).await;
    assert!(matches!(swap, Err(StoreError::Unknown(_))), "{swap:?}");
    assert_eq!(plain.load(&next.key).await.unwrap(), Some(next));
}
