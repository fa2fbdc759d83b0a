//! A failure is an error: never absence, never a lost race, never an empty page.

use super::backend::drive;
use super::sample::{NOW, Sample};
use super::{Backend, Store, broken};
use crate::storage::{Index, Page};

/// On storage that cannot be reached every method fails. Passes where the backend has no such state to offer
/// ([`Backend::unreachable`]).
pub fn a_failure_is_never_an_answer<B: Backend>(backend: &B) {
    let sample = Sample::new(80);
    drive(backend, async {
        let Some(store) = backend.unreachable().await else { return };
        let record = sample.grant();
        let obligation = "a failure of the engine is an error and never an answer";
        if let Ok(found) = store.load(&record.key).await {
            broken(obligation, format_args!("load answered {found:?}"));
        }
        for expected in [None, Some(record.version)] {
            if let Ok(swap) = store.swap(record.clone(), expected).await {
                broken(obligation, format_args!("swap answered {swap:?}"));
            }
        }
        if let Ok(listing) = store.list(Index::Client("client"), Page::first(10)).await {
            broken(obligation, format_args!("list answered {listing:?}"));
        }
        if let Ok(purged) = store.purge(NOW, 10).await {
            broken(obligation, format_args!("purge answered {purged:?}"));
        }
    });
}
