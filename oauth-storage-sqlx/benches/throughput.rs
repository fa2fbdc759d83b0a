//! Refreshes, each a load and a swap, beside a bare loop of the same statements on the same pool, in turns in one run.
//!
//! `cargo bench -p oauth-storage-sqlx --all-features`
#![expect(clippy::print_stdout, reason = "figures are for people")]
#![expect(clippy::disallowed_methods, reason = "figures are measured with the machine's clock")]

#[path = "../tests/records/mod.rs"]
mod records;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engines::Postgres;
use futures_util::future::join_all;
use oauth_core::storage::{Record, Store, Swap};
use oauth_storage_sqlx::{PostgresStore, SqliteStore};
use records::{NOW, Records};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::sqlite::SqlitePool;
use sqlx::types::Uuid;

const TURN: Duration = Duration::from_millis(700);
const TURNS: usize = 5;

#[tokio::main]
async fn main() {
    let postgres = Postgres::start();
    let options: PgConnectOptions = postgres.url().parse().expect("a valid URL");
    let pool = PostgresStore::recommended_options().max_connections(8).connect_lazy_with(options);
    let store = PostgresStore::new(pool.clone());
    store.migrate().await.expect("an empty database can be migrated");
    for at_once in [1, 8, 64] {
        let ours = async |live: &[Arc<Record>], records: &Records| refresh(&store, live, records).await;
        let bare = async |live: &[Arc<Record>], records: &Records| bare_postgres(&pool, live, records).await;
        compare("postgres", &store, at_once, ours, bare).await;
    }

    let directory = tempfile::tempdir().expect("the temporary directory is writable");
    let options = SqliteStore::recommended_connect_options(directory.path().join("store.db"));
    let pool = SqliteStore::recommended_options().max_connections(8).connect_lazy_with(options);
    let store = SqliteStore::new(pool.clone());
    store.migrate().await.expect("an empty file can be migrated");
    for at_once in [1, 8, 64] {
        let ours = async |live: &[Arc<Record>], records: &Records| refresh(&store, live, records).await;
        let bare = async |live: &[Arc<Record>], records: &Records| bare_sqlite(&pool, live, records).await;
        compare("sqlite", &store, at_once, ours, bare).await;
    }
}

/// Prints the median of several turns of each, and their ratio.
async fn compare(
    engine: &str,
    store: &impl Store,
    at_once: usize,
    ours: impl AsyncFn(&[Arc<Record>], &Records) -> f64,
    bare: impl AsyncFn(&[Arc<Record>], &Records) -> f64,
) {
    let records = Records::new(at_once as u64);
    let grants = async || -> Vec<Arc<Record>> {
        let grants: Vec<_> = (0..at_once).map(|_| records.refreshed_grant()).collect();
        for grant in &grants {
            let swap = store.swap(grant.clone(), None).await.expect("the engine answers");
            assert_eq!(swap, Swap::Swapped);
        }
        grants
    };
    let (mut with_store, mut without) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        with_store.push(ours(&grants().await, &records).await);
        without.push(bare(&grants().await, &records).await);
    }
    let (with_store, without) = (median(with_store), median(without));
    println!(
        "{engine}, {at_once} at once: {with_store:.0} refreshes a second, bare {without:.0}: {:.2}",
        with_store / without
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Each grant is refreshed again and again, all at once, until the turn is over. Gives refreshes a second.
async fn rate<F: Future<Output = u64>>(live: &[Arc<Record>], run: impl Fn(Arc<Record>, Instant) -> F) -> f64 {
    let begun = Instant::now();
    let done = join_all(live.iter().map(|record| run(record.clone(), begun))).await;
    done.into_iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64()
}

async fn refresh(store: &impl Store, live: &[Arc<Record>], records: &Records) -> f64 {
    rate(live, |record, begun| async move {
        let mut done = 0;
        while begun.elapsed() < TURN {
            let stored = store.load(&record.key).await.expect("the engine answers").expect("it is stored");
            let next = records.next(&stored);
            let swap = store.swap(next, Some(stored.version)).await.expect("the engine answers");
            assert_eq!(swap, Swap::Swapped);
            done += 1;
        }
        done
    })
    .await
}

async fn bare_postgres(pool: &PgPool, live: &[Arc<Record>], records: &Records) -> f64 {
    const LOAD: &str =
        "SELECT version, retain_until, body FROM oauth_records WHERE namespace = $1 AND id = $2";
    const UPDATE: &str = "UPDATE oauth_records SET version = $3, retain_until = $4, purge_minute = $5, \
        created_at = $6, expires_at = $7, state = $8, client_id = $9, subject = $10, session = $11, \
        body = $12 WHERE namespace = $1 AND id = $2 AND version = $13";
    rate(live, |record, begun| async move {
        let id = Uuid::from_bytes(*record.key.id());
        let next = records.next(&record);
        let body = next.encode();
        let mut done = 0;
        while begun.elapsed() < TURN {
            let row = sqlx::query(LOAD).bind(1_i16).bind(id).fetch_one(pool).await.expect("it is stored");
            let version: Uuid = row.get(0);
            let next = Uuid::from_bytes(*records.version().as_bytes());
            let updated = sqlx::query(UPDATE)
                .bind(1_i16)
                .bind(id)
                .bind(next)
                .bind(record.retain_until.as_millis())
                .bind(i32::try_from(record.retain_until.as_secs() / 60).expect("not that far"))
                .bind(NOW.as_millis())
                .bind(NOW.as_millis())
                .bind("active")
                .bind(record.client_id())
                .bind(record.subject())
                .bind(record.session())
                .bind(&body)
                .bind(version)
                .execute(pool)
                .await
                .expect("the engine answers");
            assert_eq!(updated.rows_affected(), 1);
            done += 1;
        }
        done
    })
    .await
}

async fn bare_sqlite(pool: &SqlitePool, live: &[Arc<Record>], records: &Records) -> f64 {
    const LOAD: &str =
        "SELECT version, retain_until, body FROM oauth_records WHERE namespace = ?1 AND id = ?2";
    const UPDATE: &str = "UPDATE oauth_records SET version = ?3, retain_until = ?4, \
        created_at = ?5, expires_at = ?6, state = ?7, client_id = ?8, subject = ?9, session = ?10, \
        body = ?11 WHERE namespace = ?1 AND id = ?2 AND version = ?12";
    // One writer at a time, as SQLite has it: its own lock would be waited for in sleeps.
    let turn = &tokio::sync::Mutex::new(());
    rate(live, |record, begun| async move {
        let id = record.key.id().to_vec();
        let next = records.next(&record);
        let body = next.encode();
        let mut done = 0;
        while begun.elapsed() < TURN {
            let row = sqlx::query(LOAD).bind(1).bind(&id).fetch_one(pool).await.expect("it is stored");
            let version: Vec<u8> = row.get(0);
            let _turn = turn.lock().await;
            let updated = sqlx::query(UPDATE)
                .bind(1)
                .bind(&id)
                .bind(records.version().as_bytes().to_vec())
                .bind(record.retain_until.as_millis())
                .bind(NOW.as_millis())
                .bind(NOW.as_millis())
                .bind("active")
                .bind(record.client_id())
                .bind(record.subject())
                .bind(record.session())
                .bind(&body)
                .bind(version)
                .execute(pool)
                .await
                .expect("the engine answers");
            assert_eq!(updated.rows_affected(), 1);
            done += 1;
        }
        done
    })
    .await
}
