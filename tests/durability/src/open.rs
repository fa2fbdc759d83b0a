//! Stores by their URL.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use oauth_core::storage::Store;
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::{Client, cluster::ClusterClient};
use oauth_storage_sqlx::{PostgresStore, SqliteStore};

/// What a process does on its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs a server, and makes the tables where there are none.
    Server,
    /// The same on a SQLite file that is not synced: the negative control.
    Unsynced,
    /// It answers calls of the store alone, on tables that are there, and waits for them however busy the machine is.
    Store,
}

impl Role {
    const ALL: [Self; 3] = [Self::Server, Self::Unsynced, Self::Store];

    /// What it is called on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Unsynced => "unsynced",
            Self::Store => "store",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| format!("not a role: {name}"))
    }
}

/// How long [`Role::Store`] waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// The store of a URL: `sqlite:FILE`, `postgres://…`, that of a Redis server, or `cluster:` with those of Redis nodes. The two of
/// Redis may end in `#PREFIX`.
///
/// # Errors
///
/// What the engine says. SQLite and PostgreSQL are not asked by [`Role::Store`].
pub async fn open(url: &str, role: Role) -> Result<Arc<dyn Store>, Box<dyn std::error::Error>> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        return sqlite(file, role).await;
    }
    if url.starts_with("postgres:") {
        return postgres(url, role).await;
    }
    let (url, prefix) = url.split_once('#').unwrap_or((url, "oauth"));
    let mut builder = match url.strip_prefix("cluster:") {
        Some(nodes) => RedisStore::cluster(ClusterClient::new(nodes.split(','))?),
        None => RedisStore::single(Client::open(url)?),
    };
    if role == Role::Store {
        builder = builder.timeout(PATIENCE);
    }
    Ok(Arc::new(builder.prefix(prefix).connect().await?))
}

async fn sqlite(file: &str, role: Role) -> Result<Arc<dyn Store>, Box<dyn std::error::Error>> {
    let mut options = SqliteStore::recommended_connect_options(file);
    let pool = SqliteStore::recommended_options();
    if role == Role::Store {
        let pool = pool.acquire_timeout(PATIENCE).connect_lazy_with(options.busy_timeout(PATIENCE));
        return Ok(Arc::new(SqliteStore::new(pool)));
    }
    // A small log is copied often in these tests, and is written back often, which they want to see as well.
    options = options.pragma("wal_autocheckpoint", "60");
    if role == Role::Unsynced {
        options = options.pragma("synchronous", "OFF");
    }
    let store = SqliteStore::new(pool.connect_with(options).await?);
    store.migrate().await?;
    Ok(Arc::new(store))
}

async fn postgres(url: &str, role: Role) -> Result<Arc<dyn Store>, Box<dyn std::error::Error>> {
    let pool = PostgresStore::recommended_options();
    if role == Role::Store {
        let pool = pool.acquire_timeout(PATIENCE).connect_lazy(url)?;
        return Ok(Arc::new(PostgresStore::new(pool)));
    }
    let store = PostgresStore::new(pool.connect(url).await?);
    store.migrate().await?;
    Ok(Arc::new(store))
}
