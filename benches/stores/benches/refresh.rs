//! The server's refresh in process, beside the same statements with the same payload from a bare driver loop: same pool, as
//! many at once, by turns in one run. Says the ratio, the larger the better; for SQLite also against one commit a write.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use contenders::{ours_on, request};
use oauth_core::storage::{Index, Key, Page, Record, Store};
use stores::{Bare, Client, Postgres, PostgresLoop, Redis, RedisLoop, Sqlite, SqliteLoop, median, rate};
use tokio::sync::Mutex;

const TURN: Duration = Duration::from_millis(500);
const TURNS: usize = 11;
const AT_ONCE: [usize; 3] = [1, 8, 64];

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |engine: &str| asked.is_empty() || asked.iter().any(|name| name == engine);
    println!("median of {TURNS} pairs of turns, with the smallest and the largest ratio");
    for at_once in AT_ONCE.into_iter().filter(|_| wanted("sqlite")) {
        let engine = Sqlite::start().await;
        let (pool, turn) = (engine.store.pool().clone(), Arc::new(Mutex::new(())));
        let bare = |record| SqliteLoop::new(pool.clone(), record, turn.clone());
        let refreshes = compare("sqlite", &engine.store, at_once, bare).await;
        one_commit_a_write(&engine, at_once, refreshes).await;
    }
    for at_once in AT_ONCE.into_iter().filter(|_| wanted("postgres")) {
        let engine = Postgres::start().await;
        let pool = engine.store.pool().clone();
        compare("postgres", &engine.store, at_once, |record| PostgresLoop::new(pool.clone(), record)).await;
    }
    for at_once in AT_ONCE.into_iter().filter(|_| wanted("redis")) {
        let engine = Redis::start().await;
        let digest = RedisLoop::prepare(&engine.connection).await;
        let bare = |record: Arc<Record>| RedisLoop::new(engine.connection.clone(), digest.clone(), &record);
        compare("redis", &engine.store, at_once, bare).await;
    }
}

/// Clients of a server on the store, and what they have stored.
async fn clients(store: &(impl Store + Clone), count: usize) -> (Vec<Client>, Vec<Arc<Record>>) {
    let (_, service) = ours_on(store.clone());
    let before = keys(store).await;
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::sign_in(service.clone()).await);
    }
    let mut records = Vec::new();
    for key in keys(store).await.difference(&before) {
        records.push(store.load(key).await.expect("it answers").expect("it is stored"));
    }
    (clients, records)
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

/// Gives the refreshes a second.
async fn compare<B: Bare>(
    engine: &str,
    store: &(impl Store + Clone),
    at_once: usize,
    bare: impl Fn(Arc<Record>) -> B,
) -> f64 {
    let (mut ours, _) = clients(store, at_once).await;
    let (_, records) = clients(store, at_once).await;
    let mut loops: Vec<B> = records.into_iter().map(bare).collect();
    let (mut by_server, mut by_driver, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
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
        // The first turns prepare statements.
        if turn > 0 {
            by_server.push(server);
            by_driver.push(driver);
            ratios.push(server / driver);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "{engine}, {at_once} at once: {:.0} refreshes a second, the bare driver {:.0}: {:.2} ({:.2} to {:.2})",
        median(&by_server),
        median(&by_driver),
        median(&ratios),
        ratios[0],
        ratios[TURNS - 1],
    );
    median(&by_server)
}

/// What SQLite writes when each write has a commit of its own and nothing else is done.
async fn one_commit_a_write(engine: &Sqlite, at_once: usize, refreshes: f64) {
    let (_, records) = clients(&engine.store, 1).await;
    let alone = SqliteLoop::new(engine.store.pool().clone(), records[0].clone(), Arc::default()).of_writes();
    let (mut alone, mut rates) = (vec![alone], Vec::new());
    for _ in 0..5 {
        let writes;
        (writes, alone) = rate(alone, TURN, SqliteLoop::refresh).await;
        rates.push(writes);
    }
    let floor = median(&rates);
    println!(
        "sqlite, {at_once} at once: {:.1} times the {floor:.0} writes a second with a commit each",
        refreshes / floor
    );
}
