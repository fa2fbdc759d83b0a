//! A durable, shared store for [`oauth_core`] on Redis (6.2 or later, or Valkey): a single server or a cluster.
//!
//! ```no_run
//! use oauth_storage_redis::RedisStore;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://localhost").await?;
//! # Ok(())
//! # }
//! ```
//!
//! A cluster, another prefix, TLS (by a feature of [`redis`] that the host chooses), shorter timeouts:
//!
//! ```no_run
//! use std::time::Duration;
//! use oauth_storage_redis::{RedisStore, redis::cluster::ClusterClient};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = ClusterClient::new(["redis://a.example", "redis://b.example", "redis://c.example"])?;
//! let store = RedisStore::cluster(client)
//!     .prefix("accounts")
//!     .timeout(Duration::from_millis(600))
//!     .wait_replicas(1, Duration::from_millis(200))
//!     .connect()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! | | |
//! | --- | --- |
//! | one of N concurrent writes wins | yes: a script compares and writes, on one key |
//! | a write that is delivered twice | is recognised as one's own; the driver may deliver again at will |
//! | a read sees every answered write | yes, on the primary, which alone answers; one that is cut off: see below |
//! | a listing misses nothing that was answered | yes: the index is written before the record |
//! | an answered write survives a crash of the store's process | yes |
//! | … a crash of Redis or its machine | with `appendonly yes`: nothing is lost with `appendfsync always`, up to two seconds with `everysec` |
//! | … a failover to a replica | **no**: replication is asynchronous, see below |
//! | a key is kept until its record's `retain_until` | yes: a server that evicts is refused at the start |
//!
//! Where an answered write is lost, a code or refresh token that was used works again and a grant that was revoked lives
//! again; the same holds for a data set that is restored from a backup.
//!
//! # Failover
//!
//! A primary answers before its replicas have the write. If it dies in between, the replica that takes over does not know
//! it. [`Builder::wait_replicas`] holds each answer back until replicas have the write (`WAIT`); a write that does not
//! reach them is of unknown outcome. That makes a loss unlikely and does not exclude it: the replica that is promoted need
//! not be one that has it.
//!
//! A primary that has been demoted answers nothing more: loads are asked for in a way that only a primary obeys (`GETEX`),
//! and so are listings and lost races. A primary that has been cut off does not know that it has a successor, and until it
//! does it answers its own clients from the past and takes writes that will be lost. The operator bounds that time:
//!
//! - `min-replicas-to-write 1` and `min-replicas-max-lag 5` on each server: a primary that has not heard of a replica for
//!   five seconds refuses writes, and loads with them.
//! - On a cluster, `cluster-node-timeout` (15 s by default): a primary that does not reach the majority for that long stops.
//!
//! With a failover that waits for longer than these times before it promotes, no load is answered from the past. Who needs
//! more takes PostgreSQL with a synchronous standby.
//!
//! # Permissions
//!
//! The user needs `INFO`, `EVAL`, `EVALSHA`, `WAIT` where replicas are waited for, `CLUSTER` on a cluster, and for keys under the
//! prefix `GETEX`, `GETRANGE`, `SETRANGE`, `SET`, `DEL`, `PERSIST`, `ZADD`, `ZREM`, `ZRANGE` and `ZCOUNT`. Where one is refused the
//! call fails; no record is ever without its index.
//!
//! # Failures
//!
//! A call ends within [`Builder::timeout`], a purge within that time a batch. A server that cannot be reached is `Unavailable`, at once where it refuses
//! connections; a write whose answer was lost is `Unknown`. After a broken connection each call is delivered once more. On
//! a cluster the driver follows redirections and delivers again by itself, so there each failed write of a record is
//! `Unknown`. Nothing has to be opened anew when the servers are back.
//!
//! # Purging and expiry
//!
//! [`Store::purge`] must be called: it deletes records that are past their `retain_until`, and it alone cleans the
//! indexes. Beside it each record expires 30 days later ([`Builder::expiry_slack`]), so that a forgotten purge does not keep
//! tokens for ever. A listing entry of a write that came to nothing is removed an hour after the record would have been
//! purged.
//!
//! # Cost
//!
//! On a single server each operation is one round trip: `GET`; a script; for a new record up to four `ZADD` and a script in
//! one pipeline. On a cluster a new record takes two, the index first. A swap that shortens `retain_until` takes one more,
//! and so does one that changes the client, subject or session of a grant. A live grant with short values takes about
//! 950 bytes, of which 470 are its own key and the rest indexes and expiry.
//!
//! All calls share one connection to each server. The commands are `GET`, `GETRANGE`, `SET`, `SETRANGE`, `DEL`, `ZADD`, `ZREM`,
//! `ZRANGE`, `ZCOUNT`, `EVAL`, `EVALSHA`, `INFO` and, where asked for, `WAIT`, on keys that begin with the prefix.

mod builder;
mod failure;
mod inspection;
mod layout;
mod link;
mod listing;
#[cfg(test)]
mod mutants;
mod purge;
mod scripts;
mod swap;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};
use tokio::time::Instant;

pub use builder::{Builder, StartError};
/// The driver, in the version that this crate takes its clients from.
pub use redis;

use layout::Layout;
use link::{Link, Wait};
use scripts::Scripts;

/// A store on Redis. Clones share the connection.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    link: Link,
    layout: Layout,
    scripts: Scripts,
    timeout: Duration,
    wait: Option<Wait>,
    expiry_slack: Option<Duration>,
    /// The shard where the next purge begins.
    purge_from: AtomicUsize,
}

impl Inner {
    fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }
}

impl RedisStore {
    /// Connects to a single server, such as `redis://localhost`, with the defaults of [`Builder`].
    ///
    /// # Errors
    ///
    /// As [`Builder::connect`].
    pub async fn connect(url: &str) -> Result<Self, StartError> {
        Self::single(redis::Client::open(url)?).connect().await
    }

    /// A store on a single server.
    pub fn single(client: redis::Client) -> Builder {
        Builder::single(client)
    }

    /// A store on a Redis Cluster. The client's own timeouts are not used; those of [`Builder`] are.
    pub fn cluster(client: redis::cluster::ClusterClient) -> Builder {
        Builder::cluster(client)
    }

    /// What the names of its keys begin with.
    pub fn prefix(&self) -> &str {
        &self.0.layout.prefix
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.0.layout.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        Ok(self.0.load(key).await?.map(Arc::new))
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.0.swap(&next, expected).await
    }

    /// In the order of the ids; a page has at most 1000 keys.
    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.0.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.0.purge(now, limit).await
    }
}
