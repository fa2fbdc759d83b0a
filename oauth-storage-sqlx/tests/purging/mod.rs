//! Purging beside load, on any store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};
use futures_util::{StreamExt, stream};
use oauth_core::storage::{Index, Page, Record, Store, Swap};

use crate::records::{DAY, NOW, Records};

const OVER: usize = 2_000;
const LIVE: usize = 16;

/// All of what is over goes, in batches, while live grants are refreshed: none of those fails, waits for ever, or goes too.
pub(crate) async fn goes_on_beside_refreshes(store: &impl Store) {
    let records = &Records::new(1);
    let insert = async |count: usize| -> Vec<Arc<Record>> {
        let all: Vec<_> = (0..count).map(|_| records.grant()).collect();
        for answer in join_all(all.iter().map(|record| store.swap(record.clone(), None))).await {
            assert_eq!(answer.unwrap(), Swap::Swapped);
        }
        all
    };
    let over = insert(OVER).await;
    let live: Vec<_> = (0..LIVE)
        .map(|_| {
            let grant = records.grant();
            Arc::new(Record { retain_until: NOW + 90 * DAY, ..(*grant).clone() })
        })
        .collect();
    for record in &live {
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    }

    let ended = &AtomicBool::new(false);
    let purge = async {
        let mut deleted = 0;
        loop {
            let purged = store.purge(NOW + 60 * DAY, 100).await.unwrap();
            assert!(purged.deleted <= 100);
            deleted += purged.deleted;
            if !purged.more {
                break;
            }
        }
        ended.store(true, Ordering::SeqCst);
        deleted
    };
    let refreshes = join_all(live.iter().map(|record| async move {
        let mut stored = record.clone();
        while !ended.load(Ordering::SeqCst) {
            let next = records.next(&stored);
            assert_eq!(store.swap(next.clone(), Some(stored.version)).await.unwrap(), Swap::Swapped);
            assert_eq!(store.load(&next.key).await.unwrap(), Some(next.clone()));
            stored = next;
        }
        stored
    }));
    let (deleted, refreshed) = join(purge, refreshes).await;
    assert_eq!(deleted, OVER);
    for record in &over[..10] {
        assert_eq!(store.load(&record.key).await.unwrap(), None);
    }
    let client = live[0].client_id().unwrap();
    let listed = store.list(Index::Client(client), Page::first(OVER)).await.unwrap();
    assert_eq!(listed.keys.len(), LIVE);
    for record in refreshed {
        assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
    }
}

/// Bytes that hold something, and bytes that are taken from the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) used: u64,
    pub(crate) taken: u64,
}

/// Very many come and go, twice: afterwards as much is in use as before, and the second time takes nothing more.
pub(crate) async fn gives_its_space_back(store: &impl Store, space: impl AsyncFn() -> Space) {
    const MANY: usize = 20_000;
    const BATCH: usize = 500;
    let records = &Records::new(2);
    let insert = async |count: usize, retain_until| {
        let swaps = (0..count).map(|_| async {
            let record = Arc::new(Record { retain_until, ..(*records.grant()).clone() });
            assert_eq!(store.swap(record, None).await.unwrap(), Swap::Swapped);
        });
        stream::iter(swaps).buffer_unordered(64).for_each(async |()| {}).await;
    };
    insert(LIVE, NOW + 30 * DAY).await;
    let before = space().await;
    let mut peaks = Vec::new();
    for _ in 0..2 {
        insert(MANY, NOW).await;
        let full = space().await;
        let (mut deleted, mut more) = (0, true);
        while more {
            let purged = store.purge(NOW + DAY, BATCH).await.unwrap();
            assert!(purged.deleted <= BATCH, "{purged:?}");
            (deleted, more) = (deleted + purged.deleted, purged.more);
        }
        assert_eq!(deleted, MANY);
        let after = space().await;
        // A twentieth is left for what an engine keeps of its own.
        let most = before.used + (full.used - before.used) / 20;
        assert!(after.used <= most, "{before:?}, full {full:?}, purged {after:?}");
        peaks.push(full.taken);
    }
    assert!(peaks[1] <= peaks[0] + peaks[0] / 20, "it grows: {peaks:?}");
    let listed =
        store.list(Index::Client("a-client-whose-id-is-exactly-40-bytes-oo"), Page::first(1000)).await;
    assert_eq!(listed.unwrap().keys.len(), LIVE);
}
