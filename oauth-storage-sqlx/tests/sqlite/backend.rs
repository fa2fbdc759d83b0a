//! Opens stores in files.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oauth_core::storage::testing::{Backend, Task};
use oauth_storage_sqlx::SqliteStore;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A directory of databases, and the runtime that they are used on.
pub(crate) struct Files {
    pub(crate) directory: TempDir,
    runtime: Runtime,
    made: AtomicUsize,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("the temporary directory is writable"),
            runtime: Runtime::new().expect("the machine has threads"),
            made: AtomicUsize::new(0),
        }
    }
}

/// However busy the machine is, no check fails because of that.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store with a pool of its own on that file.
pub(crate) fn open(file: &Path) -> SqliteStore {
    let options = SqliteStore::recommended_connect_options(file).busy_timeout(PATIENCE);
    SqliteStore::new(SqliteStore::recommended_options().acquire_timeout(PATIENCE).connect_lazy_with(options))
}

impl Backend for Files {
    type Store = SqliteStore;

    async fn fresh(&self) -> SqliteStore {
        let name = format!("{}.db", self.made.fetch_add(1, Ordering::Relaxed));
        let store = open(&self.directory.path().join(name));
        store.migrate().await.expect("an empty file can be migrated");
        store
    }

    async fn reopen(&self, store: &SqliteStore) -> SqliteStore {
        open(store.pool().connect_options().get_filename())
    }

    async fn unreachable(&self) -> Option<SqliteStore> {
        Some(open(&self.directory.path().join("no such directory/file.db")))
    }

    fn block_on(&self, task: Task<'_>) {
        self.runtime.block_on(task);
    }
}
