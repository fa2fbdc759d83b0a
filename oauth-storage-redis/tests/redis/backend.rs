//! How the suite opens stores: with prefixes of their own, on one server and on a cluster.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use engines::{Redis, RedisCluster};
use oauth_core::storage::testing::{Backend, Task};
use oauth_storage_redis::redis::Client;
use oauth_storage_redis::redis::cluster::ClusterClient;
use oauth_storage_redis::{Builder, RedisStore};
use tokio::runtime::Runtime;

/// The connections' tasks run here, so it lives as long as they.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new().expect("the machine has threads"));

pub(crate) struct Single;
pub(crate) struct Cluster;

/// A prefix that no other test of this process uses.
pub(crate) fn unused_prefix() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("store{}", MADE.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn on(redis: &Redis) -> Builder {
    RedisStore::single(Client::open(redis.url()).expect("a valid URL"))
}

pub(crate) fn on_cluster(cluster: &RedisCluster) -> Builder {
    RedisStore::cluster(ClusterClient::new(cluster.urls()).expect("valid URLs"))
}

pub(crate) async fn open(builder: Builder, prefix: &str) -> RedisStore {
    builder.prefix(prefix).connect().await.expect("the servers run and do not evict")
}

impl Backend for Single {
    type Store = RedisStore;

    async fn fresh(&self) -> RedisStore {
        open(on(Redis::shared()), &unused_prefix()).await
    }

    async fn reopen(&self, store: &RedisStore) -> RedisStore {
        open(on(Redis::shared()), store.prefix()).await
    }

    async fn unreachable(&self) -> Option<RedisStore> {
        let redis = Redis::start();
        let store = open(on(&redis), "gone").await;
        redis.crash();
        Some(store)
    }

    fn block_on(&self, task: Task<'_>) {
        RUNTIME.block_on(task);
    }
}

impl Backend for Cluster {
    type Store = RedisStore;

    async fn fresh(&self) -> RedisStore {
        open(on_cluster(RedisCluster::shared()), &unused_prefix()).await
    }

    async fn reopen(&self, store: &RedisStore) -> RedisStore {
        open(on_cluster(RedisCluster::shared()), store.prefix()).await
    }

    async fn unreachable(&self) -> Option<RedisStore> {
        let cluster = RedisCluster::start();
        let store = open(on_cluster(&cluster), "gone").await;
        cluster.crash();
        Some(store)
    }

    fn block_on(&self, task: Task<'_>) {
        RUNTIME.block_on(task);
    }
}
