//! A store whose calls two processes make in turn, as behind a load balancer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use durability_tests::{RemoteStore, Replica, Role, Setup, open};
use oauth_core::clock::Timestamp;
use oauth_core::storage::testing::{Backend, Task};
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};
use tokio::runtime::Runtime;

use crate::engine::Engine;
use crate::process_wide::ProcessWide;

/// The connections' tasks run here, so it lives as long as they.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the machine has threads"));

/// Opens storage in this process and in another.
pub(crate) struct TwoProcesses<E> {
    engine: E,
    /// What is wrong with the stores of this process.
    pub(crate) flaw: Option<ProcessWide>,
    /// Whether there is no other.
    pub(crate) alone: bool,
}

impl<E: Engine> TwoProcesses<E> {
    pub(crate) fn on(engine: E) -> Self {
        Self { engine, flaw: None, alone: false }
    }

    async fn open(&self, url: String) -> InTurn {
        let mut there = None;
        if !self.alone {
            let mut setup = Setup::new(env!("CARGO_BIN_EXE_replica"), &url);
            setup.role = Role::Store;
            there = Some(RemoteStore::of(Replica::start(&setup).await.expect("a process")));
        }
        let flaw = self.flaw.as_ref().map(ProcessWide::afresh);
        InTurn::of(Arc::new(Shared { url, there, flaw, handles: AtomicUsize::new(0) })).await
    }
}

impl<E: Engine> Backend for TwoProcesses<E> {
    type Store = InTurn;

    async fn fresh(&self) -> InTurn {
        self.open(self.engine.empty().await).await
    }

    async fn reopen(&self, store: &InTurn) -> InTurn {
        InTurn::of(store.shared.clone()).await
    }

    async fn unreachable(&self) -> Option<InTurn> {
        let (url, harm) = self.engine.doomed();
        let store = self.open(url).await;
        harm();
        Some(store)
    }

    fn block_on(&self, task: Task<'_>) {
        RUNTIME.block_on(task);
    }
}

/// What the handles on the same storage share.
#[derive(Debug)]
struct Shared {
    url: String,
    there: Option<RemoteStore>,
    flaw: Option<ProcessWide>,
    handles: AtomicUsize,
}

/// A handle with connections of its own in this process, whose every other call the other process makes.
#[derive(Debug)]
pub(crate) struct InTurn {
    here: Arc<dyn Store>,
    shared: Arc<Shared>,
    calls: AtomicUsize,
}

impl InTurn {
    async fn of(shared: Arc<Shared>) -> Self {
        let mut here = open(&shared.url, Role::Store).await.expect("a store");
        if let Some(flaw) = &shared.flaw {
            here = flaw.on(here);
        }
        // Racing handles begin in different processes.
        let calls = AtomicUsize::new(shared.handles.fetch_add(1, Ordering::Relaxed));
        Self { here, shared, calls }
    }

    fn next(&self) -> &dyn Store {
        match &self.shared.there {
            Some(there) if !self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => there,
            _ => &*self.here,
        }
    }
}

#[async_trait]
impl Store for InTurn {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        self.next().load(key).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.next().swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.next().list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.next().purge(now, limit).await
    }
}
