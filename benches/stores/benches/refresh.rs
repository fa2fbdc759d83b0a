//! The server's refresh in process, beside the same statements with the same payload from a bare driver loop: same pool, as
//! many at once, by turns in one run. Says the ratio, the larger the better; for SQLite also against one commit a write.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use contenders::request;
use oauth_core::storage::{Index, Key, Page, Record, Store};
use stores::{
    Bare, Client, Postgres, PostgresLoop, Redis, RedisLoop, Sqlite, SqliteLoop, median, rate, service,
};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// For both sides: threads do not wait for each other in it.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TURN: Duration = Duration::from_millis(500);
const TURNS: usize = 11;
const AT_ONCE: [usize; 3] = [1, 8, 64];
/// Of all clients together, so that a grant is not refreshed before its token is over.
const GRANTS: usize = 512;

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |engine: &str| asked.is_empty() || asked.iter().any(|name| name == engine);
    println!("median of {TURNS} pairs of turns, with the smallest and the largest ratio");
    for at_once in AT_ONCE.into_iter().filter(|_| wanted("sqlite")) {
        let engine = Sqlite::start().await;
        let (pool, turn) = (engine.store.pool().clone(), Arc::new(Mutex::new(())));
        let bare = |record| SqliteLoop::new(pool.clone(), record, turn.clone());
        let records = records(&engine.store, 1).await;
        let writes = SqliteLoop::new(pool.clone(), records[0].clone(), turn.clone()).of_writes();
        compare("sqlite", &engine.store, at_once, bare, Some(writes)).await;
    }
    for at_once in AT_ONCE.into_iter().filter(|_| wanted("postgres")) {
        let engine = Postgres::start().await;
        let pool = engine.store.pool().clone();
        let bare = |record| PostgresLoop::new(pool.clone(), record);
        compare("postgres", &engine.store, at_once, bare, None).await;
    }
    for at_once in AT_ONCE.into_iter().filter(|_| wanted("redis")) {
        let engine = Redis::start().await;
        let digest = RedisLoop::prepare(&engine.connection).await;
        let bare = |record: Arc<Record>| RedisLoop::new(engine.connection.clone(), digest.clone(), &record);
        compare("redis", &engine.store, at_once, bare, None).await;
    }
}

/// Clients of a server on the store, each with its share of the grants.
async fn clients(store: &(impl Store + Clone), count: usize, grants: usize) -> Vec<Client> {
    let service = service(store.clone());
    let mut signing_in = JoinSet::new();
    for _ in 0..count {
        signing_in.spawn(Client::sign_in(service.clone(), grants / count));
    }
    signing_in.join_all().await
}

/// So many refreshed grants, as a server stores them.
async fn records(store: &(impl Store + Clone), count: usize) -> Vec<Arc<Record>> {
    let before = keys(store).await;
    clients(store, count, count).await;
    let mut records = Vec::new();
    for key in keys(store).await.difference(&before) {
        records.push(store.load(key).await.expect("it answers").expect("it is stored"));
    }
    records
}

async fn keys(store: &impl Store) -> HashSet<Key> {
    let index = Index::Client(request::CLIENT_ID);
    let listing = store.list(index, Page::first(1000)).await.expect("it answers");
    assert!(listing.next.is_none());
    listing.keys.into_iter().collect()
}

async fn refresh(mut client: Client) -> Client {
    client.refresh().await;
    client
}

/// `writes` is a loop of writes alone, each with a commit of its own.
async fn compare<B: Bare>(
    engine: &str,
    store: &(impl Store + Clone),
    at_once: usize,
    bare: impl Fn(Arc<Record>) -> B,
    writes: Option<B>,
) {
    let mut loops: Vec<B> = records(store, at_once).await.into_iter().map(bare).collect();
    let mut ours = clients(store, at_once, GRANTS).await;
    let mut writes: Vec<B> = writes.into_iter().collect();
    let (mut by_server, mut by_driver, mut by_commit) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let (server, driver);
        // Neither has always the advantage of coming second.
        if turn % 2 == 0 {
            (server, ours) = rate(ours, TURN, refresh).await;
            (driver, loops) = rate(loops, TURN, B::refresh).await;
        } else {
            (driver, loops) = rate(loops, TURN, B::refresh).await;
            (server, ours) = rate(ours, TURN, refresh).await;
        }
        let commits;
        (commits, writes) =
            if writes.is_empty() { (0.0, writes) } else { rate(writes, TURN, B::refresh).await };
        // The first turns prepare statements.
        if turn > 0 {
            by_server.push(server);
            by_driver.push(driver);
            by_commit.push(commits);
        }
    }
    let refreshes = median(&by_server);
    let bare = median(&by_driver);
    println!(
        "{engine}, {at_once} at once: {refreshes:.0} refreshes a second, the bare driver {bare:.0}: {}",
        ratio(&by_server, &by_driver)
    );
    if !writes.is_empty() {
        let floor = median(&by_commit);
        let times = ratio(&by_server, &by_commit);
        println!("{engine}, {at_once} at once: of {floor:.0} writes a second with a commit each: {times}");
    }
}

/// The median of the pairs' ratios, with the smallest and the largest.
fn ratio(ours: &[f64], others: &[f64]) -> String {
    let mut ratios: Vec<f64> = ours.iter().zip(others).map(|(own, other)| own / other).collect();
    ratios.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2} to {:.2})", median(&ratios), ratios[0], ratios[ratios.len() - 1])
}
