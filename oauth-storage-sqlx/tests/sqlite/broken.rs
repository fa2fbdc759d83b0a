//! Connections whose thread ends in the middle of a command: reads are repeated, and nothing is taken for an answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use futures_util::future::try_join_all;
use oauth_core::storage::{Index, Page, Store, StoreError, Swap};
use oauth_storage_sqlx::SqliteStore;
use tempfile::TempDir;
use tracing::{Subscriber, info_span, span, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::backend::open;
use crate::records::Records;

/// Ends the thread of a connection as it begins a command, so many times. The driver enters the span of who asks there.
struct Harm {
    left: AtomicUsize,
    asking: ThreadId,
}

impl<S: Subscriber> Layer<S> for Harm {
    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        let one_less = |left: usize| left.checked_sub(1);
        if thread::current().id() != self.asking
            && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
        {
            panic!("a fault of the driver");
        }
    }
}

/// Awaits a call of the store while the next so many commands of its connections end their threads.
async fn harmed<T>(store: &SqliteStore, times: usize, future: impl Future<Output = T>) -> T {
    // The pool asks each connection that it gets back whether it is well.
    while store.pool().num_idle() < store.pool().size() as usize {
        tokio::task::yield_now().await;
    }
    let harm = Harm { left: AtomicUsize::new(times), asking: thread::current().id() };
    let _default = subscriber::set_default(tracing_subscriber::registry().with(harm));
    let _entered = info_span!("harmed").entered();
    future.await
}

/// A store on connections that are open already.
async fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    store.migrate().await.unwrap();
    drop(try_join_all((0..3).map(|_| store.pool().acquire())).await.unwrap());
    (directory, store)
}

#[tokio::test]
async fn reads_survive_the_end_of_their_connection() {
    let (_directory, store) = store().await;
    let record = Records::new(1).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    assert_eq!(harmed(&store, 1, store.load(&record.key)).await.unwrap(), Some(record.clone()));
    let client = record.client_id().unwrap();
    let listing = harmed(&store, 1, store.list(Index::Client(client), Page::first(10))).await.unwrap();
    assert_eq!(listing.keys, [record.key]);
}

/// The rows of a query end with the thread that reads them: that is no absence.
#[tokio::test]
async fn the_end_of_the_next_connection_too_is_unavailable() {
    let (_directory, store) = store().await;
    let record = Records::new(2).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    let error = harmed(&store, 2, store.load(&record.key)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    drop(try_join_all((0..2).map(|_| store.pool().acquire())).await.unwrap());
    let client = record.client_id().unwrap();
    let error = harmed(&store, 2, store.list(Index::Client(client), Page::first(10))).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
}

#[tokio::test]
async fn a_write_whose_connection_ends_is_unknown() {
    let (_directory, store) = store().await;
    let record = Records::new(3).grant();
    let error = harmed(&store, 1, store.swap(record.clone(), None)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
}

#[tokio::test]
async fn a_purge_whose_connection_ends_can_be_repeated() {
    let (_directory, store) = store().await;
    let record = Records::new(4).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    let after = record.retain_until + Duration::from_secs(3600);
    let error = harmed(&store, 1, store.purge(after, 10)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(store.purge(after, 10).await.unwrap().deleted, 1);
    // Nobody waits for a connection that does not come back.
    drop(try_join_all((0..3).map(|_| store.pool().acquire())).await.unwrap());
}
