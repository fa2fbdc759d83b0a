//! Purge deletes by `retain_until` and by nothing else.

use std::time::Duration;

use super::backend::{drive, on_threads};
use super::probe::Probe;
use super::sample::{HOUR, NOW, Sample, revoke};
use super::{Backend, Task, broken};
use crate::storage::{Index, Swap};

const ALONE: &str = "purge deletes records whose retain_until lies before now, and nothing else";
const MILLI: Duration = Duration::from_millis(1);

/// Records of all kinds at, before and after the boundary, expired and revoked ones among them.
pub fn purge_deletes_by_retain_until_alone<B: Backend>(backend: &B) {
    let sample = Sample::new(70);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let (mut kept, mut over) = (Vec::new(), Vec::new());
        for body in sample.bodies() {
            let mut store_with = async |retain_until| {
                let record = sample.retained(&sample.record(body.clone()), retain_until);
                store.insert(&record).await;
                if retain_until < NOW { over.push(record) } else { kept.push(record) }
            };
            store_with(NOW).await;
            store_with(NOW + MILLI).await;
            store_with(NOW - MILLI).await;
            store_with(NOW - HOUR).await;
        }
        // Its time as a grant is over, and it is revoked; only `retain_until` counts.
        let ended = sample.next_grant(&sample.grant(), |grant| {
            revoke(grant);
            grant.expires_at = NOW - HOUR;
        });
        store.insert(&ended).await;
        kept.push(ended);

        let deleted = store.purge_all(NOW, 1000).await;
        for record in &kept {
            store.expect(record, ALONE).await;
        }
        for record in &over {
            store.expect_absent(record.key, ALONE).await;
        }
        if deleted != over.len() {
            broken("purge says how many it deleted", format_args!("it said {deleted} of {}", over.len()));
        }
        if store.purge_all(NOW, 1000).await != 0 {
            broken("purge says how many it deleted", "it deleted something a second time");
        }
    });
}

/// A limit is kept, `more` is said while anything is left, and in the end all is gone.
pub fn purge_works_in_limited_batches<B: Backend>(backend: &B) {
    let sample = Sample::new(71);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let mut records = Vec::new();
        for _ in 0..30 {
            let record = sample.retained(&sample.grant(), NOW - HOUR);
            store.insert(&record).await;
            records.push(record);
            store.insert(&sample.grant()).await;
        }
        let mut left = records.len();
        while left > 0 {
            let purged = store.purge(NOW, 7).await;
            left -= purged.deleted.min(left);
            let mut there = 0;
            for record in &records {
                there += usize::from(store.load(record.key).await.is_some());
            }
            if there != left {
                broken("purge says how many it deleted", format_args!("{there} are left and not {left}"));
            }
            if left > 0 && !purged.more {
                broken("purge says whether more remain", format_args!("it said no while {left} were left"));
            }
            if purged.deleted == 0 && left > 0 {
                broken("purge deletes while anything is left", format_args!("it deleted none of {left}"));
            }
        }
        if store.purge_all(NOW, 7).await != 0 {
            broken(ALONE, "it went on when all was gone");
        }
    });
}

/// What counts is the `retain_until` of the last write, earlier or later than the one before.
pub fn purge_reads_the_latest_retain_until<B: Backend>(backend: &B) {
    let sample = Sample::new(72);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let longer = sample.retained(&sample.grant(), NOW - HOUR);
        let shorter = sample.grant();
        store.insert(&longer).await;
        store.insert(&shorter).await;
        let kept = sample.retained(&longer, NOW + HOUR);
        let over = sample.retained(&shorter, NOW - HOUR);
        store.replace(&longer, &kept).await;
        store.replace(&shorter, &over).await;
        store.purge_all(NOW, 100).await;
        store.expect(&kept, ALONE).await;
        store.expect_absent(over.key, ALONE).await;
    });
}

/// Purge races a swap that retains longer: when the swap was acknowledged, the record is there.
pub fn purge_never_undoes_a_longer_retention<B: Backend>(backend: &B) {
    let sample = Sample::new(73);
    let (store, other) = drive(backend, async {
        let store = Probe(backend.fresh().await);
        let other = Probe(backend.reopen(&store.0).await);
        (store, other)
    });
    let (store, other) = (&store, &other);
    for _ in 0..40 {
        let over = sample.retained(&sample.grant(), NOW - HOUR);
        let kept = sample.retained(&over, NOW + HOUR);
        drive(backend, store.insert(&over));
        let tasks: Vec<Task<'_>> = vec![
            Box::pin(async {
                other.purge_all(NOW, 100).await;
            }),
            Box::pin(async {
                if store.swap(&kept, Some(over.version)).await == Swap::Swapped {
                    store.expect(&kept, ALONE).await;
                }
            }),
        ];
        on_threads(backend, tasks);
        let found = drive(backend, store.load(over.key));
        if found.is_some_and(|found| *found != *kept) {
            broken(ALONE, "a record whose time is over is left");
        }
    }
}

/// After a purge the key is as if nothing had ever been stored, and listings that still name it do no harm.
pub fn purge_frees_the_key<B: Backend>(backend: &B) {
    let sample = Sample::new(74);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let over = sample.retained(&sample.grant_of("client", Some("subject"), None), NOW - HOUR);
        let next = sample.retained(&over, NOW + HOUR);
        store.insert(&over).await;
        store.purge_all(NOW, 100).await;
        let obligation = "swap from a version answers Stale when nothing is stored";
        store.expect_swap(&next, Some(over.version), Swap::Stale, obligation).await;
        store.expect_absent(over.key, "a swap that answers Stale writes nothing").await;
        store.list(Index::Subject("subject"), 10).await;
        store.insert(&next).await;
        store.expect(&next, "swap from None writes where nothing is stored").await;
        store.expect_listed(Index::Subject("subject"), next.key).await;
    });
}
