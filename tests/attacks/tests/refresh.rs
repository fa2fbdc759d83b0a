//! Attacks on refresh tokens (RT): reuse, races, widening, resurrection.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    API1, APP, Browser, Query, START, Socket, Tokens, World, assert_inactive, assert_json, encode, secret,
};
use oauth_core::client::{Client, ClientSecret, Lifetimes};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::grant::Rotation;
use oauth_core::handle::KeyRing;
use oauth_core::secret::SystemRandom;
use oauth_core::server::{ServerBuilder, SubjectStatus};
use oauth_core::storage::testing::CountingStore;
use oauth_core::storage::{Index, Namespace, StoreResult};
use oauth_storage_memory::MemoryStore;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn counting() -> (CountingStore<MemoryStore>, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    (CountingStore::new(MemoryStore::with_clock(Arc::new(clock.clone()))), clock)
}

fn strict(builder: ServerBuilder) -> ServerBuilder {
    builder.retry_window(Duration::ZERO)
}

#[tokio::test]
async fn rt_01_rotation() {
    for client in ["web", "spa", "cli"] {
        let world = World::new();
        let first = world.tokens(client).await;
        let reply = world.refresh(client, &first.refresh).await;
        let second = Tokens::of(&reply);
        assert_ne!(first.refresh, second.refresh);
        assert_ne!(first.access, second.access);
        assert_eq!(reply.text("scope"), "read write");
        assert!(world.is_active(&first.access).await, "an access token lives until it expires");
        assert!(world.is_active(&second.access).await);
        let third = Tokens::of(&world.refresh(client, &second.refresh).await);
        assert_ne!(second.refresh, third.refresh);
    }
}

#[tokio::test]
async fn rt_02_reuse_after_the_successor_was_used_ends_the_grant() {
    for client in ["web", "spa"] {
        let world = World::new();
        let first = world.tokens(client).await;
        let second = Tokens::of(&world.refresh(client, &first.refresh).await);
        let third = Tokens::of(&world.refresh(client, &second.refresh).await);
        assert_json(&world.refresh(client, &first.refresh).await, 400, "invalid_grant");
        for tokens in [&first, &second, &third] {
            world.assert_ended(client, tokens).await;
        }
    }
}

#[tokio::test]
async fn rt_03_a_lost_answer_is_given_again_and_no_second_branch_lives() {
    let world = World::new();
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    world.clock.advance(Duration::from_secs(2));
    let again = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_eq!((&second.access, &second.refresh), (&again.access, &again.refresh));
    // The window is counted from the first use, whatever is retried in it.
    world.clock.advance(Duration::from_secs(57));
    assert_eq!(Tokens::of(&world.refresh("spa", &first.refresh).await).refresh, second.refresh);
    world.clock.advance(Duration::from_secs(1));
    assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn rt_03_without_a_window_reuse_ends_the_grant_at_once() {
    let world = World::with(strict);
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn rt_04_the_grandparent_ends_the_grant_inside_the_window() {
    let world = World::new();
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    let third = Tokens::of(&world.refresh("spa", &second.refresh).await);
    world.clock.advance(Duration::from_secs(1));
    // The parent is still answered again: its successor has not been used.
    assert_eq!(Tokens::of(&world.refresh("spa", &second.refresh).await).refresh, third.refresh);
    assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &third).await;
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn rt_05_the_window_does_not_bring_back_what_was_revoked() {
    for revoke_successor in [false, true] {
        let world = World::new();
        let first = world.tokens("spa").await;
        let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
        let named = if revoke_successor { &second.refresh } else { &first.refresh };
        assert_eq!(world.revoke("spa", named).await.status, 200);
        assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
        world.assert_ended("spa", &second).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_07_concurrent_refresh_without_a_window() {
    let (store, clock) = counting();
    let world = World::over(store.clone(), clock, strict);
    let first = world.tokens("spa").await;
    store.take();
    let stale = store.stale();
    let socket = Socket::open(&world).await;
    let replies = socket.race("spa", "/token", vec![World::refreshment(&first.refresh); 64]).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1, "{replies:?}");
    for reply in lost {
        assert_json(reply, 400, "invalid_grant");
    }
    let swaps = store.counts().swaps(Namespace::Grant) - (store.stale() - stale);
    assert_eq!(swaps, 2, "one rotation and one revocation");
    world.assert_ended("spa", &Tokens::of(won[0])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_08_concurrent_refresh_in_the_window() {
    for client in ["web", "spa"] {
        let (store, clock) = counting();
        let world = World::over(store.clone(), clock, |builder| builder);
        let first = world.tokens(client).await;
        store.take();
        let stale = store.stale();
        let socket = Socket::open(&world).await;
        let replies = socket.race(client, "/token", vec![World::refreshment(&first.refresh); 64]).await;
        assert_eq!(replies.len(), 64);
        let second = Tokens::of(&replies[0]);
        for reply in &replies {
            assert_eq!((reply.status, &reply.body), (200, &replies[0].body));
        }
        assert_eq!(store.counts().swaps(Namespace::Grant) - (store.stale() - stale), 1);
        let third = world.assert_untouched(client, &second).await;
        assert_json(&world.refresh(client, &first.refresh).await, 400, "invalid_grant");
        world.assert_ended(client, &third).await;
    }
}

fn many_apis(builder: ServerBuilder) -> ServerBuilder {
    let client = Client::confidential("hub", &ClientSecret::from_text(secret("hub")));
    let client = (0..16).fold(client.redirect_uri(APP).scope("read"), |client, at| client.resource(api(at)));
    builder.client(client)
}

fn api(at: usize) -> String {
    format!("https://api{at}.many.example")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_08_concurrent_refresh_for_sixteen_resources() {
    let world = World::with(many_apis);
    let first = world.tokens("hub").await;
    let socket = Socket::open(&world).await;
    let form = |at| format!("{}&resource={}", World::refreshment(&first.refresh), encode(&api(at)));
    let replies = socket.race("hub", "/token", (0..16).map(form).collect()).await;
    let mut successors = BTreeSet::new();
    let mut access_tokens = BTreeSet::new();
    for (at, reply) in replies.iter().enumerate() {
        let tokens = Tokens::of(reply);
        let shown = world.introspect("hub", &tokens.access).await.json();
        assert_eq!((&shown["active"], &shown["aud"]), (&true.into(), &api(at).into()), "{shown}");
        successors.insert(tokens.refresh);
        access_tokens.insert(tokens.access);
    }
    assert_eq!((successors.len(), access_tokens.len()), (1, 16));
    let next = successors.first().expect("a successor");
    assert_eq!(world.refresh("hub", next).await.status, 200);
}

#[tokio::test]
async fn rt_09_another_clients_refresh_token_is_not_spent() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    for other in ["web2", "spa", "cli"] {
        assert_json(&world.refresh(other, &tokens.refresh).await, 400, "invalid_grant");
    }
    assert_json(&world.refresh("m2m", &tokens.refresh).await, 400, "unauthorized_client");
    let form = World::refreshment(&tokens.refresh);
    assert_json(&world.post("/token", &[], &format!("{form}&client_id=web")).await, 401, "invalid_client");
    let next = world.assert_untouched("web", &tokens).await;
    // The old one in another client's hands is no reuse.
    world.clock.advance(Duration::from_secs(120));
    assert_json(&world.refresh("web2", &tokens.refresh).await, 400, "invalid_grant");
    world.assert_untouched("web", &next).await;
}

#[tokio::test]
async fn rt_11_a_public_client_must_name_itself() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    let reply = world.post("/token", &[], &World::refreshment(&tokens.refresh)).await;
    assert_json(&reply, 401, "invalid_client");
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn rt_12_scope_cannot_grow() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("scope", "read")).await;
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    for scope in ["read write", "write", "admin", "READ", "read\tread"] {
        let form = format!("{}&scope={}", World::refreshment(&tokens.refresh), encode(scope));
        let error = if scope.contains('\t') { "invalid_request" } else { "invalid_scope" };
        assert_json(&world.token("web", &form).await, 400, error);
    }
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rt_13_narrowing_does_not_last() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    let form = format!("{}&scope=read", World::refreshment(&tokens.refresh));
    let narrow = world.token("web", &form).await;
    assert_eq!(narrow.text("scope"), "read");
    let narrow = Tokens::of(&narrow);
    assert_eq!(world.introspect("web", &narrow.access).await.text("scope"), "read");
    let full = world.refresh("web", &narrow.refresh).await;
    assert_eq!(full.text("scope"), "read write");
    assert_eq!(world.introspect("web", &narrow.access).await.text("scope"), "read");
}

#[tokio::test]
async fn rt_14_scope_that_the_client_has_lost_is_gone() {
    let world = World::new();
    let put = async |scope: &str| {
        let client = Client::confidential("late", &ClientSecret::from_text(secret("late")));
        let client = client.redirect_uri(APP).scope(scope).resource(API1).build().expect("a client");
        world.server.clients().put(client).await.expect("stores");
    };
    put("read write").await;
    let tokens = world.tokens("late").await;
    put("write").await;
    let form = format!("{}&scope=read", World::refreshment(&tokens.refresh));
    assert_json(&world.token("late", &form).await, 400, "invalid_scope");
    let reply = world.refresh("late", &tokens.refresh).await;
    assert_eq!(reply.text("scope"), "write");
    put("other").await;
    assert_json(&world.refresh("late", &reply.text("refresh_token")).await, 400, "invalid_scope");
}

#[tokio::test]
async fn rt_15_a_wrong_resource_does_not_rotate() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("resource", API1)).await;
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    for resource in ["https://api2.example", "https://unknown.example", "https://api1.example/x"] {
        let form = format!("{}&resource={}", World::refreshment(&tokens.refresh), encode(resource));
        assert_json(&world.token("web", &form).await, 400, "invalid_target");
    }
    let both = format!(
        "{}&resource={}&resource=https%3A%2F%2Fapi2.example",
        World::refreshment(&tokens.refresh),
        encode(API1)
    );
    assert_json(&world.token("web", &both).await, 400, "invalid_target");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rt_20_idle_and_absolute_expiry() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    world.clock.advance(30 * DAY - Duration::from_millis(1));
    let tokens = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    world.clock.advance(30 * DAY);
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");

    let world = World::new();
    let mut tokens = world.tokens("spa").await;
    for _ in 0..8 {
        world.clock.advance(10 * DAY);
        tokens = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    }
    world.clock.advance(10 * DAY - Duration::from_millis(1));
    let last = world.refresh("spa", &tokens.refresh).await;
    tokens = Tokens::of(&last);
    world.clock.advance(Duration::from_millis(1));
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");
    assert!(!world.is_active(&tokens.access).await, "no access token outlives its grant");
}

#[tokio::test]
async fn rt_20_lifetimes_of_one_client() {
    let short = |builder: ServerBuilder| {
        let lifetimes = Lifetimes {
            refresh_token_idle: Some(Duration::from_secs(10)),
            grant: Some(Duration::from_secs(25)),
            access_token: Some(Duration::from_secs(3600)),
            ..Lifetimes::default()
        };
        let client = Client::confidential("short", &ClientSecret::from_text(secret("short")));
        builder.client(client.redirect_uri(APP).scope("read").resource(API1).lifetimes(lifetimes))
    };
    let world = World::with(short);
    let mut reply = world.redeem("short", &world.code("short").await).await;
    assert_eq!(reply.json()["expires_in"], 25, "an access token does not outlive its grant");
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(9));
        reply = world.refresh("short", &reply.text("refresh_token")).await;
    }
    assert_eq!(reply.json()["expires_in"], 7);
    world.clock.advance(Duration::from_secs(7));
    assert_json(&world.refresh("short", &reply.text("refresh_token")).await, 400, "invalid_grant");
}

#[derive(Debug)]
struct Locked(Arc<AtomicBool>);

#[async_trait]
impl SubjectStatus for Locked {
    async fn is_active(&self, subject: &str) -> StoreResult<bool> {
        Ok(subject != "alice" || !self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn rt_21_a_locked_subject_gets_nothing() {
    let locked = Arc::new(AtomicBool::new(false));
    let world = World::with(|builder| builder.subject_status(Locked(locked.clone())));
    let tokens = world.tokens("spa").await;
    let code = world.code("spa").await;
    locked.store(true, Ordering::SeqCst);
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");
    assert_json(&world.redeem("spa", &code).await, 400, "invalid_grant");
    assert!(!world.is_active(&tokens.access).await);
    locked.store(false, Ordering::SeqCst);
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn rt_21_logging_out_ends_the_sessions_grants_alone() {
    let world = World::new();
    let mut browser = Browser { session: Some("s-1".into()), ..Browser::signed_in("alice") };
    let code = browser.approve(&world, Query::of("spa")).await.code();
    let tokens = Tokens::of(&world.redeem("spa", &code).await);
    let elsewhere = world.tokens("spa").await;
    let unspent = browser.approve(&world, Query::of("spa")).await.code();
    assert_eq!(world.server.grants().revoke_all(Index::Session("s-1")).await.expect("revokes"), 2);
    world.assert_ended("spa", &tokens).await;
    assert_json(&world.redeem("spa", &unspent).await, 400, "invalid_grant");
    world.assert_untouched("spa", &elsewhere).await;
}

#[tokio::test]
async fn rt_22_a_withdrawn_grant_is_over() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    world.server.consents().forget("spa", "alice").await.expect("forgets");
    assert!(world.server.grants().revoke(grants[0].id).await.expect("revokes"));
    world.assert_ended("spa", &tokens).await;
    let page = Browser::signed_in("alice").authorize(&world, Query::of("spa")).await;
    assert_eq!(page.status, 200, "consent is asked for again: {page:?}");
}

#[tokio::test]
async fn rt_23_of_several_bounds_the_latest_counts() {
    let world = World::new();
    let early = world.tokens("spa").await;
    world.server.grants().revoke_all(Index::Client("spa")).await.expect("revokes");
    world.clock.advance(Duration::from_secs(1));
    let middle = world.tokens("spa").await;
    world.assert_untouched("spa", &middle).await;
    world.server.grants().revoke_all(Index::Subject("alice")).await.expect("revokes");
    world.clock.advance(Duration::from_secs(1));
    let late = world.tokens("spa").await;
    world.server.grants().revoke_all(Index::Subject("bob")).await.expect("revokes");
    world.assert_ended("spa", &early).await;
    world.assert_ended("spa", &middle).await;
    world.assert_untouched("spa", &late).await;
}

#[tokio::test]
async fn rt_25_a_refresh_token_is_no_access_token() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    assert!(world.server.verify(&tokens.refresh).await.is_err());
    assert_json(&world.refresh("web", &tokens.access).await, 400, "invalid_grant");
    let dressed = |token: &str, like: &str| {
        let (_, body) = token.split_once('_').expect("a prefix");
        format!("{}_{body}", like.split('_').next().expect("a prefix"))
    };
    assert!(world.server.verify(&dressed(&tokens.refresh, &tokens.access)).await.is_err());
    let access = dressed(&tokens.access, &tokens.refresh);
    assert_json(&world.refresh("web", &access).await, 400, "invalid_grant");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rt_26_an_altered_refresh_token_ends_nothing() {
    let world = World::new();
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    for token in [&first.refresh, &second.refresh] {
        for at in 4..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).expect("text");
            if altered != *token {
                assert_json(&world.refresh("spa", &altered).await, 400, "invalid_grant");
            }
        }
        assert_json(&world.refresh("spa", &token[..token.len() - 1]).await, 400, "invalid_grant");
    }
    world.assert_untouched("spa", &second).await;
}

#[tokio::test]
async fn rt_27_no_refresh_token_where_none_belongs() {
    let code_only = |builder: ServerBuilder| {
        let client = Client::confidential("short", &ClientSecret::from_text(secret("short")));
        builder.client(client.redirect_uri(APP).scope("read").grant_types(["authorization_code"]))
    };
    let world = World::with(code_only);
    let reply = world.redeem("short", &world.code("short").await).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json().get("refresh_token").is_none(), "{reply:?}");
    let reply = world.token("m2m", "grant_type=client_credentials").await;
    assert_eq!(reply.status, 200);
    assert!(reply.json().get("refresh_token").is_none(), "{reply:?}");
    let theirs = world.tokens("web").await;
    assert_json(&world.refresh("short", &theirs.refresh).await, 400, "unauthorized_client");
}

#[tokio::test]
async fn a_thief_inside_the_window_gains_nothing_that_lasts() {
    // The thief follows the client within the window, then each of them goes on: the second one to do so ends both.
    let world = World::new();
    let first = world.tokens("spa").await;
    let client = Tokens::of(&world.refresh("spa", &first.refresh).await);
    let thief = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_eq!(client.refresh, thief.refresh);
    let third = Tokens::of(&world.refresh("spa", &thief.refresh).await);
    let fourth = Tokens::of(&world.refresh("spa", &third.refresh).await);
    assert_json(&world.refresh("spa", &client.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &fourth).await;
}

#[tokio::test]
async fn a_streak_of_retries_ends_the_grant_where_it_is_limited() {
    let world = World::with(|builder| builder.max_retry_streak(2));
    let mut tokens = world.tokens("spa").await;
    for _ in 0..2 {
        let next = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
        assert_eq!(Tokens::of(&world.refresh("spa", &tokens.refresh).await).refresh, next.refresh);
        tokens = next;
    }
    let next = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &next).await;
}

#[tokio::test]
async fn a_retry_for_a_narrower_scope_never_gets_the_wider_token() {
    let world = World::new();
    let first = world.tokens("web").await;
    let full = Tokens::of(&world.refresh("web", &first.refresh).await);
    let form = format!("{}&scope=read", World::refreshment(&first.refresh));
    let narrow = Tokens::of(&world.token("web", &form).await);
    assert_eq!(full.refresh, narrow.refresh);
    assert_ne!(full.access, narrow.access);
    assert_eq!(world.introspect("web", &narrow.access).await.text("scope"), "read");
    assert_eq!(world.introspect("web", &full.access).await.text("scope"), "read write");
    let form = format!("{}&scope=admin", World::refreshment(&first.refresh));
    assert_json(&world.token("web", &form).await, 400, "invalid_scope");
}

#[tokio::test]
async fn a_retry_does_not_bring_back_an_access_token_that_was_revoked() {
    let world = World::new();
    let first = world.tokens("web").await;
    world.clock.advance(Duration::from_secs(1));
    let second = Tokens::of(&world.refresh("web", &first.refresh).await);
    // Revoking an older access token leaves the window as it is.
    assert_eq!(world.revoke("web", &first.access).await.status, 200);
    assert_eq!(Tokens::of(&world.refresh("web", &first.refresh).await).access, second.access);
    // The retry would derive the revoked token once more, so its window is closed: what comes now is reuse.
    assert_eq!(world.revoke("web", &second.access).await.status, 200);
    assert!(!world.is_active(&second.access).await);
    assert_json(&world.refresh("web", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("web", &second).await;
}

#[tokio::test]
async fn a_client_that_does_not_rotate_has_one_token_that_revocation_ends() {
    let never = |builder: ServerBuilder| {
        let client = Client::confidential("bank", &ClientSecret::from_text(secret("bank")));
        let client = client.redirect_uri(APP).scope("read").resource(API1).rotation(Rotation::Never);
        builder.client(client)
    };
    let world = World::with(never);
    let tokens = world.tokens("bank").await;
    for _ in 0..20 {
        let next = Tokens::of(&world.refresh("bank", &tokens.refresh).await);
        assert_eq!(next.refresh, tokens.refresh);
    }
    assert_eq!(world.revoke("bank", &tokens.refresh).await.status, 200);
    world.assert_ended("bank", &tokens).await;
}

#[tokio::test]
async fn an_old_token_whose_key_is_lost_ends_nothing() {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let (old, new) = (KeyRing::generate(&SystemRandom), KeyRing::generate(&SystemRandom));
    let world =
        |ring: &KeyRing| World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring.clone()));
    let before = world(&old);
    let first = before.tokens("spa").await;
    let second = Tokens::of(&before.refresh("spa", &first.refresh).await);
    let third = Tokens::of(&before.refresh("spa", &second.refresh).await);
    let after = world(&new);
    // Without its key nobody can tell the old token from a forgery, so it must not be a way to log people out.
    assert_json(&after.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    assert!(after.is_active(&third.access).await);
    assert_inactive(&after.introspect("web", &first.refresh).await);
    let fourth = after.assert_untouched("spa", &third).await;
    after.assert_untouched("spa", &fourth).await;
}

#[tokio::test]
async fn an_expired_access_token_does_not_come_back_with_a_retry() {
    let world = World::with(|builder| builder.access_token_lifetime(Duration::from_secs(10)));
    let first = world.tokens("web").await;
    let second = Tokens::of(&world.refresh("web", &first.refresh).await);
    world.clock.advance(Duration::from_millis(9_999));
    assert_eq!(Tokens::of(&world.refresh("web", &first.refresh).await).access, second.access);
    world.clock.advance(Duration::from_millis(1));
    assert!(!world.is_active(&second.access).await);
    let again = Tokens::of(&world.refresh("web", &first.refresh).await);
    assert_eq!(again.refresh, second.refresh);
    assert!(!world.is_active(&second.access).await, "it has expired for good");
    assert!(world.is_active(&again.access).await);
    assert_eq!(Tokens::of(&world.refresh("web", &first.refresh).await).access, again.access);
}
