//! The line to the server breaks; each call is delivered again, and is recognised.

use std::time::Duration;

use engines::{Answers, Redis, Upstream, Wire};
use oauth_core::storage::{Index, Page, Store, StoreError, Swap};
use oauth_storage_redis::{Builder, RedisStore};

use crate::backend::{on, unused_prefix};
use crate::records::{CLIENT, HOUR, NOW, Records};

/// A line to the server that the tests share, and a store at its end.
async fn wired(configure: impl Fn(Builder) -> Builder) -> (Wire, RedisStore) {
    let wire = Wire::to(Upstream::Unix(Redis::shared().socket()));
    let client = oauth_storage_redis::redis::Client::open(format!("redis://{}", wire.address())).unwrap();
    let builder = configure(RedisStore::single(client).prefix(unused_prefix()));
    let store = builder.connect().await.expect("the server runs");
    (wire, store)
}

#[tokio::test]
async fn a_broken_connection_disturbs_nobody() {
    let (wire, store) = wired(|builder| builder).await;
    let records = Records::new(1);
    let mut stored = records.grant();
    wire.cut();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    for _ in 0..20 {
        wire.cut();
        assert_eq!(store.load(&stored.key).await.unwrap(), Some(stored.clone()));
        wire.cut();
        let next = records.next(&stored);
        assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
        stored = next;
        wire.cut();
        let listing = store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap();
        assert_eq!(listing.keys, [stored.key]);
        wire.cut();
        assert!(!store.purge(NOW, 10).await.unwrap().more);
    }
}

/// The write has happened and its answer is lost, also when it is delivered again: the outcome is not known.
#[tokio::test]
async fn a_lost_answer_is_an_unknown_outcome() {
    let (wire, store) = wired(|builder| builder).await;
    let plain = on(Redis::shared()).prefix(store.prefix()).connect().await.unwrap();
    let records = Records::new(2);
    let stored = records.grant();
    let next = records.next(&stored);
    for (record, expected) in [(stored.clone(), None), (next, Some(stored.version))] {
        wire.answers(Answers::Pass);
        store.load(&record.key).await.unwrap();
        wire.answers(Answers::Lose(""));
        let swap = store.swap(record.clone(), expected).await;
        assert!(matches!(swap, Err(StoreError::Unknown(_) | StoreError::Unavailable(_))), "{swap:?}");
        let load = store.load(&record.key).await;
        assert!(matches!(load, Err(StoreError::Unavailable(_))), "{load:?}");
        wire.answers(Answers::Pass);
        assert_eq!(plain.load(&record.key).await.unwrap(), Some(record.clone()));
        assert_eq!(store.swap(record, expected).await.unwrap(), Swap::Swapped, "it is one's own");
    }
}

/// One answer is lost; the second delivery finds the first.
#[tokio::test]
async fn a_second_delivery_recognises_the_first() {
    let (wire, store) = wired(|builder| builder).await;
    let records = Records::new(3);
    let stored = records.grant();
    let next = records.retained(&stored, NOW - HOUR);
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    // The answer to a swap that shortens the retention is an array; that to its second delivery as well.
    wire.answers(Answers::Lose("*2\r\n:5"));
    assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
    wire.answers(Answers::Pass);
    assert_eq!(store.load(&next.key).await.unwrap(), Some(next));
    assert_eq!(store.purge(NOW, 10).await.unwrap().deleted, 1, "it is purged by its shorter time");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let (wire, store) = wired(|builder| builder.timeout(Duration::from_millis(200))).await;
    let records = Records::new(4);
    let stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    wire.answers(Answers::Hold);
    let next = records.next(&stored);
    let swap = store.swap(next.clone(), Some(stored.version)).await;
    assert!(matches!(swap, Err(StoreError::Unknown(_))), "{swap:?}");
    let load = store.load(&stored.key).await;
    assert!(matches!(load, Err(StoreError::Unavailable(_))), "{load:?}");
    wire.answers(Answers::Pass);
    assert_eq!(store.load(&next.key).await.unwrap(), Some(next));
}
