//! The memory store keeps the whole contract.

use oauth_core::storage::testing::{self, Backend};
use oauth_storage_memory::MemoryStore;

struct Memory;

impl Backend for Memory {
    type Store = MemoryStore;

    async fn fresh(&self) -> MemoryStore {
        MemoryStore::new()
    }

    async fn reopen(&self, store: &MemoryStore) -> MemoryStore {
        store.clone()
    }
}

testing::suite!(Memory);
