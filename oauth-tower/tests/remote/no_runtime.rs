//! Verifiers where there is no runtime, or one that is shutting down: they answer that they cannot tell, and never hang.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use oauth_tower::bearer::{IntrospectionVerifier, Verifier};
use serde_json::Value;
use tokio::runtime::{Builder, Handle};

use crate::elsewhere::{Elsewhere, assert_unavailable, verify};
use crate::issuer::{ISSUER, clock, remote};

/// Asks twice, in a thread of its own, and gives up on a verifier that does not answer.
fn answers(verifier: impl Verifier, handle: Option<Handle>, what: &'static str) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _entered = handle.as_ref().map(Handle::enter);
        for _ in 0..2 {
            let verdict = verify(&verifier, "a.b.c").now_or_never().expect("an answer at once");
            assert_unavailable(verdict, what);
        }
        sender.send(()).unwrap();
    });
    let answered = receiver.recv_timeout(Duration::from_secs(20));
    assert!(answered.is_ok(), "{what}: {answered:?}");
}

fn both_answer(handle: Option<&Handle>, what: &'static str) {
    let elsewhere = Elsewhere::saying(Value::Null);
    let introspection = IntrospectionVerifier::builder(ISSUER, "https://as.example/introspect");
    answers(introspection.build(elsewhere.client()).unwrap(), handle.cloned(), what);
    answers(remote(&elsewhere, &clock()), handle.cloned(), what);
}

#[test]
fn outside_of_a_runtime_nothing_can_be_asked() {
    both_answer(None, "no runtime");
}

/// Tasks that are spawned then are dropped at once, by the thread that spawns them.
#[test]
fn a_runtime_that_has_ended_asks_nothing() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    both_answer(Some(&handle), "an ended runtime");
}
