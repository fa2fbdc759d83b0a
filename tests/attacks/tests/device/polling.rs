//! Polling: too often, in parallel, again, by another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{Socket, Tokens, World, assert_json, encode};
use oauth_core::client::Client;
use oauth_core::server::{DeviceFlow, SubjectStatus};
use oauth_core::storage::testing::CountingStore;
use oauth_core::storage::{Index, Namespace, StoreResult};
use oauth_storage_memory::MemoryStore;

use super::{Started, clock, connected, decide, enter, over, poll, poll_as, signed_in, start, world};

fn count(replies: &[attack_tests::Reply], error: &str) -> usize {
    replies.iter().filter(|reply| reply.status == 400 && reply.text("error") == error).count()
}

#[tokio::test]
async fn dv_03_early_polls_are_slowed_down_for_good() {
    let clock = clock();
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world = over(store.clone(), clock, |builder| builder);
    let Started { device_code, .. } = start(&world).await;
    store.take();
    assert_json(&poll(&world, &device_code).await, 400, "authorization_pending");
    let counts = store.take();
    assert_eq!((counts.loads(Namespace::Grant), counts.total()), (1, 1), "a poll is one load");
    world.clock.advance(Duration::from_secs(3));
    assert_json(&poll(&world, &device_code).await, 400, "slow_down");
    assert_eq!(store.take().swaps(Namespace::Grant), 1);
    // Ten seconds from now on: what was often enough before is not any more.
    world.clock.advance(Duration::from_secs(10));
    assert_json(&poll(&world, &device_code).await, 400, "authorization_pending");
    world.clock.advance(Duration::from_secs(5));
    assert_json(&poll(&world, &device_code).await, 400, "slow_down");
    for _ in 0..50 {
        poll(&world, &device_code).await;
    }
    // Up to a minute, so that what a flood of polls writes is bounded.
    assert!(store.take().swaps(Namespace::Grant) <= 10);
    world.clock.advance(Duration::from_secs(60));
    assert_json(&poll(&world, &device_code).await, 400, "authorization_pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dv_05_of_parallel_polls_one_is_answered() {
    let world = world();
    let socket = Socket::open(&world).await;
    let started = start(&world).await;
    let form = format!("grant_type={}&device_code={}", encode(DeviceFlow::GRANT_TYPE), started.device_code);
    let polls = || socket.race("dev", "/token", vec![form.clone(); 20]);
    let replies = polls().await;
    assert_eq!((count(&replies, "authorization_pending"), count(&replies, "slow_down")), (1, 19));
    decide(&world, "alice", &started.user_code, "approve").await;
    let replies = polls().await;
    let won: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!((won.len(), count(&replies, "invalid_grant")), (1, 19));
    // Polls that overtook each other end nothing.
    assert!(world.is_active_for_dev(&Tokens::of(won[0])).await);
}

trait Devices {
    async fn is_active_for_dev(&self, tokens: &Tokens) -> bool;
}

impl Devices for World {
    /// Whether the refresh token works: it is used by that.
    async fn is_active_for_dev(&self, tokens: &Tokens) -> bool {
        let form = format!("client_id=dev&{}", World::refreshment(&tokens.refresh));
        self.post("/token", &[], &form).await.status == 200
    }
}

#[tokio::test]
async fn dv_07_a_device_that_was_turned_away_stays_away() {
    let world = world();
    let started = start(&world).await;
    decide(&world, "alice", &started.user_code, "deny").await;
    for _ in 0..2 {
        assert_json(&poll(&world, &started.device_code).await, 400, "access_denied");
    }
    let mut browser = signed_in(&world, "alice").await;
    assert!(enter(&world, &mut browser, &started.user_code).await.body.contains("No device is waiting"));
}

#[tokio::test]
async fn dv_08_a_device_code_works_once() {
    let world = world();
    let (started, tokens) = connected(&world).await;
    world.clock.advance(Duration::from_secs(1));
    assert_json(&poll(&world, &started.device_code).await, 400, "invalid_grant");
    // Later it is no poll that was sent twice: whatever was issued ends, so that a lost answer leaves nothing behind.
    world.clock.advance(Duration::from_secs(4));
    assert_json(&poll(&world, &started.device_code).await, 400, "invalid_grant");
    assert!(!world.is_active_for_dev(&tokens).await);
    assert_eq!(world.grants("dev").await, ["revoked"]);
}

#[tokio::test]
async fn dv_09_a_device_code_works_for_its_client_only() {
    let world = world();
    let started = start(&world).await;
    decide(&world, "alice", &started.user_code, "approve").await;
    assert_json(&poll_as(&world, "dev2", &started.device_code).await, 400, "invalid_grant");
    assert_json(&poll_as(&world, "spa", &started.device_code).await, 400, "unauthorized_client");
    assert_eq!(poll(&world, &started.device_code).await.status, 200);
    let (other, tokens) = connected(&world).await;
    assert_json(&poll_as(&world, "dev2", &other.device_code).await, 400, "invalid_grant");
    assert!(world.is_active_for_dev(&tokens).await);
}

#[tokio::test]
async fn dv_10_codes_expire_and_stay_so() {
    let world = world();
    let (waiting, approved) = (start(&world).await, start(&world).await);
    decide(&world, "alice", &approved.user_code, "approve").await;
    world.clock.advance(Duration::from_secs(600));
    assert_json(&poll(&world, &waiting.device_code).await, 400, "expired_token");
    assert_json(&poll(&world, &approved.device_code).await, 400, "expired_token");
    let mut browser = signed_in(&world, "alice").await;
    assert!(enter(&world, &mut browser, &waiting.user_code).await.body.contains("No device is waiting"));
    world.clock.advance(Duration::from_secs(600));
    while world.server.store().purge(world.server.now(), 100).await.expect("purges").more {}
    assert_json(&poll(&world, &waiting.device_code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn dv_18_codes_are_not_interchangeable() {
    let world = world();
    let started = start(&world).await;
    for code in [&*started.user_code, &started.device_code.replace("odc_", "oac_"), "", "odc_"] {
        let reply = poll(&world, code).await;
        assert_json(&reply, 400, if code.is_empty() { "invalid_request" } else { "invalid_grant" });
    }
    let as_code =
        format!("client_id=spa&grant_type=authorization_code&code={}", encode(&started.device_code));
    assert_json(&world.post("/token", &[], &as_code).await, 400, "invalid_grant");
    let mut browser = signed_in(&world, "alice").await;
    let page = enter(&world, &mut browser, &started.device_code).await;
    assert!(page.body.contains("No device is waiting"), "{page:?}");
    assert!(!page.body.contains("odc_") || page.body.matches("odc_").count() == 1, "only in the field");
    assert!(world.server.verify(&started.device_code).await.is_err());
}

#[derive(Clone, Debug, Default)]
struct Locked(Arc<AtomicBool>);

#[async_trait]
impl SubjectStatus for Locked {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        Ok(!self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn dv_21_who_is_switched_off_before_the_poll_gets_nothing() {
    let (locked, clock) = (Locked::default(), clock());
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(store, clock, |builder| builder.subject_status(locked.clone()));
    let stored = Client::device("stored").scope("read").build().expect("a client");
    world.server.clients().put(stored).await.expect("stores");

    let started = start(&world).await;
    decide(&world, "alice", &started.user_code, "approve").await;
    locked.0.store(true, Ordering::SeqCst);
    assert_json(&poll(&world, &started.device_code).await, 400, "invalid_grant");
    locked.0.store(false, Ordering::SeqCst);
    // Signing out everywhere reaches an approval that no device has fetched yet.
    world.server.grants().revoke_all(Index::Subject("alice")).await.expect("revokes");
    assert_json(&poll(&world, &started.device_code).await, 400, "invalid_grant");

    let reply = super::ask(&world, "client_id=stored").await;
    let (device_code, user_code) = (reply.text("device_code"), reply.text("user_code"));
    decide(&world, "bob", &user_code, "approve").await;
    assert_eq!(world.server.clients().disable("stored").await.expect("disables"), Some(1));
    assert_json(&poll_as(&world, "stored", &device_code).await, 401, "invalid_client");
}

#[tokio::test]
async fn an_approval_after_an_end_of_everything_counts() {
    let world = world();
    let started = start(&world).await;
    world.clock.advance(Duration::from_secs(1));
    world.server.grants().revoke_all(Index::Subject("alice")).await.expect("revokes");
    world.clock.advance(Duration::from_secs(1));
    decide(&world, "alice", &started.user_code, "approve").await;
    assert_eq!(poll(&world, &started.device_code).await.status, 200);
}
