//! Very many expired grants go in bounded batches, while live ones are refreshed: how long it takes, how long the largest batch,
//! what the refreshes notice of it, and what is left of the space.
//!
//! `GRANTS=20000 cargo bench -p stores --bench purge -- sqlite` does less.
#![expect(clippy::disallowed_methods, reason = "figures are measured with the machine's clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contenders::request;
use oauth_core::clock::{Clock, SystemClock};
use oauth_core::handle::GrantId;
use oauth_core::secret::{SystemRandom, random_array};
use oauth_core::storage::{Body, Index, Key, Page, Record, Store, Version};
use oauth_storage_redis::redis;
use sqlx::query_scalar;
use stores::{Client, Postgres, Redis, Sqlite, bulk, service};
use tokio::task::JoinSet;

const BATCH: usize = 500;
/// So many records are made at once.
const CHUNK: usize = 20_000;
const CLIENTS: usize = 8;
const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |engine: &str| asked.is_empty() || asked.iter().any(|name| name == engine);
    let grants = std::env::var("GRANTS").map_or(1_000_000, |count| count.parse().expect("a number"));
    if wanted("sqlite") {
        let engine = Sqlite::start().await;
        let size = async || {
            let page: i64 = pragma(&engine, "page_size").await;
            let (all, free) = (pragma(&engine, "page_count").await, pragma(&engine, "freelist_count").await);
            format!("{} in use, file {}", mebibytes(page * (all - free)), mebibytes(page * all))
        };
        let fill = async |records: &[Arc<Record>]| bulk::into_sqlite(engine.store.pool(), records).await;
        cycles("sqlite", &engine.store, grants, fill, size, async || {}).await;
    }
    if wanted("postgres") {
        let engine = Postgres::start().await;
        let size = async || {
            let size = "SELECT pg_table_size(t), pg_indexes_size(t) FROM to_regclass('oauth_records') t";
            let (table, indexes): (i64, i64) =
                sqlx::query_as(size).fetch_one(engine.store.pool()).await.expect("it answers");
            format!("table {}, indexes {}", mebibytes(table), mebibytes(indexes))
        };
        // What the engine does by itself after some time: the pages of an index that one has emptied are free after the next, once
        // other transactions have come in between.
        let vacuum = async || {
            for statement in ["VACUUM oauth_records", "SELECT pg_current_xact_id()", "VACUUM oauth_records"] {
                sqlx::query(statement).execute(engine.store.pool()).await.expect("it answers");
            }
        };
        let fill = async |records: &[Arc<Record>]| bulk::into_postgres(engine.store.pool(), records).await;
        cycles("postgres", &engine.store, grants, fill, size, vacuum).await;
    }
    if wanted("redis") {
        let engine = Redis::start().await;
        let size = async || {
            let mut connection = engine.connection.clone();
            let info: String =
                redis::cmd("INFO").arg("memory").query_async(&mut connection).await.expect("it answers");
            let keys: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.expect("it answers");
            let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok());
            format!("{} in {keys} keys", mebibytes(used.expect("INFO says it")))
        };
        let fill = async |records: &[Arc<Record>]| bulk::into_store(&engine.store, records).await;
        cycles("redis", &engine.store, grants, fill, size, async || {}).await;
    }
}

async fn pragma(engine: &Sqlite, name: &'static str) -> i64 {
    let value = match name {
        "page_size" => query_scalar("PRAGMA page_size"),
        "page_count" => query_scalar("PRAGMA page_count"),
        _ => query_scalar("PRAGMA freelist_count"),
    };
    value.fetch_one(engine.store.pool()).await.expect("it answers")
}

fn mebibytes(bytes: i64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}

/// Filled and purged twice: the second time takes no more space than the first.
async fn cycles(
    engine: &str,
    store: &(impl Store + Clone),
    grants: usize,
    write: impl AsyncFn(&[Arc<Record>]),
    size: impl AsyncFn() -> String,
    vacuum: impl AsyncFn(),
) {
    let service = service(store.clone());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::sign_in(service.clone(), 64).await);
    }
    let listing = store.list(Index::Client(request::CLIENT_ID), Page::first(1)).await.expect("it answers");
    let pattern = store.load(&listing.keys[0]).await.expect("it answers").expect("it is stored");
    println!("{engine}, {} live grants: {}", 64 * CLIENTS, size().await);
    for _ in 0..2 {
        let begun = Instant::now();
        fill(store, &pattern, grants, &write).await;
        println!("{engine}, {grants} expired ones written in {:.1?}: {}", begun.elapsed(), size().await);
        let alone = beside(&mut clients, async || tokio::time::sleep(Duration::from_secs(3)).await).await;
        let mut batches = Vec::new();
        let begun = Instant::now();
        let meanwhile = beside(&mut clients, async || batches = purge(store).await).await;
        let elapsed = begun.elapsed();
        batches.sort();
        println!(
            "{engine}, purged in {elapsed:.1?}: {:.0} a second, {} batches of up to {BATCH}, median {:.1?}, largest {:.1?}",
            grants as f64 / elapsed.as_secs_f64(),
            batches.len(),
            batches[batches.len() / 2],
            batches[batches.len() - 1],
        );
        println!("{engine}, refreshes meanwhile: {meanwhile}; without a purge: {alone}");
        vacuum().await;
        println!("{engine}, afterwards: {}", size().await);
    }
}

/// Copies of a grant, each with an id and a subject of its own, that were over yesterday. What is in the store is looked at.
async fn fill(store: &impl Store, pattern: &Record, grants: usize, write: &impl AsyncFn(&[Arc<Record>])) {
    let mut left = grants;
    while left > 0 {
        let records: Vec<_> = (0..left.min(CHUNK)).map(|_| expired(pattern)).collect();
        write(&records).await;
        let last = &records[records.len() - 1];
        assert_eq!(store.load(&last.key).await.expect("it answers").as_ref(), Some(last));
        left -= records.len();
    }
}

fn expired(pattern: &Record) -> Arc<Record> {
    let now = SystemClock.now();
    let mut record = Record {
        key: Key::grant(GrantId::new_v7(now, &SystemRandom)),
        version: Version::generate(&SystemRandom),
        retain_until: now - DAY,
        ..pattern.clone()
    };
    if let Body::Grant(grant) = &mut record.body {
        let subject = u128::from_ne_bytes(random_array(&SystemRandom));
        grant.subject = Some(format!("{subject:036x}").into());
    }
    Arc::new(record)
}

/// How long each batch took.
async fn purge(store: &impl Store) -> Vec<Duration> {
    let mut batches = Vec::new();
    loop {
        let begun = Instant::now();
        let purged = store.purge(SystemClock.now(), BATCH).await.expect("it answers");
        batches.push(begun.elapsed());
        assert!(purged.deleted <= BATCH);
        if !purged.more {
            return batches;
        }
    }
}

/// Lets the clients refresh until the work is done, and says how that went.
async fn beside(clients: &mut Vec<Client>, work: impl AsyncFnOnce()) -> String {
    let ended = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut client in clients.drain(..) {
        let ended = ended.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            while !ended.load(Ordering::SeqCst) {
                let begun = Instant::now();
                client.refresh().await;
                took.push(begun.elapsed());
            }
            (client, took)
        });
    }
    work().await;
    ended.store(true, Ordering::SeqCst);
    let elapsed = begun.elapsed();
    let mut took = Vec::new();
    for (client, of_one) in tasks.join_all().await {
        clients.push(client);
        took.extend(of_one);
    }
    took.sort();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    format!(
        "{:.0} a second, median {:.1?}, 99 % within {:.1?}, slowest {:.1?}",
        took.len() as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    )
}
