//! The store fails, or its answer is lost.

use attack_tests::assert_unavailable;
use oauth_core::storage::testing::{Fault, FaultStore, Op};

use super::*;

fn faulty() -> (World, FaultStore<MemoryStore>) {
    let clock = clock();
    let store = FaultStore::calm(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world = over(store.clone(), clock, |builder| {
        builder.client_cache(Duration::ZERO).dynamic_registration(DynamicRegistration::open())
    });
    (world, store)
}

#[tokio::test]
async fn a_registration_is_stored_or_not_answered_with_success() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Redeliver, Fault::DelayAnswer(3)] {
        for nth in 0..3 {
            let (world, store) = faulty();
            store.script(move |call| (call.index == nth).then_some(fault));
            let reply = register(&world, metadata(json!({}))).await;
            store.script(|_| None);
            match reply.status {
                // A success is a client that works, from its first use on.
                201 => drop(Registered::of(&reply).tokens(&world).await),
                _ => {
                    assert_unavailable(&reply);
                    assert!(matches!(fault, Fault::Refuse | Fault::LoseAnswer), "{fault:?} {nth}");
                    registered(&world).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_cannot_write_registers_nobody() {
    let (world, store) = faulty();
    store.script(|call| (call.op == Op::Swap).then_some(Fault::Refuse));
    assert_unavailable(&register(&world, metadata(json!({}))).await);
    assert!(store.inner().is_empty());
    // Lost for good: the write has arrived or not, and nobody can tell.
    store.script(|call| match call.op {
        Op::Swap => Some(Fault::LoseAnswer),
        Op::Load => Some(Fault::Refuse),
        _ => None,
    });
    assert_unavailable(&register(&world, metadata(json!({}))).await);
}

#[tokio::test]
async fn a_deletion_that_failed_can_be_asked_for_again() {
    for nth in 0..12 {
        let (world, store) = faulty();
        let client = registered(&world).await;
        let tokens = client.tokens(&world).await;
        store.script(move |call| (call.index == nth).then_some(Fault::Refuse));
        let reply = client.delete(&world).await;
        store.script(|_| None);
        if reply.status != 204 {
            assert_unavailable(&reply);
            assert_eq!(client.delete(&world).await.status, 204, "{nth}");
        }
        assert!(!world.is_active(&tokens.access).await);
        assert_no_such(&client.read(&world).await);
    }
}

#[tokio::test]
async fn a_use_that_cannot_be_noted_costs_nobody_a_token() {
    let (world, store) = faulty();
    let client = registered(&world).await;
    let refuse = |call: oauth_core::storage::testing::Call| {
        let noted = call.op == Op::Swap && call.namespace == Some(oauth_core::storage::Namespace::Client);
        noted.then_some(Fault::Refuse)
    };
    store.script(refuse);
    let tokens = client.tokens(&world).await;
    store.script(|_| None);
    Tokens::of(&client.refresh(&world, &tokens.refresh).await);
    world.clock.advance(2 * DAY);
    assert_eq!(client.read(&world).await.status, 200, "the next use was noted");
}

#[tokio::test]
async fn a_registration_that_is_dropped_at_any_await_leaves_a_whole_client_or_none() {
    use std::future::Future;
    use std::task::{Context, Waker};

    for polls in 1..12 {
        let (world, store) = faulty();
        store.script(|_| Some(Fault::DelayAnswer(2)));
        {
            let mut request = Box::pin(register(&world, metadata(json!({}))));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if request.as_mut().poll(&mut context).is_ready() {
                    break;
                }
            }
        }
        store.script(|_| None);
        assert!(store.inner().len() <= 1);
        world.clock.advance(2 * DAY);
        world.server.store().purge(world.server.now(), 10).await.unwrap();
        assert!(store.inner().is_empty(), "what nobody heard of goes after a day");
    }
}
