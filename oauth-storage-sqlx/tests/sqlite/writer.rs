//! Writes that share a commit: each is answered for itself, and none suffers for another.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use futures_util::future::join_all;
use oauth_core::storage::{Record, Store, StoreError, StoreResult, Swap};
use oauth_storage_sqlx::SqliteStore;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, raw_sql};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::purging;
use crate::records::{DAY, NOW, Records};

/// A store in a new file, and its directory.
async fn store_with(pool: SqlitePoolOptions) -> (SqliteStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let connections = SqliteStore::recommended_connect_options(directory.path().join("store.db"));
    let store = SqliteStore::new(pool.connect_lazy_with(connections));
    store.migrate().await.unwrap();
    (store, directory)
}

async fn store() -> (SqliteStore, TempDir) {
    store_with(SqliteStore::recommended_options()).await
}

/// Inserts all at once.
async fn insert(store: &SqliteStore, records: &[Arc<Record>]) -> Vec<StoreResult<Swap>> {
    join_all(records.iter().map(|record| store.swap(record.clone(), None))).await
}

/// On one thread, so that all of them wait before the first is written.
#[tokio::test]
async fn waiting_writes_share_a_commit() {
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = commits.clone();
    let options = SqliteStore::recommended_options().after_connect(move |connection, _| {
        let commits = counted.clone();
        Box::pin(async move {
            connection.lock_handle().await?.set_commit_hook(move || {
                commits.fetch_add(1, Ordering::SeqCst);
                true
            });
            Ok(())
        })
    });
    let (store, _directory) = store_with(options).await;
    let records = Records::new(1);
    let all: Vec<_> = (0..64).map(|_| records.grant()).collect();
    let before = commits.load(Ordering::SeqCst);
    for answer in insert(&store, &all).await {
        assert_eq!(answer.unwrap(), Swap::Swapped);
    }
    assert_eq!(commits.load(Ordering::SeqCst) - before, 1);
    for record in all {
        assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
    }
}

/// What the engine undoes of itself is the statement, or all of the transaction.
#[tokio::test]
async fn a_statement_that_fails_fails_alone() {
    for undoes in ["ABORT", "FAIL", "ROLLBACK"] {
        let (store, _directory) = store().await;
        let trigger = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON oauth_records WHEN NEW.client_id = 'refused' \
             BEGIN SELECT RAISE({undoes}, 'refused'); END"
        );
        raw_sql(AssertSqlSafe(trigger)).execute(store.pool()).await.unwrap();
        let records = Records::new(2);
        let mut all: Vec<_> = (0..5).map(|_| records.grant()).collect();
        all[2] = records.changed(&all[2], |grant| grant.client_id = "refused".into());
        let answers = insert(&store, &all).await;
        for (place, (record, answer)) in all.iter().zip(answers).enumerate() {
            let stored = store.load(&record.key).await.unwrap();
            if place == 2 {
                assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{undoes}: {answer:?}");
                assert_eq!(stored, None);
            } else {
                assert_eq!(answer.unwrap(), Swap::Swapped);
                assert_eq!(stored, Some(record.clone()), "{undoes}: {place} is not there");
            }
        }
        let next = records.next(&all[0]);
        assert_eq!(store.swap(next, Some(all[0].version)).await.unwrap(), Swap::Swapped);
    }
}

/// Within a batch the writes follow each other as they came.
#[tokio::test]
async fn one_of_several_writes_of_a_batch_wins() {
    let (store, _directory) = store().await;
    let records = Records::new(3);
    let first = records.grant();
    let rivals: Vec<_> = (0..8).map(|_| records.next(&first)).collect();
    assert_eq!(store.swap(first.clone(), None).await.unwrap(), Swap::Swapped);
    let swaps = rivals.iter().map(|next| store.swap(next.clone(), Some(first.version)));
    let answers: Vec<_> = join_all(swaps).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers[0], Swap::Swapped);
    assert_eq!(answers[1..], [Swap::Stale; 7]);
    assert_eq!(store.load(&first.key).await.unwrap(), Some(rivals[0].clone()));
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_happens() {
    let (store, _directory) = store().await;
    let records = Records::new(4);
    let (dropped, other) = (records.grant(), records.grant());
    {
        let mut write = pin!(store.swap(dropped.clone(), None));
        assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(store.swap(other, None).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&dropped.key).await.unwrap(), Some(dropped));
}

#[tokio::test]
async fn what_another_process_locks_out_has_not_happened() {
    let (store, _directory) = store().await;
    let other = SqliteStore::new(
        SqlitePoolOptions::new().connect_lazy_with((*store.pool().connect_options()).clone()),
    );
    let record = Records::new(5).grant();
    let lock = other.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = store.swap(record.clone(), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(store.load(&record.key).await.unwrap(), None);
    lock.rollback().await.unwrap();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    assert_eq!(other.load(&record.key).await.unwrap(), Some(record));
}

/// Whoever has a connection and whoever has the turn to write do not wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough() {
    let (store, _directory) = store_with(SqliteStore::recommended_options().max_connections(1)).await;
    let records = &Records::new(6);
    let flows = (0..16).map(|_| async {
        let mut record = records.grant();
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
        for _ in 0..10 {
            store.purge(NOW, 10).await.unwrap();
            let stored = store.load(&record.key).await.unwrap().unwrap();
            let next = records.next(&stored);
            assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
            record = next;
        }
    });
    join_all(flows).await;
    assert_eq!(store.purge(NOW + 31 * DAY, 100).await.unwrap().deleted, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_goes_on_beside_refreshes() {
    let (store, _directory) = store().await;
    purging::goes_on_beside_refreshes(&store).await;
}

/// The runtime that was writing is gone, and the next one goes on.
#[test]
fn the_writer_outlives_its_runtime() {
    let first = Runtime::new().unwrap();
    let (store, _directory) = first.block_on(store());
    let records = Records::new(7);
    let lock = first.block_on(store.pool().begin_with("BEGIN IMMEDIATE")).unwrap();
    let waiting = store.clone();
    let record = records.grant();
    let write = first.spawn(async move { waiting.swap(record, None).await });
    first.shutdown_background();
    let second = Runtime::new().unwrap();
    second.block_on(async {
        drop(lock);
        assert!(write.await.is_err_and(|error| error.is_cancelled()));
        let record = records.grant();
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
        assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
    });
}

/// Writers come and go, so that the queue is empty again and again: whoever comes as it becomes so is not forgotten.
#[test]
fn no_write_is_forgotten_as_the_queue_empties() {
    let runtime = Runtime::new().unwrap();
    let (store, _directory) = runtime.block_on(store());
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (store, runtime) = (&store, &runtime);
            scope.spawn(move || {
                let records = Records::new(100 + seed);
                for _ in 0..500 {
                    let record = records.grant();
                    let swap = runtime.block_on(store.swap(record, None));
                    assert_eq!(swap.unwrap(), Swap::Swapped);
                }
            });
        }
    });
}
