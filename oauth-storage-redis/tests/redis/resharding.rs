//! A slot moves from one node of a cluster to another while it is used.

use std::sync::Arc;
use std::time::Duration;

use engines::RedisCluster;
use oauth_core::storage::{Index, Page, Record, Store, Swap};
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::{Client, Value};

use crate::backend::{on_cluster, open};
use crate::raw::Raw;
use crate::records::{CLIENT, Records};

struct Node {
    raw: Raw,
    id: String,
    port: String,
}

async fn nodes(cluster: &RedisCluster) -> Vec<Node> {
    let mut nodes = Vec::new();
    for url in cluster.urls() {
        let port = url.rsplit(':').next().expect("a URL with a port").to_owned();
        let client = Client::open(url).expect("a valid URL");
        let mut raw = Raw(client.get_multiplexed_async_connection().await.expect("the node runs"));
        let id = raw.ask("CLUSTER", &["MYID"]).await;
        nodes.push(Node { raw, id, port });
    }
    nodes
}

/// The store writes and reads as if nothing were going on.
async fn goes_on(store: &RedisStore, records: &Records, stored: &mut Arc<Record>) {
    for _ in 0..3 {
        assert_eq!(store.load(&stored.key).await.unwrap().as_ref(), Some(&*stored));
        let next = records.next(stored);
        assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
        let late = records.next(stored);
        assert_eq!(store.swap(late, Some(stored.version)).await.unwrap(), Swap::Stale);
        *stored = next;
    }
    let listing = store.list(Index::Client(CLIENT), Page::first(10)).await.unwrap();
    assert_eq!(listing.keys, [stored.key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_is_followed() {
    let cluster = RedisCluster::start();
    let store = open(on_cluster(&cluster), "moving").await;
    let mut nodes = nodes(&cluster).await;
    let records = Records::new(1);
    let mut stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    // Every key: the record, its listings and its entry for purging.
    for kind in ["r", "i", "p"] {
        for from in 0..nodes.len() {
            for key in nodes[from].raw.keys("moving", kind).await {
                let to = (from + 1) % nodes.len();
                let (source, target) = (nodes[from].id.clone(), nodes[to].id.clone());
                let slot = nodes[from].raw.ask::<u16>("CLUSTER", &["KEYSLOT", &key]).await.to_string();
                let port = nodes[to].port.clone();

                let importing = ["SETSLOT", &*slot, "IMPORTING", &*source];
                nodes[to].raw.ask::<()>("CLUSTER", &importing).await;
                let migrating = ["SETSLOT", &*slot, "MIGRATING", &*target];
                nodes[from].raw.ask::<()>("CLUSTER", &migrating).await;
                goes_on(&store, &records, &mut stored).await;
                nodes[from].raw.ask::<Value>("MIGRATE", &["127.0.0.1", &port, &key, "0", "5000"]).await;
                goes_on(&store, &records, &mut stored).await;
                for node in [to, from] {
                    nodes[node].raw.ask::<()>("CLUSTER", &["SETSLOT", &slot, "NODE", &target]).await;
                }
                goes_on(&store, &records, &mut stored).await;
            }
        }
    }
    let last = stored.retain_until + Duration::from_millis(1);
    assert_eq!(store.purge(last, 10).await.unwrap().deleted, 1);
    for node in &mut nodes {
        assert_eq!(node.raw.keys("moving", "*").await, Vec::<String>::new());
    }
}
