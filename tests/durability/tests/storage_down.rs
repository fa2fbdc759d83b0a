//! An engine crashes, hangs or is locked while a server uses it: 503 with `Retry-After` in time, never a refusal, what needs no
//! store is still served, and nobody starts the server again.

use std::time::Duration;

use attack_tests::{START, Tokens, World, assert_unavailable};
use engines::{Answers, Postgres, Redis, RedisCluster, Upstream, Wire};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::storage::Store;
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::{Client, cluster::ClusterClient};
use oauth_storage_sqlx::{PostgresStore, SqliteStore};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::time::timeout;

/// The deadline of a request is two seconds; this is what a hang is told by, however busy the machine is.
const NEVER: Duration = Duration::from_secs(60);

/// A server on the store, before, during and after an outage. `reads` says whether it loses its reads as well.
async fn outlasts(store: impl Store, reads: bool, harm: impl AsyncFnOnce(), mend: impl AsyncFnOnce()) {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let world = World::over(store, clock, |builder| builder);
    let tokens = world.tokens("web").await;
    let code = world.code("web").await;
    harm().await;
    let outage = async {
        assert_unavailable(&world.redeem("web", &code).await);
        assert_unavailable(&world.refresh("web", &tokens.refresh).await);
        assert_unavailable(&world.revoke("web", &tokens.refresh).await);
        if reads {
            assert_unavailable(&world.introspect("web", &tokens.access).await);
        }
        for path in ["/.well-known/oauth-authorization-server", "/jwks"] {
            assert_eq!(world.get(path).await.status, 200, "{path}");
        }
    };
    timeout(NEVER, outage).await.expect("every request is answered");
    mend().await;
    let recovery = async {
        // A driver may need a moment to find its servers again. Until then it is an outage still, and no refusal.
        let redeemed = loop {
            let reply = world.redeem("web", &code).await;
            if reply.status == 200 {
                break Tokens::of(&reply);
            }
            assert_unavailable(&reply);
        };
        world.assert_untouched("web", &redeemed).await;
        world.assert_untouched("web", &tokens).await;
    };
    timeout(NEVER, recovery).await.expect("it recovers by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_sqlite_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = SqliteStore::recommended_connect_options(directory.path().join("oauth.db"));
    let pool = SqliteStore::recommended_options().connect_with(options.clone()).await.expect("a file");
    let store = SqliteStore::new(pool);
    store.migrate().await.expect("an empty file");
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.expect("a file");
    let other = &tokio::sync::Mutex::new(&mut other);
    let harm = async || {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut **other.lock().await).await.expect("a lock");
    };
    let mend = async || {
        sqlx::query("ROLLBACK").execute(&mut **other.lock().await).await.expect("no lock");
    };
    // Readers do not wait for writers.
    outlasts(store, false, harm, mend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_postgres() {
    let postgres = Postgres::start();
    let pool = PostgresStore::recommended_options().connect(&postgres.url()).await.expect("the server runs");
    let store = PostgresStore::new(pool);
    store.migrate().await.expect("an empty database");
    outlasts(store, true, async || postgres.crash(), async || postgres.restart()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_postgres() {
    let postgres = Postgres::start();
    let wire = Wire::to(Upstream::Unix(postgres.socket()));
    let options = PgConnectOptions::new_without_pgpass()
        .host(&wire.address().ip().to_string())
        .port(wire.address().port())
        .username("postgres")
        .ssl_mode(PgSslMode::Disable);
    let pool = PostgresStore::recommended_options().connect_with(options).await.expect("the server runs");
    let store = PostgresStore::new(pool);
    store.migrate().await.expect("an empty database");
    let (harm, mend) = (async || wire.answers(Answers::Hold), async || wire.answers(Answers::Pass));
    outlasts(store, true, harm, mend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_redis() {
    let redis = Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let store = RedisStore::single(Client::open(redis.url()).expect("a URL")).connect().await;
    outlasts(store.expect("the server runs"), true, async || redis.crash(), async || redis.restart()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_redis() {
    let redis = Redis::start();
    let store = RedisStore::single(Client::open(redis.url()).expect("a URL")).connect().await;
    outlasts(store.expect("the server runs"), true, async || redis.pause(), async || redis.resume()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_redis_cluster() {
    let cluster = RedisCluster::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let client = ClusterClient::new(cluster.urls()).expect("URLs");
    let store = RedisStore::cluster(client).connect().await.expect("the servers run");
    outlasts(store, true, async || cluster.crash(), async || cluster.restart()).await;
}
