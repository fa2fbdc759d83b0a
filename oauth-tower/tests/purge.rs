//! The purge on a schedule.

use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::secret::SeededRandom;
use oauth_core::server::Server;
use oauth_core::storage::testing::{Call, Fault, FaultStore, Op};
use oauth_core::storage::{Body, Key, Marker, Namespace, Record, Store, Swap, Version};
use oauth_storage_memory::MemoryStore;
use oauth_tower::purge;

const MINUTE: Duration = Duration::from_secs(60);
const EXPIRED: u16 = 2500;

struct World {
    store: FaultStore<MemoryStore>,
    server: Arc<Server>,
    clock: ManualClock,
}

impl World {
    fn new(script: impl FnMut(Call) -> Option<Fault> + Send + 'static) -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
        // The memory store's own clock stands still: it deletes nothing by itself.
        let memory = MemoryStore::with_clock(Arc::new(ManualClock::new(Timestamp::EPOCH)));
        let store = FaultStore::new(memory, script);
        let builder = Server::builder("https://as.example", store.clone());
        let server = builder.clock(clock.clone()).random(SeededRandom::new(1)).build().expect("a server");
        Self { store, server, clock }
    }

    async fn fill(&self) {
        for at in 0..EXPIRED {
            self.put(at, self.server.now()).await;
        }
        self.put(EXPIRED, self.server.now() + MINUTE * 1000).await;
        self.clock.advance(Duration::from_secs(1));
    }

    async fn put(&self, at: u16, retain_until: Timestamp) {
        let body = Body::Marker(Marker { used_at: retain_until });
        let version = Version::generate(self.server.random());
        let record = Record { key: key(at), version, retain_until, body };
        let swap = self.store.inner().swap(Arc::new(record), None).await.expect("stores");
        assert_eq!(swap, Swap::Swapped);
    }

    async fn left(&self) -> u16 {
        let mut left = 0;
        for at in 0..=EXPIRED {
            let found = self.store.inner().load(&key(at)).await.expect("loads");
            left += u16::from(found.is_some());
        }
        left
    }

    fn purges(&self) -> usize {
        self.store.calls().iter().filter(|call| call.op == Op::Purge).count()
    }
}

fn key(at: u16) -> Key {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&at.to_be_bytes());
    Key::new(Namespace::Marker, id)
}

#[tokio::test(start_paused = true)]
async fn a_round_deletes_in_batches_until_nothing_is_left() {
    let world = World::new(|_| None);
    world.fill().await;
    let purge = purge::spawn(world.server.clone(), MINUTE);
    tokio::time::sleep(MINUTE).await;
    assert_eq!((world.left().await, world.purges()), (1, 3));
    tokio::time::sleep(MINUTE * 100).await;
    let rounds = world.purges() - 3;
    assert!((90..=112).contains(&rounds), "{rounds}");
    drop(purge);
    let before = world.purges();
    tokio::time::sleep(MINUTE * 10).await;
    assert_eq!(world.purges(), before, "dropped is stopped");
    assert_eq!(world.left().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_does_not_end_it() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Hang] {
        let world = World::new(move |_| Some(fault));
        world.fill().await;
        let _purge = purge::spawn(world.server.clone(), MINUTE);
        tokio::time::sleep(MINUTE * 20).await;
        assert!(world.purges() >= 10, "{fault:?}");
        world.store.script(|_| None);
        tokio::time::sleep(MINUTE * 2).await;
        assert_eq!(world.left().await, 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_do_not_purge_at_the_same_time() {
    let begins = |seed: u64| async move {
        let store = FaultStore::calm(MemoryStore::new());
        let builder = Server::builder("https://as.example", store.clone()).random(SeededRandom::new(seed));
        let begin = tokio::time::Instant::now();
        let _purge = purge::spawn(builder.build().expect("a server"), MINUTE);
        while store.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        begin.elapsed().as_secs()
    };
    let mut seconds = std::collections::BTreeSet::new();
    for seed in 0..20 {
        seconds.insert(begins(seed).await);
    }
    assert!(seconds.len() > 10 && seconds.iter().all(|second| *second <= 60), "{seconds:?}");
}
