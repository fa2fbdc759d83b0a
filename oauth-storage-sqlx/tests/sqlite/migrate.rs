//! `migrate`: by many at once, under several prefixes, into what is there.

use futures_util::future::join_all;
use oauth_core::storage::{Store, Swap};
use oauth_storage_sqlx::SqliteStore;
use sqlx::{query_scalar, raw_sql};

use crate::backend::open;
use crate::records::Records;

async fn keeps_records(store: &SqliteStore) {
    let record = Records::new(1).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_that_start_at_once_migrate_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.db");
    let stores: Vec<_> = (0..8).map(|_| open(&file)).collect();
    for result in join_all(stores.iter().map(SqliteStore::migrate)).await {
        result.unwrap();
    }
    let steps: i64 =
        query_scalar("SELECT count(*) FROM oauth_migrations").fetch_one(stores[0].pool()).await.unwrap();
    assert_eq!(steps, 1);
    keeps_records(&stores[0]).await;
    stores[1].migrate().await.unwrap();
    let record = Records::new(1).grant();
    assert_eq!(stores[1].load(&record.key).await.unwrap(), Some(record));
}

#[tokio::test]
async fn prefixes_keep_stores_apart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    for prefix in ["a_", "b_", "order"] {
        let store = store.clone().with_prefix(prefix).unwrap();
        store.migrate().await.unwrap();
        keeps_records(&store).await;
    }
    for prefix in ["", "A", "a-b", "a b", "a\"b", "a;b", "7"] {
        assert!(store.clone().with_prefix(prefix).is_err(), "{prefix:?} passes");
    }
}

#[tokio::test]
async fn a_failed_migration_is_undone() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    raw_sql("CREATE VIEW oauth_records_purge AS SELECT 1").execute(store.pool()).await.unwrap();
    store.migrate().await.unwrap_err();
    let left: i64 = query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table'")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
    raw_sql("DROP VIEW oauth_records_purge").execute(store.pool()).await.unwrap();
    store.migrate().await.unwrap();
    keeps_records(&store).await;
}

/// As recommended: nothing that was answered is lost with the machine, and types are what they are called.
#[tokio::test]
async fn the_file_is_durable_and_strict() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    store.migrate().await.unwrap();
    let journal: String = query_scalar("PRAGMA journal_mode").fetch_one(store.pool()).await.unwrap();
    let synchronous: i64 = query_scalar("PRAGMA synchronous").fetch_one(store.pool()).await.unwrap();
    assert_eq!((journal.as_str(), synchronous), ("wal", 2));
    let strict: i64 = query_scalar("SELECT min(strict) FROM pragma_table_list WHERE name LIKE 'oauth%'")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(strict, 1);
}
