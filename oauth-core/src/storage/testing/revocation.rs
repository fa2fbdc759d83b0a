//! A revoked grant never comes back.

use super::backend::{drive, on_threads};
use super::probe::Probe;
use super::sample::{NOW, Sample, is_revoked, revoke};
use super::{Backend, Task, broken};
use crate::storage::Swap;

const STICKY: &str =
    "a revocation that was acknowledged stays: no swap that expects an earlier version writes";

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
        let mut tasks: Vec<Task<'_>> = vec![Box::pin(async move {
            loop {
                let Some(stored) = store.load(key).await else { broken(STICKY, "the grant is gone") };
                let next = sample.next_grant(&stored, revoke);
                if store.swap(&next, Some(stored.version)).await == Swap::Swapped {
                    return store.expect(&next, STICKY).await;
                }
            }
        })];
        for _ in 0..8 {
            tasks.push(Box::pin(async move {
                loop {
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
