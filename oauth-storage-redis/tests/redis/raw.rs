//! What lies in Redis, seen past the store.

use engines::Redis;
use oauth_storage_redis::redis::aio::MultiplexedConnection;
use oauth_storage_redis::redis::{AsyncCommands, Client, FromRedisValue, cmd};

pub(crate) struct Raw(pub(crate) MultiplexedConnection);

impl Raw {
    pub(crate) async fn on(redis: &Redis) -> Self {
        let client = Client::open(redis.url()).expect("a valid URL");
        Self(client.get_multiplexed_async_connection().await.expect("the server runs"))
    }

    pub(crate) async fn ask<T: FromRedisValue>(&mut self, command: &str, arguments: &[&str]) -> T {
        cmd(command).arg(arguments).query_async(&mut self.0).await.expect("a valid command")
    }

    /// The names of a store's keys of one kind: `r`, `i`, `p`, or `*` for all.
    pub(crate) async fn keys(&mut self, prefix: &str, kind: &str) -> Vec<String> {
        self.0.keys(format!("{prefix}:{kind}:*")).await.expect("keys can be listed")
    }

    /// How many entries the indexes have.
    pub(crate) async fn entries(&mut self, prefix: &str) -> usize {
        let mut entries = 0;
        for kind in ["i", "p"] {
            for key in self.keys(prefix, kind).await {
                entries += self.ask::<usize>("ZCARD", &[&key]).await;
            }
        }
        entries
    }

    pub(crate) async fn used_memory(&mut self) -> u64 {
        let info: String = self.ask("INFO", &["memory"]).await;
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        line.and_then(|bytes| bytes.trim().parse().ok()).expect("INFO says how much is used")
    }
}
