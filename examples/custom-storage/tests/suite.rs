//! The file store keeps the whole contract.

use std::sync::atomic::{AtomicUsize, Ordering};

use custom_storage::FileStore;
use oauth_core::storage::testing::{self, Backend, Task};
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Files {
    runtime: Runtime,
    root: TempDir,
    opened: AtomicUsize,
}

impl Files {
    fn new() -> Self {
        Self { runtime: Runtime::new().unwrap(), root: TempDir::new().unwrap(), opened: AtomicUsize::new(0) }
    }
}

impl Backend for Files {
    type Store = FileStore;

    async fn fresh(&self) -> FileStore {
        let name = self.opened.fetch_add(1, Ordering::Relaxed).to_string();
        FileStore::open(self.root.path().join(name)).unwrap()
    }

    async fn reopen(&self, store: &FileStore) -> FileStore {
        FileStore::open(store.directory()).unwrap()
    }

    async fn unreachable(&self) -> Option<FileStore> {
        let store = self.fresh().await;
        std::fs::remove_dir_all(store.directory()).unwrap();
        Some(store)
    }

    fn block_on(&self, task: Task<'_>) {
        self.runtime.block_on(task);
    }
}

testing::suite!(Files::new());
