//! What a server's requests cost on each engine, counted below the store: statements by the driver's own log or by the
//! server's own count, and round trips on the wire. The client comes from the cache.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use core_tests::{ISSUER, World};
use engines::{Postgres, Redis, Upstream, Wire};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::storage::Store;
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::{self, Client};
use oauth_storage_sqlx::{PostgresStore, SqliteStore};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What was sent: commands that read, commands that write, and how often an answer was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    reads: u64,
    writes: u64,
    round_trips: u64,
}

/// Counts what a browser's login, a bearer check and a refresh cost after the same has happened once.
async fn costs(store: impl Store, taken: impl AsyncFn() -> Cost) -> [(&'static str, Cost); 4] {
    let clock = ManualClock::new(Timestamp::from_secs(core_tests::START));
    let world = World::new().beside(World::server(ISSUER, 1, store, &clock, |own| own));
    let first = world.tokens("web", "alice").await;
    world.server.verify(&first.access_token).await.expect("a live token");
    world.refresh("web", &first.refresh_token.expect("one"), &[]).await.expect("a live grant");
    taken().await;
    let code = world.approve("web", "alice").await.expect("a code");
    let approved = taken().await;
    let tokens = world.redeem("web", &code).await.expect("tokens");
    let redeemed = taken().await;
    world.server.verify(&tokens.access_token).await.expect("a live token");
    let checked = taken().await;
    world.refresh("web", &tokens.refresh_token.expect("one"), &[]).await.expect("a live grant");
    let refreshed = taken().await;
    [("approve", approved), ("redeem", redeemed), ("bearer check", checked), ("refresh", refreshed)]
}

/// `after` is what the driver sends of itself for each command, when its answer is there.
fn are_as_promised(costs: [(&'static str, Cost); 4], after: u64) {
    let [approve, ..] = costs;
    assert_eq!(approve.1.writes, 1, "{costs:?}");
    for (place, reads, writes) in [(1, 1, 1), (2, 1, 0), (3, 1, 1)] {
        let round_trips = (reads + writes) * (1 + after);
        assert_eq!(costs[place].1, Cost { reads, writes, round_trips }, "{costs:?}");
    }
}

/// The statements that sqlx says it has run, by the sign of their parameters.
#[derive(Debug, Default)]
struct Statements {
    sqlite: [AtomicU64; 2],
    postgres: [AtomicU64; 2],
}

impl Statements {
    fn watched() -> &'static Self {
        static SEEN: OnceLock<Statements> = OnceLock::new();
        static WATCH: OnceLock<()> = OnceLock::new();
        let seen = SEEN.get_or_init(Self::default);
        WATCH.get_or_init(|| tracing::subscriber::set_global_default(Watch(seen)).expect("the first"));
        seen
    }

    fn take(of: &[AtomicU64; 2]) -> (u64, u64) {
        (of[0].swap(0, Ordering::SeqCst), of[1].swap(0, Ordering::SeqCst))
    }
}

struct Watch(&'static Statements);

/// The fields of an event, one after the other.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{value:?}\n"));
    }

    fn record_str(&mut self, _field: &Field, value: &str) {
        self.0.push_str(value);
        self.0.push('\n');
    }
}

impl Subscriber for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let of = match &text.0 {
            text if text.contains("?1") => &self.0.sqlite,
            text if text.contains("$1") => &self.0.postgres,
            _ => return,
        };
        let reads = text.0.trim_start().starts_with("SELECT");
        of[usize::from(!reads)].fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test]
async fn sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = SqliteStore::recommended_connect_options(directory.path().join("oauth.db"));
    let pool = SqliteStore::recommended_options().max_connections(1).connect_with(options).await;
    let store = SqliteStore::new(pool.expect("a file"));
    store.migrate().await.expect("an empty file");
    let statements = Statements::watched();
    let taken = async || {
        // One connection does one thing after the other: what came before this has been told by then.
        sqlx::query("SELECT 1").execute(store.pool()).await.expect("SQLite answers");
        let (reads, writes) = Statements::take(&statements.sqlite);
        Cost { reads, writes, round_trips: reads + writes }
    };
    are_as_promised(costs(store.clone(), taken).await, 0);
}

/// sqlx pings a connection that comes back to the pool, when the answer has been given.
#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let wire = Wire::to(Upstream::Unix(Postgres::shared().socket()));
    let options = PgConnectOptions::new_without_pgpass()
        .host(&wire.address().ip().to_string())
        .port(wire.address().port())
        .username("postgres")
        .ssl_mode(PgSslMode::Disable);
    let pool = PostgresStore::recommended_options().max_connections(1).connect_with(options).await;
    let store =
        PostgresStore::new(pool.expect("the server runs")).with_prefix("round_trips_").expect("a name");
    store.migrate().await.expect("no such tables");
    let statements = Statements::watched();
    let before = AtomicU64::new(0);
    let taken = async || {
        // The one connection has come back by then, and once more when this has looked: the ping that is not counted.
        let _held = store.pool().acquire().await.expect("a connection");
        let (reads, writes) = Statements::take(&statements.postgres);
        let so_far = wire.round_trips();
        let round_trips = so_far - before.swap(so_far, Ordering::SeqCst) - 1;
        Cost { reads, writes, round_trips }
    };
    are_as_promised(costs(store.clone(), taken).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis() {
    let redis = Redis::start();
    let wire = Wire::to(Upstream::Unix(redis.socket()));
    let client = Client::open(format!("redis://{}", wire.address())).expect("a valid URL");
    let store = RedisStore::single(client).connect().await.expect("the server runs");
    let direct = Client::open(redis.url()).expect("a valid URL");
    let direct = direct.get_multiplexed_async_connection().await.expect("the server runs");
    let before = AtomicU64::new(0);
    let taken = async || {
        let mut direct = direct.clone();
        let info: String =
            redis::cmd("INFO").arg("commandstats").query_async(&mut direct).await.expect("it answers");
        let calls = |command: &str| -> u64 {
            let line = info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
            line.map_or(0, |line| line.split(',').next().and_then(|n| n.parse().ok()).expect("a number"))
        };
        let (reads, writes) = (calls("getex"), calls("evalsha"));
        redis::cmd("CONFIG").arg("RESETSTAT").exec_async(&mut direct).await.expect("it answers");
        let so_far = wire.round_trips();
        let round_trips = so_far - before.swap(so_far, Ordering::SeqCst);
        Cost { reads, writes, round_trips }
    };
    are_as_promised(costs(store, taken).await, 0);
}
