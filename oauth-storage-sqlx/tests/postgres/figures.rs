//! What it costs: round trips, bytes, index writes. Printed with `--nocapture`.
#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::sync::Arc;

use engines::Postgres;
use futures_util::future::join_all;
use oauth_core::storage::{Index, Page, Record, Store, Swap};
use oauth_storage_sqlx::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{query, query_as, query_scalar, raw_sql};

use crate::backend::{fresh, patient_pool, wired};
use crate::purging::{Space, gives_its_space_back};
use crate::records::{DAY, NOW, Records};

const GRANTS: usize = 4_000;

/// One by one: beside another statement, which sees the old version still, a version keeps its place in the page, the longer
/// the busier the machine is.
async fn swap_all(store: &PostgresStore, writes: impl Iterator<Item = (Arc<Record>, Option<Arc<Record>>)>) {
    for (next, old) in writes {
        let expected = old.map(|old| old.version);
        assert_eq!(store.swap(next, expected).await.unwrap(), Swap::Swapped);
    }
}

/// Inserts, refreshes each in turn as time goes by, and looks at the table.
async fn live(postgres: &Postgres, name: &str, grant: impl Fn(&Records) -> Arc<Record>) -> u64 {
    let options: PgConnectOptions = postgres.url().parse().unwrap();
    let options = options.options([("search_path", "figures")]);
    let store = PostgresStore::new(patient_pool(options.clone()));
    let empty = "DROP SCHEMA IF EXISTS figures CASCADE; CREATE SCHEMA figures";
    raw_sql(empty).execute(store.pool()).await.unwrap();
    store.migrate().await.unwrap();
    let records = Records::new(1);
    let mut live: Vec<_> = (0..GRANTS).map(|_| grant(&records)).collect();
    swap_all(&store, live.iter().map(|record| (record.clone(), None))).await;
    let inserted = size(store.pool()).await;
    for _ in 0..4 {
        // In another order than they lie in the table, as refreshes come.
        live = (0..GRANTS).map(|place| live[place * 7919 % GRANTS].clone()).collect();
        let next: Vec<_> = live.iter().map(|record| records.next(record)).collect();
        swap_all(&store, next.iter().cloned().zip(live.into_iter().map(Some))).await;
        live = next;
    }
    // The server's counts of a connection are complete when it ends.
    store.pool().close().await;
    let pool = patient_pool(options);
    let (table, indexes) = size(&pool).await;
    let updates =
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'oauth_records'::regclass";
    let (updated, hot): (i64, i64) = query_as(updates).fetch_one(&pool).await.unwrap();
    println!(
        "postgres, {name}: {} bytes a grant in the table, of which {} are the body, and {} in indexes; \
         after four refreshes {} and {}; {hot} of {updated} updates were HOT",
        inserted.0,
        live[0].encode().len(),
        inserted.1,
        table,
        indexes,
    );
    assert!(hot * 10 >= updated * 9, "only {hot} of {updated} updates were HOT");
    inserted.0 + inserted.1
}

/// Bytes of a grant in the table and in its indexes.
async fn size(pool: &PgPool) -> (u64, u64) {
    let sizes = "SELECT pg_table_size(t), pg_indexes_size(t) FROM to_regclass('oauth_records') t";
    let (table, indexes): (i64, i64) = query_as(sizes).fetch_one(pool).await.unwrap();
    let each = |bytes: i64| u64::try_from(bytes).unwrap() / GRANTS as u64;
    (each(table), each(indexes))
}

/// On a server of its own: any open transaction in the database keeps all old versions in place.
#[tokio::test(flavor = "multi_thread")]
async fn a_live_grant_takes_a_kilobyte_at_most() {
    let postgres = Postgres::start_with(&[("fsync", "off"), ("autovacuum", "off")]);
    let bytes = live(&postgres, "reference grant", Records::grant).await;
    assert!(bytes <= 1024, "{bytes} bytes a grant");
    live(&postgres, "by code, refreshed", Records::refreshed_grant).await;
}

/// An operation of the store.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Load,
    Insert,
    Swap,
    LoseARace,
    List,
    Purge,
}

/// How many round trips an operation takes when its statements are prepared.
async fn round_trips(operation: Operation) -> u64 {
    const TIMES: u64 = 10;
    let (wire, store) = wired(&fresh().await, 1);
    let records = Records::new(1);
    let mut stored = records.grant();
    assert_eq!(store.swap(stored.clone(), None).await.unwrap(), Swap::Swapped);
    let mut before = 0;
    for time in 0..=TIMES {
        if time == 1 {
            // Waits until the one connection has come back, and brings it back again.
            drop(store.pool().acquire().await.unwrap());
            before = wire.round_trips();
        }
        match operation {
            Operation::Load => assert!(store.load(&stored.key).await.unwrap().is_some()),
            Operation::Insert => {
                assert_eq!(store.swap(records.grant(), None).await.unwrap(), Swap::Swapped);
            }
            Operation::Swap => {
                let next = records.next(&stored);
                assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
                stored = next;
            }
            Operation::LoseARace => {
                assert_eq!(store.swap(records.next(&stored), None).await.unwrap(), Swap::Stale);
            }
            Operation::List => {
                let index = Index::Client("client");
                store.list(index, Page::first(10)).await.unwrap();
            }
            Operation::Purge => {
                store.purge(NOW, 10).await.unwrap();
            }
        }
    }
    drop(store.pool().acquire().await.unwrap());
    (wire.round_trips() - before) / TIMES
}

/// sqlx checks each connection that comes back to the pool, by a round trip for which no operation waits.
const CHECK: u64 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_one_round_trip() {
    for operation in [Operation::Load, Operation::Insert, Operation::Swap, Operation::List, Operation::Purge]
    {
        let seen = round_trips(operation).await;
        println!("postgres, {operation:?}: {seen} round trips, of which {CHECK} after the answer");
        assert_eq!(seen, 1 + CHECK, "{operation:?}");
    }
    // A second statement, on a connection that has come back in between.
    assert_eq!(round_trips(Operation::LoseARace).await, 2 * (1 + CHECK));
}

/// A connection that somebody waits for is handed on unchecked, but not for ever.
#[tokio::test]
async fn waiting_operations_pass_connections_on() {
    const AT_ONCE: u64 = 64;
    let (wire, store) = wired(&fresh().await, 1);
    let record = Records::new(1).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    store.load(&record.key).await.unwrap();
    drop(store.pool().acquire().await.unwrap());
    let before = wire.round_trips();
    for found in join_all((0..AT_ONCE).map(|_| store.load(&record.key))).await {
        assert_eq!(found.unwrap(), Some(record.clone()));
    }
    drop(store.pool().acquire().await.unwrap());
    let seen = wire.round_trips() - before;
    println!("postgres, {AT_ONCE} loads on one connection: {seen} round trips");
    assert!((AT_ONCE + 2..AT_ONCE + 6).contains(&seen), "{seen} round trips");
}

/// On a server of its own: any open transaction in the database keeps all old versions in place.
#[tokio::test(flavor = "multi_thread")]
async fn purged_pages_are_given_back_or_used_again() {
    let postgres = Postgres::start_with(&[("fsync", "off"), ("autovacuum", "off")]);
    let store = PostgresStore::new(patient_pool(postgres.url().parse().unwrap()));
    store.migrate().await.unwrap();
    let space = async || {
        // Twice: the pages of an index that the first has emptied are free after the second.
        for _ in 0..2 {
            query("VACUUM oauth_records").execute(store.pool()).await.unwrap();
        }
        let sizes = "SELECT pg_table_size(t), pg_total_relation_size(t) FROM to_regclass('oauth_records') t";
        let (table, all): (i64, i64) = query_as(sizes).fetch_one(store.pool()).await.unwrap();
        Space { used: table.try_into().unwrap(), taken: all.try_into().unwrap() }
    };
    gives_its_space_back(&store, space).await;
}

/// Also where the statistics are of a time when there was hardly anything to purge: a batch does not look at all that is due.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_a_purge_reads_little_more_than_it_deletes() {
    const BATCHES: i64 = 10;
    let postgres = Postgres::start_with(&[("fsync", "off"), ("autovacuum", "off")]);
    let options: PgConnectOptions = postgres.url().parse().unwrap();
    let store = PostgresStore::new(patient_pool(options.clone()));
    store.migrate().await.unwrap();
    let record = Records::new(3).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    let fill = "INSERT INTO oauth_records SELECT namespace, purge_minute, gen_random_uuid(), version, retain_until, \
                created_at, expires_at, state, client_id, subject, session, body \
                FROM oauth_records, generate_series(1, 10000)";
    for statement in [fill, "DELETE FROM oauth_records WHERE ctid <> '(0,1)'", "VACUUM oauth_records", fill] {
        query(statement).execute(store.pool()).await.unwrap();
    }
    for _ in 0..BATCHES {
        assert_eq!(store.purge(NOW + 60 * DAY, 100).await.unwrap().deleted, 100);
    }
    store.pool().close().await;
    let pool = patient_pool(options);
    // A backend has told what it read when it is gone.
    let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = \
                  current_database() AND pid <> pg_backend_pid()";
    while query_scalar::<_, i64>(others).fetch_one(&pool).await.unwrap() > 0 {}
    let read = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'oauth_records_purge'";
    let seen: i64 = query_scalar(read).fetch_one(&pool).await.unwrap();
    println!("postgres, {seen} entries of the index read by {BATCHES} batches of 100 out of 10000");
    // Another plan would read nothing of this index.
    assert!((BATCHES * 100..=BATCHES * 1_000).contains(&seen), "{seen} entries");
}
