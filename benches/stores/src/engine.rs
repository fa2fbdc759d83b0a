//! The engines, started for one run, with the settings that are recommended for production.

use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::aio::MultiplexedConnection;
use oauth_storage_redis::redis::{AsyncConnectionConfig, Client};
use oauth_storage_sqlx::{PostgresStore, SqliteStore};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

const CONNECTIONS: u32 = 8;

/// A file, and the store in it.
pub struct Sqlite {
    /// The store, with its pool.
    pub store: SqliteStore,
    /// Where the file is.
    pub directory: TempDir,
}

impl Sqlite {
    /// An empty one, `synchronous = FULL`.
    ///
    /// # Panics
    ///
    /// When the temporary directory is not writable.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        let options = SqliteStore::recommended_connect_options(directory.path().join("oauth.db"));
        let pool = SqliteStore::recommended_options().max_connections(CONNECTIONS);
        let store = SqliteStore::new(pool.connect_lazy_with(options));
        store.migrate().await.expect("an empty file can be migrated");
        Self { store, directory }
    }
}

/// A server, and the store in it.
pub struct Postgres {
    /// The store, with its pool.
    pub store: PostgresStore,
    /// Stops when it is dropped.
    pub server: engines::Postgres,
}

impl Postgres {
    /// An empty one, with PostgreSQL's default durability.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed.
    pub async fn start() -> Self {
        let server = engines::Postgres::start_with(&[("shared_buffers", "256MB"), ("max_wal_size", "4GB")]);
        let options: PgConnectOptions = server.url().parse().expect("a valid URL");
        let pool = PostgresStore::recommended_options().max_connections(CONNECTIONS);
        let store = PostgresStore::new(pool.connect_lazy_with(options));
        store.migrate().await.expect("an empty database can be migrated");
        Self { store, server }
    }
}

/// A server, and the store on it.
pub struct Redis {
    /// The store.
    pub store: RedisStore,
    /// A connection of the bare driver.
    pub connection: MultiplexedConnection,
    /// Stops when it is dropped.
    pub server: engines::Redis,
}

impl Redis {
    /// An empty one, `appendfsync everysec`.
    ///
    /// # Panics
    ///
    /// When Redis is not installed.
    pub async fn start() -> Self {
        let server = engines::Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "everysec")]);
        let client = Client::open(server.url()).expect("a valid URL");
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        let store = RedisStore::single(client).connect().await.expect("the server runs");
        Self { store, connection: connection.expect("the server runs"), server }
    }
}
