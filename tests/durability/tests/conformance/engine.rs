//! Storage that processes can share.

use std::sync::atomic::{AtomicU64, Ordering};

use durability_tests::{Role, open};
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use tempfile::TempDir;

/// Makes an engine fail.
pub(crate) type Harm = Box<dyn FnOnce() + Send>;

/// An engine that processes can share.
pub(crate) trait Engine: Send + Sync {
    /// The URL of new, empty storage.
    fn empty(&self) -> impl Future<Output = String> + Send;

    /// The URL of storage that cannot be reached once stores are open on it and the harm is done.
    fn doomed(&self) -> (String, Harm);
}

/// A number that nothing else of this process has.
fn unused() -> u64 {
    static MADE: AtomicU64 = AtomicU64::new(0);
    MADE.fetch_add(1, Ordering::Relaxed)
}

fn no_harm() -> Harm {
    Box::new(|| {})
}

/// Files.
pub(crate) struct Sqlite(TempDir);

impl Sqlite {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("the temporary directory is writable"))
    }

    fn url(&self, file: &str) -> String {
        format!("sqlite:{}", self.0.path().join(file).display())
    }
}

impl Engine for Sqlite {
    async fn empty(&self) -> String {
        let url = self.url(&format!("{}.db", unused()));
        open(&url, Role::Server).await.expect("an empty file can be migrated");
        url
    }

    fn doomed(&self) -> (String, Harm) {
        (self.url("no such directory/file.db"), no_harm())
    }
}

/// Schemas of one server.
pub(crate) struct Postgres;

impl Engine for Postgres {
    async fn empty(&self) -> String {
        let (server, schema) = (engines::Postgres::shared().url(), format!("store_{}", unused()));
        let mut connection = PgConnection::connect(&server).await.expect("the server runs");
        let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        raw_sql(create).execute(&mut connection).await.expect("a new schema can be made");
        let url = format!("{server}?options[search_path]={schema}");
        open(&url, Role::Server).await.expect("an empty schema can be migrated");
        url
    }

    fn doomed(&self) -> (String, Harm) {
        ("postgres://postgres@%2Fno-such-directory/postgres".to_owned(), no_harm())
    }
}

/// Prefixes on one server.
pub(crate) struct Redis;

impl Engine for Redis {
    async fn empty(&self) -> String {
        format!("{}#store{}", engines::Redis::shared().url(), unused())
    }

    fn doomed(&self) -> (String, Harm) {
        let redis = engines::Redis::start();
        (redis.url(), Box::new(move || redis.crash()))
    }
}

/// Prefixes on one cluster.
pub(crate) struct RedisCluster;

fn url(cluster: &engines::RedisCluster) -> String {
    format!("cluster:{}", cluster.urls().join(","))
}

impl Engine for RedisCluster {
    async fn empty(&self) -> String {
        format!("{}#store{}", url(engines::RedisCluster::shared()), unused())
    }

    fn doomed(&self) -> (String, Harm) {
        let cluster = engines::RedisCluster::start();
        (url(&cluster), Box::new(move || cluster.crash()))
    }
}
