//! How a store is opened.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterConfig};
use redis::{Client, RedisError};
use tokio::time::Instant;

use crate::inspection::{by_server, check, is_cluster, text};
use crate::layout::Layout;
use crate::link::{Cluster, Link, Single, Wait};
use crate::scripts::Scripts;
use crate::{Inner, RedisStore};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Why a store does not open. No URL is in the message: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The server cannot be reached or is a replica, or its URL is not one.
    #[error("Redis cannot be reached as a primary")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server throws keys away when its memory is full: a used code would be usable again.
    #[error("Redis at {server} evicts keys (maxmemory-policy {policy}): set it to noeviction")]
    Evicting {
        /// Which server, in a cluster by its address.
        server: String,
        /// Its `maxmemory-policy`.
        policy: String,
    },
    /// It is older than 6.2.
    #[error("Redis at {server} is {version}: 6.2 is the oldest that will do")]
    TooOld {
        /// Which server, in a cluster by its address.
        server: String,
        /// Its `redis_version`.
        version: String,
    },
    /// A node of a cluster was taken for a single server: [`RedisStore::cluster`] is meant.
    #[error("Redis is a node of a cluster: open the store with RedisStore::cluster")]
    Cluster,
    /// A prefix is empty or has one of the characters `{` and `}`, which would put all keys on one node of a cluster.
    #[error("a prefix of keys is not empty and has no braces")]
    Prefix,
}

impl From<RedisError> for StartError {
    fn from(error: RedisError) -> Self {
        Self::Unreachable(error.into())
    }
}

/// Opens a [`RedisStore`].
#[must_use]
pub struct Builder {
    server: Server,
    prefix: String,
    timeout: Duration,
    connect_timeout: Duration,
    wait: Option<Wait>,
    expiry_slack: Option<Duration>,
}

enum Server {
    Single(Client),
    Cluster(Box<ClusterClient>),
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn single(client: Client) -> Self {
        Self::new(Server::Single(client))
    }

    pub(crate) fn cluster(client: ClusterClient) -> Self {
        Self::new(Server::Cluster(Box::new(client)))
    }

    fn new(server: Server) -> Self {
        Self {
            server,
            prefix: "oauth".into(),
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_millis(500),
            wait: None,
            expiry_slack: Some(30 * DAY),
        }
    }

    /// What the names of all keys begin with, `oauth` by default. Stores with different prefixes see nothing of each other.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a call of the store may take, one second by default. It should lie well inside the server's deadline for a
    /// request.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take, half a second by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Each write is answered only when that many replicas have it (`WAIT`), and is of unknown outcome if that takes longer
    /// than `timeout`. It makes the loss of an answered write in a failover unlikely, not impossible: Redis does not
    /// promote the most advanced replica for certain. Calls share a connection, so each waits for those before it.
    pub fn wait_replicas(mut self, replicas: usize, timeout: Duration) -> Self {
        self.wait = (replicas > 0).then_some(Wait { replicas, timeout });
        self
    }

    /// How long after its `retain_until` Redis itself deletes a record that nobody has purged, 30 days by default.
    ///
    /// It is a time from the write on, by the clock of the writing machine; it does not matter what the clock of Redis says.
    /// A record whose `retain_until` is past already when it is written gets none, so a clock that lags loses nothing.
    pub fn expiry_slack(mut self, slack: Duration) -> Self {
        self.expiry_slack = Some(slack);
        self
    }

    /// Records have no expiry: only purging deletes them.
    pub fn without_expiry(mut self) -> Self {
        self.expiry_slack = None;
        self
    }

    /// Connects, and looks at the primaries' settings, now and not again. Logs a warning where one keeps no append-only file.
    ///
    /// # Errors
    ///
    /// When a server cannot be reached, evicts keys, is too old or no single one, or the prefix is not usable.
    pub async fn connect(self) -> Result<RedisStore, StartError> {
        if self.prefix.is_empty() || self.prefix.contains(['{', '}']) {
            return Err(StartError::Prefix);
        }
        let link = match self.server {
            Server::Single(client) => Link::Single(Box::new(Single::new(client, self.connect_timeout))),
            Server::Cluster(client) => {
                let config = ClusterConfig::new()
                    .set_connection_timeout(self.connect_timeout)
                    .set_response_timeout(self.timeout);
                Link::Cluster(Cluster::new(client.get_async_connection_with_config(config).await?))
            }
        };
        for (server, info) in info(&link, self.timeout).await? {
            check(&server, &info)?;
            if is_cluster(&info) && matches!(link, Link::Single(_)) {
                return Err(StartError::Cluster);
            }
        }
        Ok(RedisStore(Arc::new(Inner {
            link,
            layout: Layout { prefix: self.prefix },
            scripts: Scripts::default(),
            timeout: self.timeout,
            wait: self.wait,
            expiry_slack: self.expiry_slack,
            purge_from: AtomicUsize::new(0),
        })))
    }
}

/// The `INFO` of each primary.
async fn info(link: &Link, timeout: Duration) -> Result<Vec<(String, String)>, StartError> {
    let question = redis::cmd("INFO");
    let answers = match link {
        Link::Single(_) => {
            let answer = link.ask(&[], &question, Instant::now() + timeout).await;
            let answer = answer.map_err(|failure| StartError::Unreachable(failure.of_read().into()))?;
            text(answer).map(|info| vec![("the URL".to_owned(), info)])
        }
        Link::Cluster(cluster) => by_server(cluster.ask_primaries(question).await?),
    };
    answers.ok_or_else(|| StartError::Unreachable("Redis did not answer INFO with a text".into()))
}
