//! What is written comes back as it was.

use std::sync::Arc;

use super::backend::drive;
use super::probe::Probe;
use super::sample::{NOW, Sample};
use super::{Backend, broken};
use crate::clock::Timestamp;
use crate::grant::Details;
use crate::storage::{Body, Fence, Key, Namespace, Record};

const WHOLE: &str = "a record comes back whole: key, version, retain_until and body";

/// Records of every kind and grants in every state come back whole, through this handle and another.
pub fn every_body_comes_back<B: Backend>(backend: &B) {
    let sample = Sample::new(1);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let other = Probe(backend.reopen(&store.0).await);
        for body in sample.bodies() {
            let record = sample.record(body);
            expect_to_decode(&record);
            store.insert(&record).await;
            store.expect(&record, WHOLE).await;
            other.expect(&record, WHOLE).await;
        }
    });
}

fn expect_to_decode(record: &Record) {
    match Record::decode(record.key, record.version, record.retain_until, &record.encode()) {
        Ok(decoded) if decoded == *record => {}
        _ => broken("decode reads what encode wrote", format_args!("it does not for {record:?}")),
    }
}

/// Large grants, text beyond ASCII, and the ends of time come back whole.
pub fn large_and_unusual_values_come_back<B: Backend>(backend: &B) {
    let sample = Sample::new(2);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        for subject in
            ["Zoë 🦀", "a'b\"c\\d", "100%_x", "  spaces  ", "line\nbreak", "A", "a", "é", "e\u{301}"]
        {
            let record = sample.grant_of("clïent", Some(subject), Some(subject));
            store.insert(&record).await;
            store.expect(&record, WHOLE).await;
        }
        let large = sample.next_grant(&sample.grant(), |grant| {
            let host_data = Some("x".repeat(48 * 1024).into());
            grant.details = Some(Box::new(Details { host_data, ..Details::default() }));
        });
        store.insert(&large).await;
        store.expect(&large, WHOLE).await;
        for retain_until in [Timestamp::MAX, NOW + std::time::Duration::from_millis(1)] {
            let body = Body::Fence(Fence { not_before: Timestamp::from_millis(-1) });
            let record = sample.retained(&sample.record(body), retain_until);
            store.insert(&record).await;
            store.expect(&record, WHOLE).await;
        }
    });
}

/// A key under which nothing is stored is absent, whatever is stored under its neighbours.
pub fn absence_is_an_answer<B: Backend>(backend: &B) {
    let sample = Sample::new(3);
    drive(backend, async {
        let store = Probe(backend.fresh().await);
        let record = sample.grant();
        let obligation = "load answers None for a key under which nothing is stored";
        store.expect_absent(record.key, obligation).await;
        store.insert(&record).await;
        for namespace in Namespace::ALL {
            if namespace != record.key.namespace() {
                store.expect_absent(Key::new(namespace, *record.key.id()), obligation).await;
            }
        }
        for byte in 0..16 {
            let mut id = *record.key.id();
            id[byte] ^= 1;
            store.expect_absent(Key::new(Namespace::Grant, id), obligation).await;
        }
        for body in sample.bodies() {
            let key = Key::new(body.namespace(), [7; 16]);
            let same_id = Arc::new(Record { key, ..(*sample.record(body)).clone() });
            if store.load(key).await.is_none() {
                store.insert(&same_id).await;
                store.expect(&same_id, "each namespace has its own keys").await;
            }
        }
    });
}
