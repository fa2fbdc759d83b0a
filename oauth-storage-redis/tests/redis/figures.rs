//! What it costs: bytes and round trips. Printed with `--nocapture`.
#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::sync::Arc;

use engines::{Redis, Upstream, Wire};
use oauth_core::storage::{Index, Page, Record, Store, Swap};
use oauth_storage_redis::redis::Client;
use oauth_storage_redis::{Builder, RedisStore};

use crate::backend::{on, unused_prefix};
use crate::raw::Raw;
use crate::records::{CLIENT, HOUR, NOW, Records};

async fn insert(store: &RedisStore, record: &Arc<Record>) {
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
}

/// Bytes a live grant, of which in the record's key.
async fn bytes_of_a_grant(configure: impl Fn(Builder) -> Builder) -> (u64, u64) {
    const GRANTS: usize = 10_000;
    let redis = Redis::start();
    let store = configure(on(&redis)).connect().await.unwrap();
    let mut raw = Raw::on(&redis).await;
    let records = Records::new(1);
    // Buffers and tables of the server that are there anyway.
    for _ in 0..100 {
        insert(&store, &records.grant()).await;
    }
    let before = raw.used_memory().await;
    for _ in 0..GRANTS {
        insert(&store, &records.grant()).await;
    }
    let after = raw.used_memory().await;
    let name = raw.keys(store.prefix(), "r").await.remove(0);
    let record: u64 = raw.ask("MEMORY", &["USAGE", &name]).await;
    ((after - before) / GRANTS as u64, record)
}

#[tokio::test]
async fn a_live_grant_takes_a_kilobyte_at_most() {
    let body = Records::new(1).grant().encode().len();
    for (name, expiry) in [("with expiry", true), ("without expiry", false)] {
        let (all, record) =
            bytes_of_a_grant(|builder| if expiry { builder } else { builder.without_expiry() }).await;
        println!(
            "redis, reference grant, {name}: {all} bytes, of which {record} the record's key; body {body}"
        );
        assert!(all <= 1024, "{all} bytes a grant");
    }
}

/// An operation of the store.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Load,
    Insert,
    Swap,
    Shorten,
    ChangeASubject,
    LoseARace,
    ListOne,
    PurgeNothing,
    PurgeOne,
}

/// How many round trips an operation takes, when the server knows the scripts.
async fn round_trips(operation: Operation) -> u64 {
    const TIMES: u64 = 10;
    let wire = Wire::to(Upstream::Unix(Redis::shared().socket()));
    let client = Client::open(format!("redis://{}", wire.address())).unwrap();
    let store = RedisStore::single(client).prefix(unused_prefix()).connect().await.unwrap();
    let beside = on(Redis::shared()).prefix(store.prefix()).connect().await.unwrap();
    let records = Records::new(1);
    let mut stored = records.grant();
    insert(&store, &stored).await;
    let mut before = 0;
    for time in 0..=TIMES {
        if matches!(operation, Operation::PurgeOne) {
            insert(&beside, &records.retained(&records.grant(), NOW - HOUR)).await;
        }
        if time == 1 {
            before = wire.round_trips();
        }
        let next = match operation {
            Operation::Shorten => records.retained(&stored, stored.retain_until - HOUR),
            Operation::ChangeASubject => {
                records.changed(&stored, |grant| grant.subject = Some(format!("subject {time}").into()))
            }
            _ => records.next(&stored),
        };
        match operation {
            Operation::Load => assert!(store.load(&stored.key).await.unwrap().is_some()),
            Operation::Insert => insert(&store, &records.grant()).await,
            Operation::Swap | Operation::Shorten | Operation::ChangeASubject => {
                assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
                stored = next;
            }
            Operation::LoseARace => assert_eq!(store.swap(next, None).await.unwrap(), Swap::Stale),
            Operation::ListOne => {
                let listing = store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap();
                assert_eq!(listing.keys, [stored.key]);
            }
            Operation::PurgeNothing => assert_eq!(store.purge(NOW, 10).await.unwrap().deleted, 0),
            Operation::PurgeOne => assert_eq!(store.purge(NOW, 10).await.unwrap().deleted, 1),
        }
    }
    (wire.round_trips() - before) / TIMES
}

#[tokio::test(flavor = "multi_thread")]
async fn the_common_operations_are_one_round_trip() {
    for (operation, wanted) in [
        (Operation::Load, 1),
        (Operation::Insert, 1),
        (Operation::Swap, 1),
        (Operation::Shorten, 2),
        (Operation::ChangeASubject, 2),
        (Operation::LoseARace, 1),
        (Operation::ListOne, 2),
        (Operation::PurgeNothing, 1),
        (Operation::PurgeOne, 5),
    ] {
        let seen = round_trips(operation).await;
        println!("redis, {operation:?}: {seen} round trips");
        assert_eq!(seen, wanted, "{operation:?}");
    }
}
