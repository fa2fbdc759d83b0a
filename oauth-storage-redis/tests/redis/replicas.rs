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
    for (record, expected) in [(next.clone(), Some(stored.version)), (records.grant(), None)] {
        let swap = store.swap(record, expected).await;
        assert!(matches!(swap, Err(StoreError::Unavailable(_))), "{swap:?}");
        let load = store.load(&stored.key).await;
        assert!(matches!(load, Err(StoreError::Unavailable(_))), "{load:?}");
    }
    raw.ask::<()>("REPLICAOF", &["NO", "ONE"]).await;
    assert_eq!(store.load(&stored.key).await.unwrap(), Some(stored.clone()));
    assert_eq!(store.swap(next, Some(stored.version)).await.unwrap(), Swap::Swapped);
}
