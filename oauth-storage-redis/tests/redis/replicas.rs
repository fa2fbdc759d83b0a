//! A server with a replica, and a failover to it.

use std::time::Duration;

use engines::Redis;
use oauth_core::storage::{Index, Page, Store, StoreError, Swap};
use oauth_storage_redis::StartError;

use crate::backend::on;
use crate::raw::Raw;
use crate::records::{CLIENT, Records};

/// The replica copies everything first.
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_was_waited_for_survives_a_failover() {
    let (primary, replica) = Redis::start_with_replica();
    let store = on(&primary).timeout(2 * LONG).wait_replicas(1, LONG).connect().await.unwrap();
    let records = Records::new(1);
    let mut stored = Vec::new();
    for place in 0..50 {
        let first = records.grant();
        assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Swapped);
        let second = records.changed(&first, |grant| {
            grant.session = (place % 2 == 0).then(|| "session".into());
        });
        assert_eq!(store.swap(second.clone(), Some(first.version)).await.unwrap(), Swap::Swapped);
        assert_eq!(store.swap(second.clone(), Some(first.version)).await.unwrap(), Swap::Swapped);
        stored.push(second);
    }
    primary.crash();
    Raw::on(&replica).await.ask::<()>("REPLICAOF", &["NO", "ONE"]).await;

    let store = on(&replica).connect().await.unwrap();
    for record in &stored {
        assert_eq!(store.load(&record.key).await.unwrap().as_ref(), Some(record));
    }
    for (index, wanted) in [(Index::Client(CLIENT), 50), (Index::Session("session"), 25)] {
        assert_eq!(store.list(index, Page::first(100)).await.unwrap().keys.len(), wanted);
    }
    let last = stored[0].retain_until + Duration::from_millis(1);
    assert_eq!(store.purge(last, 100).await.unwrap().deleted, 50);
}

/// A replica would answer loads from the past, and a primary may become one.
#[tokio::test]
async fn a_replica_is_not_used() {
    let (primary, replica) = Redis::start_with_replica();
    let refused = on(&replica).connect().await;
    assert!(matches!(refused, Err(StartError::Unreachable(_))), "{refused:?}");

    let mut raw = Raw::on(&replica).await;
    raw.ask::<()>("REPLICAOF", &["NO", "ONE"]).await;
    let store = on(&replica).connect().await.unwrap();
    let records = Records::new(2);
    let stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);

    // Nobody listens there, so it keeps what it has.
    primary.crash();
    raw.ask::<()>("REPLICAOF", &["127.0.0.1", "1"]).await;
    let next = records.next(&stored);
    // Nothing has told the store yet: neither a load nor a list nor a lost race is answered from what was.
    let load = store.load(&stored.key).await;
    assert!(matches!(load, Err(StoreError::Unavailable(_))), "{load:?}");
    for (record, expected) in [
        (next.clone(), Some(stored.version)),
        (records.grant(), None),
        (records.next(&stored), Some(next.version)),
    ] {
        let swap = store.swap(record, expected).await;
        assert!(matches!(swap, Err(StoreError::Unavailable(_))), "{swap:?}");
        let load = store.load(&stored.key).await;
        assert!(matches!(load, Err(StoreError::Unavailable(_))), "{load:?}");
    }
    raw.ask::<()>("REPLICAOF", &["NO", "ONE"]).await;
    assert_eq!(store.load(&stored.key).await.unwrap(), Some(stored.clone()));
    assert_eq!(store.swap(next, Some(stored.version)).await.unwrap(), Swap::Swapped);
}

/// What a connection answers that was open when its primary became a replica.
#[tokio::test]
async fn a_demoted_primary_answers_nothing_on_an_open_connection() {
    for question in 0..4 {
        let redis = Redis::start();
        let store = on(&redis).connect().await.unwrap();
        let records = Records::new(3);
        let stored = records.grant();
        assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
        Raw::on(&redis).await.ask::<()>("REPLICAOF", &["127.0.0.1", "1"]).await;
        let error = match question {
            0 => store.load(&stored.key).await.map(drop).unwrap_err(),
            1 => store.list(Index::Client(CLIENT), Page::first(1)).await.map(drop).unwrap_err(),
            2 => store.list(Index::Client("of none"), Page::first(1)).await.map(drop).unwrap_err(),
            _ => store.swap(records.next(&stored), None).await.map(drop).unwrap_err(),
        };
        assert!(matches!(error, StoreError::Unavailable(_)), "{question}: {error:?}");
    }
}

/// A primary that is cut off from its replicas may have a successor already: with `min-replicas-to-write` it stops answering.
#[tokio::test]
async fn a_primary_that_lacks_its_replicas_is_not_read() {
    let redis = Redis::start();
    let store = on(&redis).connect().await.unwrap();
    let records = Records::new(4);
    let stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    let mut raw = Raw::on(&redis).await;
    raw.ask::<()>("CONFIG", &["SET", "min-replicas-to-write", "1"]).await;
    let next = records.next(&stored);
    let answers = [
        store.load(&stored.key).await.map(drop),
        store.list(Index::Client(CLIENT), Page::first(1)).await.map(drop),
        store.swap(next.clone(), Some(stored.version)).await.map(drop),
        store.swap(next.clone(), Some(next.version)).await.map(drop),
    ];
    for (place, answer) in answers.into_iter().enumerate() {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{place}: {answer:?}");
    }
    raw.ask::<()>("CONFIG", &["SET", "min-replicas-to-write", "0"]).await;
    assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&next.key).await.unwrap(), Some(next));
}
