//! Where clients come from.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use hashbrown::HashMap;

use super::Client;
use crate::clock::Timestamp;
use crate::handle::IdContext;
use crate::storage::{Key, Namespace, StoreResult};

/// A host's own table of clients.
///
/// # Correctness
///
/// `Ok(None)` means that there is no such client; a failure is an error and never absence. Answers are cached for the
/// server's `client_cache` time (5 s by default): a change counts after that at the latest.
#[async_trait]
pub trait ClientSource: fmt::Debug + Send + Sync + 'static {
    /// The client of that id.
    async fn client(&self, client_id: &str) -> StoreResult<Option<Arc<Client>>>;
}

/// The storage key of a registered client.
pub fn client_key(issuer: &str, client_id: &str) -> Key {
    static CLIENT: IdContext = IdContext::new("oauth-core v1 client");
    Key::new(Namespace::Client, CLIENT.id(&[issuer.as_bytes(), client_id.as_bytes()]))
}

/// How many clients are remembered. When full, those past their time go, or else all.
const CAPACITY: usize = 4096;

/// Remembers clients that were found, for a stated time. Absence is not remembered: a client works as soon as it exists.
#[derive(Debug)]
pub(crate) struct ClientCache {
    entries: RwLock<HashMap<Arc<str>, Cached>>,
    keep: Duration,
}

/// A client with the key of its fence, and until when it counts.
type Cached = (Arc<Client>, Key, Timestamp);

impl ClientCache {
    pub(crate) fn new(keep: Duration) -> Self {
        Self { entries: RwLock::default(), keep }
    }

    pub(crate) fn get(&self, client_id: &str, now: Timestamp) -> Option<(Arc<Client>, Key)> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (client, fence, until) = entries.get(client_id)?;
        (now < *until).then(|| (client.clone(), *fence))
    }

    pub(crate) fn put(&self, client: &Arc<Client>, fence: Key, now: Timestamp) {
        if self.keep.is_zero() {
            return;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.retain(|_, (_, _, until)| now < *until);
            if entries.len() >= CAPACITY {
                entries.clear();
            }
        }
        entries.insert(client.id.clone(), (client.clone(), fence, now + self.keep));
    }

    /// Gives back the room of those past their time.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (_, _, until)| now < *until);
        entries.shrink_to_fit();
    }

    pub(crate) fn forget(&self, client_id: &str) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(client_id);
    }
}
