//! A server that refuses a part of a write: no record is without its index entries, and nobody is told that it were written.

use engines::{Redis, RedisCluster};
use oauth_core::storage::{Index, Page, Store, StoreError, Swap};
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::Client;

use crate::backend::{on, on_cluster};
use crate::raw::Raw;
use crate::records::{CLIENT, HOUR, NOW, Records};

/// What the one user of these servers may do.
async fn permit(servers: &mut [Raw], permission: &str) {
    for server in servers {
        server.ask::<()>("ACL", &["SETUSER", "default", permission]).await;
    }
}

/// Without its index nothing is written, and what was written before stays as it was.
async fn nothing_is_written_without_its_index(store: &RedisStore, servers: &mut [Raw]) {
    let records = Records::new(1);
    let stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    let moved = records.changed(&stored, |grant| grant.subject = Some("another".into()));
    let fresh = records.grant();

    permit(servers, "-zadd").await;
    for (record, expected) in [(&fresh, None), (&moved, Some(stored.version))] {
        let swap = store.swap(record.clone(), expected).await;
        assert!(matches!(swap, Err(StoreError::Unavailable(_) | StoreError::Unknown(_))), "{swap:?}");
    }
    assert_eq!(store.load(&fresh.key).await.unwrap(), None);
    assert_eq!(store.load(&stored.key).await.unwrap(), Some(stored.clone()));
    let mut entries = 0;
    for server in &mut *servers {
        entries += server.entries(store.prefix()).await;
    }
    assert_eq!(entries, 3, "those of the stored record");

    permit(servers, "+zadd").await;
    for (record, expected) in [(&fresh, None), (&moved, Some(stored.version))] {
        assert_eq!(store.swap(record.clone(), expected).await.unwrap(), Swap::Swapped);
        let index = Index::Subject(record.subject().expect("it has one"));
        assert_eq!(store.list(index, Page::first(10)).await.unwrap().keys, [record.key]);
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_index_gets_no_record() {
    let redis = Redis::start();
    let store = on(&redis).connect().await.unwrap();
    nothing_is_written_without_its_index(&store, &mut [Raw::on(&redis).await]).await;
}

#[tokio::test]
async fn a_cluster_that_refuses_the_index_gets_no_record() {
    let cluster = RedisCluster::start();
    let store = on_cluster(&cluster).connect().await.unwrap();
    let mut servers = Vec::new();
    for url in cluster.urls() {
        let client = Client::open(url).expect("a valid URL");
        servers.push(Raw(client.get_multiplexed_async_connection().await.expect("the node runs")));
    }
    nothing_is_written_without_its_index(&store, &mut servers).await;
}

/// Only the last step of the script fails, and only while it runs.
#[tokio::test]
async fn a_listing_that_is_no_set_is_an_error_and_not_a_record() {
    let redis = Redis::start();
    let store = on(&redis).connect().await.unwrap();
    let mut raw = Raw::on(&redis).await;
    let records = Records::new(2);
    let first = records.grant();
    assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Swapped);
    for listing in raw.keys(store.prefix(), "i").await {
        raw.ask::<()>("SET", &[&listing, "no set"]).await;
    }
    let second = records.grant();
    let swap = store.swap(second.clone(), None).await;
    assert!(swap.is_err(), "{swap:?}");
    assert_eq!(store.load(&second.key).await.unwrap(), None);
    assert!(store.list(Index::Client(CLIENT), Page::first(10)).await.is_err());
}

/// The index stands then, and names what is not there; a purge removes it in time.
#[tokio::test]
async fn a_server_that_refuses_the_record_lists_nothing() {
    let redis = Redis::start();
    let store = on(&redis).connect().await.unwrap();
    let mut servers = [Raw::on(&redis).await];
    let record = Records::new(3).grant();
    permit(&mut servers, "-set").await;
    let swap = store.swap(record.clone(), None).await;
    assert!(matches!(swap, Err(StoreError::Unavailable(_))), "{swap:?}");
    assert_eq!(store.load(&record.key).await.unwrap(), None);
    assert!(store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap().keys.is_empty());
    permit(&mut servers, "+set").await;
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    assert_eq!(store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap().keys, [record.key]);
}

/// What the crate's documentation says that a user needs.
#[tokio::test]
async fn the_documented_permissions_will_do() {
    let redis = Redis::start();
    let mut raw = Raw::on(&redis).await;
    let restricted = "resetkeys ~narrow:* -@all +acl +info +eval +evalsha +getex +getrange +setrange +set +del \
        +persist +zadd +zrem +zrange +zcount";
    let mut arguments = vec!["SETUSER", "default"];
    arguments.extend(restricted.split_whitespace());
    raw.ask::<()>("ACL", &arguments).await;
    let store = on(&redis).prefix("narrow").connect().await.unwrap();
    let records = Records::new(4);
    let first = records.grant();
    assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Swapped);
    let moved = records.changed(&first, |grant| grant.subject = Some("another".into()));
    assert_eq!(store.swap(moved.clone(), Some(first.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Stale);
    let over = records.retained(&moved, NOW);
    assert_eq!(store.swap(over.clone(), Some(moved.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap().keys, [over.key]);
    assert_eq!(store.purge(NOW + HOUR, 10).await.unwrap().deleted, 1);
    assert_eq!(store.load(&over.key).await.unwrap(), None);
    assert_eq!(store.purge(NOW + 3 * HOUR, 10).await.unwrap().deleted, 0, "entries of former columns");
}
