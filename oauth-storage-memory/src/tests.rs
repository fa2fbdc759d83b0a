use std::time::Duration;

use oauth_core::clock::ManualClock;
use oauth_core::secret::{SeededRandom, random_array};
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Body, Marker, Namespace};

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn marker(random: &SeededRandom, retain_until: Timestamp) -> Arc<Record> {
    let key = Key::new(Namespace::Marker, random_array(random));
    let body = Body::Marker(Marker { used_at: NOW });
    Arc::new(Record { key, version: Version::generate(random), retain_until, body })
}

fn insert(store: &MemoryStore, record: &Arc<Record>) {
    assert_eq!(block_on(store.swap(record.clone(), None)).unwrap(), Swap::Swapped);
}

#[test]
fn clones_share_their_records() {
    let store = MemoryStore::default();
    let clone = store.clone();
    let record = marker(&SeededRandom::new(1), Timestamp::MAX);
    insert(&store, &record);
    assert_eq!(clone.len(), 1);
    assert!(!clone.is_empty());
    assert_eq!(block_on(clone.load(&record.key)).unwrap(), Some(record));
}

#[test]
fn it_stays_bounded_without_anybody_purging() {
    let clock = ManualClock::new(NOW);
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let random = SeededRandom::new(2);
    let mut most = 0;
    for _ in 0..20 {
        for _ in 0..20_000 {
            insert(&store, &marker(&random, clock.now() + Duration::from_secs(1)));
        }
        most = most.max(store.len());
        clock.advance(Duration::from_secs(2));
    }
    assert!(most <= 2 * SHARDS * 1024, "{most} of 400000 short-lived records were held at once");
}

#[test]
fn a_sweep_keeps_what_is_not_past_its_time() {
    let clock = ManualClock::new(NOW);
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let random = SeededRandom::new(3);
    let kept: Vec<_> = (0..100).map(|_| marker(&random, NOW)).collect();
    kept.iter().for_each(|record| insert(&store, record));
    for _ in 0..2 * SHARDS * 1024 {
        insert(&store, &marker(&random, NOW - Duration::from_millis(1)));
    }
    assert!(store.len() < 2 * SHARDS * 1024);
    for record in kept {
        assert_eq!(block_on(store.load(&record.key)).unwrap(), Some(record));
    }
}

#[test]
fn a_purge_that_may_delete_nothing_says_what_waits() {
    let store = MemoryStore::new();
    assert_eq!(block_on(store.purge(NOW, 0)).unwrap(), Purged { deleted: 0, more: false });
    insert(&store, &marker(&SeededRandom::new(4), NOW - Duration::from_millis(1)));
    assert_eq!(block_on(store.purge(NOW, 0)).unwrap(), Purged { deleted: 0, more: true });
    assert_eq!(block_on(store.purge(NOW, 1)).unwrap(), Purged { deleted: 1, more: false });
}

#[test]
fn debug_tells_no_contents() {
    let store = MemoryStore::new();
    insert(&store, &marker(&SeededRandom::new(5), Timestamp::MAX));
    assert_eq!(format!("{store:?}"), "MemoryStore { len: 1, .. }");
}
