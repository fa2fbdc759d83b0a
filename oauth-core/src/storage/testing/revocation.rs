//! A revoked grant never comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use super::backend::{EndOf, drive, on_threads};
use super::probe::Probe;
use super::sample::{NOW, Sample, is_revoked, revoke};
use super::{Backend, Task, broken};
use crate::storage::Swap;

const STICKY: &str =
    "a revocation that was acknowledged stays: no swap that expects an earlier version writes";

/// Refreshes win now and then; a revocation that never does has met a store that refuses right versions.
const MAX_ATTEMPTS: usize = 10_000;

/// Refreshes race a revocation, each writing over what it has just read; once revoked, none comes through.
pub fn revocation_is_sticky<B: Backend>(backend: &B) {
    let sample = &Sample::new(50);
    for _ in 0..10 {
        let grant = sample.grant();
        let key = grant.key;
        let store = drive(backend, async {
            let store = Probe(backend.fresh().await);
            store.insert(&grant).await;
            store
        });
        let store = &store;
        let ended = &AtomicBool::new(false);
        let mut tasks: Vec<Task<'_>> = vec![Box::pin(async move {
            let _end = EndOf(ended);
            for _ in 0..MAX_ATTEMPTS {
                let Some(stored) = store.load(key).await else { broken(STICKY, "the grant is gone") };
                let next = sample.next_grant(&stored, revoke);
                if store.swap(&next, Some(stored.version)).await == Swap::Swapped {
                    return store.expect(&next, STICKY).await;
                }
            }
            let obligation = "of N concurrent swaps that expect the same version exactly one writes";
            broken(obligation, format_args!("a revocation lost {MAX_ATTEMPTS} times in a row"));
        })];
        for _ in 0..8 {
            tasks.push(Box::pin(async move {
                let mut last = false;
                while !last {
                    last = ended.load(Ordering::SeqCst);
                    let Some(stored) = store.load(key).await else { broken(STICKY, "the grant is gone") };
                    if is_revoked(&stored) {
                        return;
                    }
                    let next = sample.next_grant(&stored, |_| {});
                    let _ = store.swap(&next, Some(stored.version)).await;
                }
            }));
        }
        on_threads(backend, tasks);
        if !drive(backend, store.load(key)).is_some_and(|stored| is_revoked(&stored)) {
            broken(STICKY, "the grant is active again");
        }
    }
}

/// Writers that read before the revocation arrive after it, through this handle and another, also after a purge.
pub fn revocation_survives_late_writers<B: Backend>(backend: &B) {
    let sample = Sample::new(51);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let other = Probe(backend.reopen(&store.0).await);
        let first = sample.grant();
        let second = sample.next_grant(&first, |_| {});
        let revoked = sample.next_grant(&second, revoke);
        store.insert(&first).await;
        other.replace(&first, &second).await;
        store.replace(&second, &revoked).await;
        for _ in 0..2 {
            for writer in [&store, &other] {
                for expected in [None, Some(first.version), Some(second.version)] {
                    let late = sample.next_grant(&second, |_| {});
                    writer.expect_swap(&late, expected, Swap::Stale, STICKY).await;
                }
                writer.expect_swap(&first, None, Swap::Stale, STICKY).await;
                writer.expect_swap(&second, Some(first.version), Swap::Stale, STICKY).await;
                store.expect(&revoked, STICKY).await;
                other.expect(&revoked, STICKY).await;
            }
            store.purge_all(NOW, 100).await;
        }
    });
}
