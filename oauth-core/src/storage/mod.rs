//! Where everything that lasts is kept: one trait, four methods, one obligation each.
//!
//! A backend holds [`Record`]s: small, versioned documents under a [`Key`]. It understands neither grants nor clients; it
//! only promises that [`Store::swap`] writes when, and only when, the stored version is the expected one. Single use,
//! rotation and sticky revocation all follow from that one promise.
//!
//! # Writing a backend
//!
//! 1. Implement [`Store`]. An engine that holds bytes uses [`Record::encode`] and [`Record::decode`]; an engine with
//!    columns also stores [`Record::client_id`], [`Record::subject`], [`Record::session`] and [`Record::retain_until`].
//! 2. Run the published suite (feature `testing`) against it; a backend's whole test file is a few lines.
//!
//! The key already names everything that decides a record's place. Nothing spans two records, so sharding by key is safe.

mod codec;
mod error;
mod key;
mod keys;
mod listing;
mod record;
mod signing_key;
#[cfg(feature = "testing")]
pub mod testing;
mod version;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub use codec::{DecodeError, FORMAT};
pub use error::{StoreError, StoreResult};
pub use key::{Key, Namespace};
pub use keys::{KeyMaterial, Keys, StoredKey};
pub use listing::{Index, Listing, Page, Purged};
pub use record::{Body, Consent, Document, Fence, Marker, Record, Session};
pub use signing_key::{SigningMaterial, StoredSigningKey};
pub use version::Version;

use crate::clock::Timestamp;

/// What [`Store::swap`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// The stored record is now the one that was given, by this call or by an earlier delivery of it.
    Swapped,
    /// The stored version was neither the expected one nor the new one; nothing was written.
    Stale,
}

/// A storage backend.
///
/// # Correctness
///
/// Every method may be called from many tasks, threads and processes at once, and its future may be dropped at any await:
/// a dropped `swap` has either happened wholly or not at all.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store for the authorization server",
    note = "implement `oauth_core::storage::Store`, or take a ready backend such as `oauth_storage_memory::MemoryStore`"
)]
pub trait Store: Debug + Send + Sync + 'static {
    /// Reads one record.
    ///
    /// # Correctness
    ///
    /// Linearizable: sees every write that was acknowledged to *any* process before the call began. It never answers from a
    /// replica or from a cache. Absence is `Ok(None)`; a failure is never absence.
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>>;

    /// Writes `next` if, and only if, the stored version is `expected` (`None`: no record is stored under that key).
    ///
    /// # Correctness
    ///
    /// In one atomic step:
    /// * the stored version equals `next.version`: answer [`Swap::Swapped`] and write nothing (an earlier delivery of this
    ///   very call arrived);
    /// * the stored version equals `expected`: write, answer [`Swap::Swapped`];
    /// * otherwise: write nothing, answer [`Swap::Stale`].
    ///
    /// `Swapped` is answered only when the write is durable. An outcome that is not known (a timeout, a lost connection) is
    /// [`StoreError::Unknown`], never `Stale`. Of N concurrent swaps that expect the same version exactly one writes.
    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap>;

    /// Lists keys of grants by client, subject or session, in any stable order, one page at a time.
    ///
    /// # Correctness
    ///
    /// May name a record that is gone or that no longer matches; never misses one whose write was acknowledged before the
    /// first page was asked for and that still exists.
    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing>;

    /// Deletes at most `limit` records whose `retain_until` lies before `now`, and says whether more remain.
    ///
    /// # Correctness
    ///
    /// Deletes by `retain_until` and by nothing else.
    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged>;
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        (**self).load(key).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        (**self).swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        (**self).list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        (**self).purge(now, limit).await
    }
}
