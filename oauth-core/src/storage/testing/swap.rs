//! The one write: compare, then write.

use std::sync::Arc;

use super::Backend;
use super::backend::drive;
use super::probe::Probe;
use super::sample::Sample;
use crate::storage::{Record, Swap, Version};

const STALE: &str = "swap answers Stale when the stored version is neither the expected nor the new one";
const NOTHING_WRITTEN: &str = "a swap that answers Stale writes nothing";
const OWN: &str =
    "a swap whose version is the stored one answers Swapped: it is an earlier delivery of this very call";
const OWN_WRITES_NOTHING: &str = "a swap whose version is the stored one writes nothing";

/// `expected: None` writes where nothing is stored, and only there.
pub fn insert_needs_absence<B: Backend>(backend: &B) {
    let sample = Sample::new(10);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        for body in sample.bodies() {
            let record = sample.record(body);
            let other = sample.next(&record, record.body.clone());
            let some = Some(Version::generate(sample.random()));
            store.expect_swap(&record, some, Swap::Stale, STALE).await;
            store.expect_absent(record.key, NOTHING_WRITTEN).await;
            store.insert(&record).await;
            store.expect_swap(&other, None, Swap::Stale, STALE).await;
            store.expect(&record, NOTHING_WRITTEN).await;
        }
    });
}

/// `expected: Some` writes over that version, and over no other.
pub fn swap_needs_the_stored_version<B: Backend>(backend: &B) {
    let sample = Sample::new(11);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        for body in sample.bodies() {
            let first = sample.record(body);
            let second = sample.next(&first, first.body.clone());
            let third = sample.next(&first, first.body.clone());
            store.insert(&first).await;
            let unknown = Some(Version::generate(sample.random()));
            store.expect_swap(&second, unknown, Swap::Stale, STALE).await;
            store.expect(&first, NOTHING_WRITTEN).await;
            store.replace(&first, &second).await;
            store.expect(&second, "load sees the record that was swapped in").await;
            for expected in [None, unknown, Some(first.version)] {
                store.expect_swap(&third, expected, Swap::Stale, STALE).await;
                store.expect(&second, NOTHING_WRITTEN).await;
            }
            store.replace(&second, &third).await;
            store.expect(&third, "load sees the record that was swapped in").await;
        }
    });
}

/// The same insert or swap, delivered again, is recognised by its version.
pub fn a_redelivered_swap_is_recognised<B: Backend>(backend: &B) {
    let sample = Sample::new(12);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let first = sample.grant();
        // Not what a driver would send: it shows whether the second delivery writes.
        let altered = |record: &Record| {
            let other = sample.next_grant(record, |_| {});
            Arc::new(Record { version: record.version, ..(*other).clone() })
        };
        store.insert(&first).await;
        for expected in [None, Some(first.version), Some(Version::generate(sample.random()))] {
            store.expect_swap(&first, expected, Swap::Swapped, OWN).await;
            store.expect_swap(&altered(&first), expected, Swap::Swapped, OWN).await;
            store.expect(&first, OWN_WRITES_NOTHING).await;
        }
        let second = sample.next_grant(&first, |_| {});
        store.replace(&first, &second).await;
        for _ in 0..2 {
            store.expect_swap(&second, Some(first.version), Swap::Swapped, OWN).await;
            store.expect_swap(&altered(&second), Some(first.version), Swap::Swapped, OWN).await;
            store.expect(&second, OWN_WRITES_NOTHING).await;
        }
    });
}

/// A delivery that arrives after somebody else's write changes nothing.
pub fn a_redelivered_swap_after_a_later_write_is_stale<B: Backend>(backend: &B) {
    let sample = Sample::new(13);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let first = sample.grant();
        let second = sample.next_grant(&first, |_| {});
        let third = sample.next_grant(&second, |_| {});
        store.insert(&first).await;
        store.replace(&first, &second).await;
        store.expect_swap(&first, None, Swap::Stale, STALE).await;
        store.replace(&second, &third).await;
        store.expect_swap(&first, None, Swap::Stale, STALE).await;
        store.expect_swap(&second, Some(first.version), Swap::Stale, STALE).await;
        store.expect(&third, NOTHING_WRITTEN).await;
    });
}
