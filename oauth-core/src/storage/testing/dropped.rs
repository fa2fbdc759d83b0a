//! A dropped swap has happened wholly or not at all.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::backend::drive;
use super::probe::Probe;
use super::sample::Sample;
use super::{Backend, Store, broken};
use crate::storage::{Index, Record, Swap, Version};

/// More polls than any engine's swap should take before it is awaited to its end anyway.
const MAX_POLLS: usize = 64;

const WHOLLY: &str = "a dropped swap has either happened wholly or not at all";

/// An insert is dropped after each number of polls; what is there afterwards is whole, listed, and can be delivered again.
pub fn a_dropped_insert_happens_wholly_or_not_at_all<B: Backend>(backend: &B) {
    let sample = Sample::new(30);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        for polls in 0..=MAX_POLLS {
            let subject = format!("subject {polls}");
            let record = sample.grant_of("client", Some(&subject), None);
            let dropped = swap_polled(&store, &record, None, polls).await;
            if store.load(record.key).await.is_some() {
                store.expect(&record, WHOLLY).await;
                store.expect_listed(Index::Subject(&subject), record.key).await;
            }
            deliver_again(&store, &record, None).await;
            store.expect_listed(Index::Subject(&subject), record.key).await;
            if !dropped {
                return;
            }
        }
    });
}

/// A swap is dropped after each number of polls; what is there afterwards is the old record or the new one.
pub fn a_dropped_swap_happens_wholly_or_not_at_all<B: Backend>(backend: &B) {
    let sample = Sample::new(31);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        for polls in 0..=MAX_POLLS {
            let session = format!("session {polls}");
            let old = sample.grant();
            let next = sample.next_grant(&old, |grant| grant.session = Some(session.as_str().into()));
            store.insert(&old).await;
            let dropped = swap_polled(&store, &next, Some(old.version), polls).await;
            match store.load(old.key).await {
                Some(found) if *found == *old => {}
                Some(found) if *found == *next => {
                    store.expect_listed(Index::Session(&session), next.key).await;
                }
                found => broken(WHOLLY, format_args!("{found:?} is stored")),
            }
            deliver_again(&store, &next, Some(old.version)).await;
            store.expect_listed(Index::Session(&session), next.key).await;
            if !dropped {
                return;
            }
        }
    });
}

async fn deliver_again<S: Store>(store: &Probe<S>, record: &Arc<Record>, expected: Option<Version>) {
    let obligation = "a dropped swap that is delivered again answers Swapped, whether or not it had arrived";
    store.expect_swap(record, expected, Swap::Swapped, obligation).await;
    store.expect(record, WHOLLY).await;
}

/// Polls a swap that often, then drops it. Says whether it was dropped before its end.
async fn swap_polled<S: Store>(
    store: &Probe<S>,
    next: &Arc<Record>,
    expected: Option<Version>,
    polls: usize,
) -> bool {
    let mut swap = pin!(store.swap(next, expected));
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(true);
        }
        left -= 1;
        match swap.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(false),
            Poll::Pending if left == 0 => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
