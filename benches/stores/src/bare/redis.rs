//! Redis by its driver alone.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::secret::SystemRandom;
use oauth_core::storage::{Record, Version};
use oauth_storage_redis::redis::aio::MultiplexedConnection;
use oauth_storage_redis::redis::{Script, Value, cmd};

use super::Bare;

/// The store's own script.
const SWAP: &str = concat!(
    include_str!("../../../../oauth-storage-redis/src/scripts/before.lua"),
    include_str!("../../../../oauth-storage-redis/src/scripts/swap.lua")
);

/// On one connection that all loops share, as the store does.
pub struct RedisLoop {
    connection: MultiplexedConnection,
    digest: Arc<str>,
    key: String,
}

impl RedisLoop {
    /// Teaches the server the script.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    pub async fn prepare(connection: &MultiplexedConnection) -> Arc<str> {
        let script = Script::new(SWAP);
        script.prepare_invoke().load_async(&mut connection.clone()).await.expect("a valid script");
        script.get_hash().into()
    }

    /// Refreshes this record.
    pub fn new(connection: MultiplexedConnection, digest: Arc<str>, record: &Record) -> Self {
        let key = format!("oauth:r:{}", URL_SAFE_NO_PAD.encode(record.key.to_bytes()));
        Self { connection, digest, key }
    }
}

impl Bare for RedisLoop {
    async fn refresh(mut self) -> Self {
        let loaded: Value =
            cmd("GETEX").arg(&self.key).query_async(&mut self.connection).await.expect("it answers");
        let Value::BulkString(loaded) = loaded else { panic!("a record is stored") };
        // What was read with another version: version and retention, then what comes after the nonce of its place.
        let head = [Version::generate(&SystemRandom).as_bytes(), &loaded[16..24]].concat();
        let mut swap = cmd("EVALSHA");
        swap.arg(&*self.digest).arg(1).arg(&self.key).arg(head).arg(&loaded[..16]).arg(&loaded[32..]);
        swap.arg("").arg("1000000000");
        let swapped: i64 = swap.query_async(&mut self.connection).await.expect("it answers");
        assert_eq!(swapped, 1);
        self
    }
}
