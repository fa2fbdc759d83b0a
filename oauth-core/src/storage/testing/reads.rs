//! Loads see every acknowledged write, and nothing else.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::backend::{EndOf, drive, on_threads};
use super::probe::Probe;
use super::sample::{NOW, Sample};
use super::{Backend, Task, broken};

const LINEARIZABLE: &str =
    "load sees every write that was acknowledged to any process before it began, never a replica or a cache";

/// Among many records of all kinds each key answers its own, also when the record's time is over.
pub fn loads_answer_for_their_own_key<B: Backend>(backend: &B) {
    let sample = Sample::new(40);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let mut records = Vec::new();
        for round in 0..20 {
            for body in sample.bodies() {
                let record = sample.record(body);
                let past = NOW - std::time::Duration::from_secs(60 * (1 + round));
                let record = if round % 2 == 0 { record } else { sample.retained(&record, past) };
                store.insert(&record).await;
                records.push(record);
            }
        }
        for record in records {
            store.expect(&record, "load answers what is stored under its key until purge deletes it").await;
        }
    });
}

/// Two handles write in turn, each having read before; each sees the other's write, insert and deletion.
pub fn handles_see_each_others_writes<B: Backend>(backend: &B) {
    let sample = Sample::new(41);
    drive(backend, async {
        let one = Probe(backend.fresh().await);
        let two = Probe(backend.reopen(&one.0).await);
        let mut stored = sample.grant();
        one.expect_absent(stored.key, LINEARIZABLE).await;
        two.expect_absent(stored.key, LINEARIZABLE).await;
        one.insert(&stored).await;
        for round in 0..40 {
            let (writer, reader) = if round % 2 == 0 { (&two, &one) } else { (&one, &two) };
            reader.expect(&stored, LINEARIZABLE).await;
            writer.expect(&stored, LINEARIZABLE).await;
            let next = sample.next_grant(&stored, |_| {});
            writer.replace(&stored, &next).await;
            reader.expect(&next, LINEARIZABLE).await;
            stored = next;
        }
        one.purge_all(stored.retain_until + std::time::Duration::from_secs(1), 100).await;
        two.expect_absent(stored.key, LINEARIZABLE).await;
    });
}

/// One thread writes while others read through their own handles: no read is older than the last acknowledged write, and
/// none is older than the read before.
pub fn loads_never_go_back_in_time<B: Backend>(backend: &B) {
    const WRITES: u32 = 200;
    let sample = &Sample::new(42);
    let (writer, readers) = drive(backend, async {
        let writer = Probe(backend.fresh().await);
        let mut readers = Vec::new();
        for _ in 0..3 {
            readers.push(Probe(backend.reopen(&writer.0).await));
        }
        (writer, readers)
    });
    let first = sample.grant();
    drive(backend, async {
        writer.insert(&first).await;
        // Whatever a handle could remember it has seen by now, however the threads are scheduled.
        for reader in &readers {
            reader.expect(&first, LINEARIZABLE).await;
        }
    });
    let acknowledged = &AtomicU32::new(0);
    let ended = &AtomicBool::new(false);
    let key = first.key;

    let mut tasks: Vec<Task<'_>> = vec![Box::pin(async move {
        let _end = EndOf(ended);
        let mut stored = first;
        for generation in 1..=WRITES {
            let next = sample.next_grant(&stored, |_| {});
            writer.replace(&stored, &next).await;
            acknowledged.store(generation, Ordering::SeqCst);
            stored = next;
        }
    })];
    for reader in readers {
        tasks.push(Box::pin(async move {
            let mut seen = 0;
            let mut last = false;
            while !last {
                last = ended.load(Ordering::SeqCst);
                let least = acknowledged.load(Ordering::SeqCst).max(seen);
                let found = reader.load(key).await;
                seen = found.as_deref().and_then(|record| record.grant()).map_or(0, |grant| grant.generation);
                if found.is_none() || seen < least {
                    broken(LINEARIZABLE, format_args!("write {seen} was read after write {least}"));
                }
            }
        }));
    }
    on_threads(backend, tasks);
}
