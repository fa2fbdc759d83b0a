//! Connections that break, servers that restart, answers that never come.

use std::sync::Arc;
use std::time::Duration;

use engines::{Answers, Postgres};
use futures_util::future::join_all;
use oauth_core::storage::{Index, Page, Record, Store, StoreError, Swap};
use oauth_storage_sqlx::PostgresStore;
use sqlx::{query, query_scalar};
use tokio::time::timeout;

use crate::backend::{fresh, pool, wired};
use crate::records::{NOW, Records};

/// The same store through another pool.
fn again(store: &PostgresStore) -> PostgresStore {
    PostgresStore::new(pool((*store.pool().connect_options()).clone()))
}

async fn stored(store: &PostgresStore) -> Arc<Record> {
    let record = Records::new(1).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    record
}

/// Opens all connections of a pool, so that none is made later, and ends them on the server.
async fn terminate_all(store: &PostgresStore, other: &PostgresStore) {
    let pids = join_all((0..4).map(|_| async {
        let mut transaction = store.pool().begin().await.unwrap();
        let pid: i32 = query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *transaction).await.unwrap();
        (transaction, pid)
    }));
    let (transactions, pids): (Vec<_>, Vec<i32>) = pids.await.into_iter().unzip();
    for transaction in transactions {
        transaction.commit().await.unwrap();
    }
    query("SELECT pg_terminate_backend(pid, 5000) FROM unnest($1) pid")
        .bind(pids)
        .fetch_all(other.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn reads_survive_the_end_of_every_connection() {
    let store = fresh().await;
    let other = again(&store);
    let record = stored(&store).await;
    terminate_all(&store, &other).await;
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record.clone()));
    terminate_all(&store, &other).await;
    let subject = record.subject().unwrap();
    assert_eq!(store.list(Index::Subject(subject), Page::first(9)).await.unwrap().keys, [record.key]);
}

/// The read that met one broken connection has removed the others: a write after it does not meet them.
#[tokio::test]
async fn a_broken_connection_is_met_once() {
    let store = fresh().await;
    let other = again(&store);
    let record = stored(&store).await;
    terminate_all(&store, &other).await;
    store.load(&record.key).await.unwrap();
    let next = Records::new(2).next(&record);
    assert_eq!(store.swap(next, Some(record.version)).await.unwrap(), Swap::Swapped);
}

/// Ends the connection of a statement that waits for another transaction's lock, while it waits.
#[tokio::test]
async fn a_write_whose_connection_ends_is_unknown_and_whole() {
    let store = fresh().await;
    let other = again(&store);
    let record = stored(&store).await;
    let next = Records::new(2).next(&record);
    let mut lock = other.pool().begin().await.unwrap();
    query("SELECT 1 FROM oauth_records FOR UPDATE").execute(&mut *lock).await.unwrap();
    let write = tokio::spawn({
        let (store, next, expected) = (store.clone(), next.clone(), Some(record.version));
        async move { store.swap(next, expected).await }
    });
    let blocked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
    while query(blocked).fetch_all(&mut *lock).await.unwrap().is_empty() {}
    let error = write.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    lock.commit().await.unwrap();
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record.clone()));
    assert_eq!(store.swap(next.clone(), Some(record.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&record.key).await.unwrap(), Some(next));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_unknown_and_found() {
    let store = fresh().await;
    let record = stored(&store).await;
    let next = Records::new(2).next(&record);
    let (wire, wired) = wired(&store, 4);
    wire.answers(Answers::Lose("UPDATE 1"));
    let error = wired.swap(next.clone(), Some(record.version)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    assert_eq!(wired.load(&record.key).await.unwrap(), Some(next.clone()));
    assert_eq!(wired.swap(next, Some(record.version)).await.unwrap(), Swap::Swapped);
}

/// What a broken connection says is never an answer, also when the next ones break too.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_answers_are_all_lost_is_unavailable() {
    let store = fresh().await;
    let record = stored(&store).await;
    let (wire, wired) = wired(&store, 4);
    wired.load(&record.key).await.unwrap();
    wire.answers(Answers::Lose(""));
    let error = wired.load(&record.key).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    wire.answers(Answers::Pass);
    assert_eq!(wired.load(&record.key).await.unwrap(), Some(record));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_is_not_noticed_by_reads() {
    let store = fresh().await;
    let record = stored(&store).await;
    let (wire, wired) = wired(&store, 4);
    for _ in 0..10 {
        assert_eq!(wired.load(&record.key).await.unwrap(), Some(record.clone()));
        wire.cut();
    }
}

/// More reads than there are connections are given up while the server hangs. Afterwards all is well again.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_server_does_not_use_up_the_pool() {
    let store = fresh().await;
    let record = stored(&store).await;
    let (wire, wired) = wired(&store, 4);
    wired.load(&record.key).await.unwrap();
    wire.answers(Answers::Hold);
    let reads = (0..12).map(|_| timeout(Duration::from_millis(100), wired.load(&record.key)));
    for read in join_all(reads).await {
        assert!(read.is_err(), "{read:?}");
    }
    wire.answers(Answers::Pass);
    for read in join_all((0..12).map(|_| wired.load(&record.key))).await {
        assert_eq!(read.unwrap(), Some(record.clone()));
    }
}

/// A server of its own: it stops as in a crash and comes back, without a word to the store.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_is_an_error_and_then_forgotten() {
    let postgres = Postgres::start();
    let store = PostgresStore::new(pool(postgres.url().parse().unwrap()));
    store.migrate().await.unwrap();
    let record = stored(&store).await;
    postgres.crash();
    let next = Records::new(2).next(&record);
    for _ in 0..2 {
        assert!(store.load(&record.key).await.is_err());
        assert!(store.swap(next.clone(), Some(record.version)).await.is_err());
        assert!(store.list(Index::Client("client"), Page::first(1)).await.is_err());
        assert!(store.purge(NOW, 1).await.is_err());
    }
    postgres.restart();
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record.clone()));
    assert_eq!(store.swap(next.clone(), Some(record.version)).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&record.key).await.unwrap(), Some(next));
}
