//! What a store looks at before it is used.

use engines::{Redis, RedisCluster};
use oauth_core::storage::Store;
use oauth_storage_redis::{RedisStore, StartError};

use crate::backend::{on, on_cluster};
use crate::records::Records;

/// A limit that the server itself fits into.
const LIMIT: (&str, &str) = ("maxmemory", "64mb");

#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let redis = Redis::start_with(&[LIMIT, ("maxmemory-policy", policy)]);
        let refused = on(&redis).connect().await.unwrap_err();
        assert!(
            matches!(&refused, StartError::Evicting { policy: seen, .. } if seen == policy),
            "{refused:?}"
        );
        assert!(refused.to_string().contains(policy), "{refused}");
    }
    on(&Redis::start_with(&[LIMIT, ("maxmemory-policy", "noeviction")])).connect().await.unwrap();
}

#[tokio::test]
async fn a_cluster_whose_nodes_evict_is_refused() {
    let cluster = RedisCluster::start_with(&[LIMIT, ("maxmemory-policy", "allkeys-lfu")]);
    let refused = on_cluster(&cluster).connect().await.unwrap_err();
    assert!(matches!(&refused, StartError::Evicting { .. }), "{refused:?}");
}

#[tokio::test]
async fn the_policy_is_read_without_config() {
    let redis =
        Redis::start_with(&[LIMIT, ("maxmemory-policy", "allkeys-lru"), ("rename-command", "CONFIG \"\"")]);
    assert!(matches!(on(&redis).connect().await, Err(StartError::Evicting { .. })));
}

#[tokio::test]
async fn a_full_server_refuses_writes_and_forgets_nothing() {
    let redis = Redis::start_with(&[("maxmemory", "3mb"), ("maxmemory-policy", "noeviction")]);
    let store = on(&redis).connect().await.unwrap();
    let records = Records::new(1);
    let mut stored = Vec::new();
    let refused = loop {
        let record = records.grant();
        match store.swap(record.clone(), None).await {
            Ok(_) => stored.push(record),
            Err(error) => break (record, error),
        }
    };
    let (record, error) = refused;
    assert!(!stored.is_empty());
    assert!(matches!(error, oauth_core::storage::StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(store.load(&record.key).await.unwrap(), None);
    for record in &stored {
        assert_eq!(store.load(&record.key).await.unwrap().as_ref(), Some(record));
    }
    // Purging makes room, also then.
    let purged = store.purge(oauth_core::clock::Timestamp::MAX, usize::MAX).await.unwrap();
    assert_eq!((purged.deleted, purged.more), (stored.len(), false));
    assert_eq!(store.swap(record, None).await.unwrap(), oauth_core::storage::Swap::Swapped);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_at_once() {
    let redis = Redis::start();
    redis.crash();
    assert!(matches!(on(&redis).connect().await, Err(StartError::Unreachable(_))));
    assert!(matches!(RedisStore::connect("no url").await, Err(StartError::Unreachable(_))));
}

#[tokio::test]
async fn a_prefix_that_would_put_all_keys_on_one_node_is_refused() {
    for prefix in ["", "{tenant}", "a}"] {
        assert!(
            matches!(on(Redis::shared()).prefix(prefix).connect().await, Err(StartError::Prefix)),
            "{prefix}"
        );
    }
}

#[tokio::test]
async fn a_node_of_a_cluster_is_not_taken_for_a_single_server() {
    let url = RedisCluster::shared().urls().remove(0);
    assert!(matches!(RedisStore::connect(&url).await, Err(StartError::Cluster)));
}
