//! What the wrapping stores do to a call.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use oauth_core::clock::Timestamp;
use oauth_core::secret::SeededRandom;
use oauth_core::storage::testing::{CountingStore, Fault, FaultStore, Op, block_on};
use oauth_core::storage::{
    Body, Fence, Index, Key, Namespace, Page, Record, Store, StoreError, StoreResult, Swap, Version,
};
use oauth_storage_memory::MemoryStore;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn fence(random: &SeededRandom, not_before: i64) -> Arc<Record> {
    let body = Body::Fence(Fence { not_before: Timestamp::from_secs(not_before) });
    let key = Key::new(Namespace::Fence, [1; 16]);
    Arc::new(Record { key, version: Version::generate(random), retain_until: Timestamp::MAX, body })
}

/// A store that holds one record, disturbed at its first call; and the record and its next version.
fn disturbed(fault: Fault) -> (FaultStore<MemoryStore>, Arc<Record>, Arc<Record>) {
    let random = SeededRandom::new(1);
    let (first, second) = (fence(&random, 1), fence(&random, 2));
    let store = FaultStore::calm(MemoryStore::new());
    assert_eq!(block_on(store.swap(first.clone(), None)).unwrap(), Swap::Swapped);
    store.script(move |call| (call.index == 0).then_some(fault));
    (store, first, second)
}

fn stored(store: &FaultStore<MemoryStore>, key: &Key) -> Option<Arc<Record>> {
    block_on(store.inner().load(key)).unwrap()
}

fn swap(store: &impl Store, next: &Arc<Record>, old: &Record) -> StoreResult<Swap> {
    block_on(store.swap(next.clone(), Some(old.version)))
}

#[test]
fn a_refused_call_did_not_happen() {
    let (store, first, second) = disturbed(Fault::Refuse);
    assert!(matches!(swap(&store, &second, &first), Err(StoreError::Unavailable(_))));
    assert_eq!(stored(&store, &first.key), Some(first.clone()));
    assert_eq!(swap(&store, &second, &first).unwrap(), Swap::Swapped);
}

#[test]
fn a_lost_answer_hides_what_happened() {
    let (store, first, second) = disturbed(Fault::LoseAnswer);
    assert!(matches!(swap(&store, &second, &first), Err(StoreError::Unknown(_))));
    assert_eq!(stored(&store, &first.key), Some(second.clone()));
    let (store, first, _) = disturbed(Fault::LoseAnswer);
    assert!(matches!(block_on(store.load(&first.key)), Err(StoreError::Unavailable(_))));
}

#[test]
fn a_redelivered_call_happens_once() {
    let (store, first, second) = disturbed(Fault::Redeliver);
    assert_eq!(swap(&store, &second, &first).unwrap(), Swap::Swapped);
    assert_eq!(stored(&store, &first.key), Some(second));
    assert_eq!(store.calls().len(), 1);
}

/// Polls a swap that often and says whether it was ready by then, and what is stored.
fn polled(fault: Fault, polls: usize) -> (bool, bool) {
    let (store, first, second) = disturbed(fault);
    let mut swap = pin!(store.swap(second.clone(), Some(first.version)));
    let mut context = Context::from_waker(Waker::noop());
    let ready =
        (0..polls).any(|_| matches!(swap.as_mut().poll(&mut context), Poll::Ready(Ok(Swap::Swapped))));
    (ready, stored(&store, &first.key) == Some(second))
}

#[test]
fn delays_count_polls() {
    assert_eq!(polled(Fault::Delay(3), 3), (false, false));
    assert_eq!(polled(Fault::Delay(3), 4), (true, true));
    assert_eq!(polled(Fault::DelayAnswer(3), 3), (false, true));
    assert_eq!(polled(Fault::DelayAnswer(3), 4), (true, true));
    assert_eq!(polled(Fault::Hang, 100), (false, false));
}

#[test]
fn a_stale_read_is_one_write_behind() {
    let (store, first, second) = disturbed(Fault::ReadStale);
    assert_eq!(block_on(store.load(&first.key)).unwrap(), None);
    assert_eq!(swap(&store, &second, &first).unwrap(), Swap::Swapped);
    assert_eq!(swap(&store, &second, &first).unwrap(), Swap::Swapped);
    store.script(|call| (call.op == Op::Load && call.index == 1).then_some(Fault::ReadStale));
    assert_eq!(block_on(store.load(&first.key)).unwrap(), Some(second));
    assert_eq!(block_on(store.load(&first.key)).unwrap(), Some(first));
}

#[test]
fn a_script_sees_every_call() {
    let store = FaultStore::nth(MemoryStore::new(), 3, Fault::Refuse);
    let record = fence(&SeededRandom::new(2), 1);
    block_on(async {
        store.load(&record.key).await.unwrap();
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
        store.list(Index::Client("client"), Page::first(1)).await.unwrap();
        store.purge(NOW, 1).await.unwrap_err();
    });
    let calls: Vec<_> = store.calls().iter().map(|call| (call.index, call.op, call.namespace)).collect();
    let fence = Some(Namespace::Fence);
    assert_eq!(
        calls,
        [(0, Op::Load, fence), (1, Op::Swap, fence), (2, Op::List, None), (3, Op::Purge, None)]
    );
}

#[test]
fn calls_are_counted_by_method_and_namespace() {
    let store = CountingStore::new(MemoryStore::new());
    let clone = store.clone();
    let random = SeededRandom::new(3);
    let (first, second) = (fence(&random, 1), fence(&random, 2));
    assert_eq!(block_on(clone.swap(first.clone(), None)).unwrap(), Swap::Swapped);
    assert_eq!(swap(&clone, &second, &first).unwrap(), Swap::Swapped);
    assert_eq!(swap(&clone, &first, &first).unwrap(), Swap::Stale);
    block_on(clone.load(&first.key)).unwrap();
    let counts = store.take();
    assert_eq!(counts.inserts(Namespace::Fence), 1);
    assert_eq!(counts.swaps(Namespace::Fence), 2);
    assert_eq!(counts.loads(Namespace::Fence), 1);
    assert_eq!(counts.loads(Namespace::Grant), 0);
    assert_eq!(counts.total(), 4);
    assert_eq!(store.stale(), 1);
    assert_eq!(store.counts().total(), 0);
}
