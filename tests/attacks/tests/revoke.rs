//! Attacks on revocation (RV): others' tokens, false successes, races.

use std::sync::Arc;

use attack_tests::{Query, START, Tokens, World, assert_inactive, assert_json, assert_unavailable, encode};
use http::{Method, Request};
use http_body_util::Full;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::storage::testing::{CountingStore, Fault, FaultStore, Op};
use oauth_storage_memory::MemoryStore;

fn memory() -> (MemoryStore, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    (MemoryStore::with_clock(Arc::new(clock.clone())), clock)
}

#[tokio::test]
async fn rv_02_another_clients_token_is_left_alone() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    let unknown = world.revoke("web2", "oar_unknown").await;
    for other in ["web2", "spa", "m2m", "rs1"] {
        for token in [&tokens.access, &tokens.refresh] {
            let reply = world.revoke(other, token).await;
            assert_eq!((reply.status, &reply.body, &reply.headers), (200, &unknown.body, &unknown.headers));
        }
    }
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rv_03_unknown_tokens_are_a_success_and_reach_no_store() {
    let (memory, clock) = memory();
    let store = CountingStore::new(memory);
    let world = World::over(store.clone(), clock, |builder| builder);
    for token in ["x", "oar_", "oaa_AAAA", &"x".repeat(10_000), "é", "../../etc/passwd", "' or 1=1 --"] {
        let reply = world.revoke("web", token).await;
        assert_eq!((reply.status, &*reply.body), (200, "{}"), "{token}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert_eq!(store.counts().total(), 0);
}

#[tokio::test]
async fn rv_04_a_refresh_token_ends_its_grant_an_access_token_itself() {
    for client in ["web", "spa"] {
        let world = World::new();
        let first = world.tokens(client).await;
        let second = Tokens::of(&world.refresh(client, &first.refresh).await);
        let other = world.tokens(client).await;
        assert_eq!(world.revoke(client, &first.access).await.status, 200);
        assert!(!world.is_active(&first.access).await);
        assert!(world.server.verify(&first.access).await.is_err());
        assert!(world.is_active(&second.access).await);
        let third = world.assert_untouched(client, &second).await;
        assert_eq!(world.revoke(client, &third.refresh).await.status, 200);
        for tokens in [&second, &third] {
            world.assert_ended(client, tokens).await;
            assert!(world.server.verify(&tokens.access).await.is_err());
        }
        world.assert_untouched(client, &other).await;
    }
}

#[tokio::test]
async fn rv_05_a_wrong_hint_changes_nothing() {
    for hint in ["access_token", "refresh_token", "bogus", "", "%00"] {
        let world = World::new();
        let tokens = world.tokens("web").await;
        let form = format!("token={}&token_type_hint={hint}", tokens.refresh);
        let reply = world.post_as("web", "/revoke", &form).await;
        if hint == "%00" {
            assert_json(&reply, 400, "invalid_request");
            world.assert_untouched("web", &tokens).await;
            continue;
        }
        assert_eq!(reply.status, 200, "{hint}");
        world.assert_ended("web", &tokens).await;
    }
    let world = World::new();
    let tokens = world.tokens("web").await;
    let form = format!("token={}&token_type_hint=refresh_token", tokens.access);
    assert_eq!(world.post_as("web", "/revoke", &form).await.status, 200);
    assert!(!world.is_active(&tokens.access).await);
}

#[tokio::test]
async fn rv_06_a_storage_failure_is_never_a_success() {
    for op in [Op::Load, Op::Swap] {
        let (memory, clock) = memory();
        let store = FaultStore::calm(memory);
        let world = World::over(store.clone(), clock, |builder| builder);
        let tokens = world.tokens("web").await;
        store.script(move |call| (call.op == op).then_some(Fault::Refuse));
        for token in [&tokens.access, &tokens.refresh] {
            assert_unavailable(&world.revoke("web", token).await);
        }
        store.script(|_| None);
        world.assert_untouched("web", &tokens).await;
        assert_eq!(world.revoke("web", &tokens.refresh).await.status, 200);
        world.assert_ended("web", &tokens).await;
    }
}

#[tokio::test]
async fn rv_06_a_lost_acknowledgement_is_looked_up() {
    let (memory, clock) = memory();
    let store = FaultStore::calm(memory);
    let world = World::over(store.clone(), clock, |builder| builder);
    let tokens = world.tokens("web").await;
    store.script(|call| (call.op == Op::Swap).then_some(Fault::LoseAnswer));
    assert_eq!(world.revoke("web", &tokens.refresh).await.status, 200);
    store.script(|_| None);
    world.assert_ended("web", &tokens).await;
}

#[tokio::test]
async fn rv_07_twice_is_a_success_and_no_token_an_error() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    for token in [&tokens.access, &tokens.refresh] {
        for _ in 0..2 {
            let reply = world.revoke("web", token).await;
            assert_eq!((reply.status, &*reply.body), (200, "{}"));
        }
    }
    for form in ["", "token=", "token_type_hint=access_token", "token=a&token=b", "TOKEN=x"] {
        assert_json(&world.post_as("web", "/revoke", form).await, 400, "invalid_request");
    }
    assert_json(&world.post("/revoke", &[], "token=x").await, 401, "invalid_client");
}

#[tokio::test]
async fn rv_09_revocation_wins_every_race_with_a_refresh() {
    for round in 0..200 {
        let (memory, clock) = memory();
        let store = FaultStore::calm(memory);
        let world = World::over(store.clone(), clock, |builder| builder);
        let tokens = world.tokens("spa").await;
        // Each call is late by another number of polls, so that all orders come up.
        store.script(move |call| Some(Fault::Delay(((call.index * 7 + round) % 5) as u32)));
        let (revoked, refreshed) =
            tokio::join!(world.revoke("spa", &tokens.refresh), world.refresh("spa", &tokens.refresh));
        store.script(|_| None);
        assert_eq!(revoked.status, 200);
        world.assert_ended("spa", &tokens).await;
        if refreshed.status == 200 {
            world.assert_ended("spa", &Tokens::of(&refreshed)).await;
        } else {
            assert_json(&refreshed, 400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn rv_09_revocation_wins_every_race_with_a_redemption() {
    for round in 0..50 {
        let (memory, clock) = memory();
        let store = FaultStore::calm(memory);
        let world = World::over(store.clone(), clock, |builder| builder);
        let code = world.code("web").await;
        store.script(move |call| Some(Fault::Delay(((call.index * 3 + round) % 4) as u32)));
        let (revoked, redeemed) = tokio::join!(world.revoke("web", &code), world.redeem("web", &code));
        store.script(|_| None);
        assert_eq!(revoked.status, 200);
        if redeemed.status == 200 {
            world.assert_ended("web", &Tokens::of(&redeemed)).await;
        }
        assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn rv_10_a_rotated_token_still_revokes_its_grant() {
    for client in ["web", "spa"] {
        let world = World::new();
        let first = world.tokens(client).await;
        let second = Tokens::of(&world.refresh(client, &first.refresh).await);
        let third = Tokens::of(&world.refresh(client, &second.refresh).await);
        assert_eq!(world.revoke(client, &first.refresh).await.status, 200);
        world.assert_ended(client, &third).await;
    }
}

#[tokio::test]
async fn revocation_asks_no_method_but_post() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let uri = format!("/revoke?client_id=spa&token={}", tokens.refresh);
        let request = Request::builder().method(method).uri(uri);
        let reply = world.send(request.body(Full::<bytes::Bytes>::default()).expect("a request")).await;
        assert!(matches!(reply.status, 204 | 405), "{reply:?}");
    }
    let query = format!("/revoke?token={}", tokens.refresh);
    assert_json(&world.post_as("spa", &query, "").await, 400, "invalid_request");
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn a_code_that_its_confidential_client_gives_back_is_void() {
    let world = World::new();
    let code = world.code("web").await;
    assert_eq!(world.revoke("web2", &code).await.status, 200);
    assert_eq!(world.revoke("web", &code).await.status, 200);
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    assert_inactive(&world.introspect("web", &code).await);
}

#[tokio::test]
async fn an_access_tokens_revocation_leaves_its_narrower_sibling() {
    let world = World::new();
    let code = world.code_for(Query::of("web")).await;
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    let form = format!("{}&scope=read", World::refreshment(&tokens.refresh));
    let narrow = Tokens::of(&world.token("web", &form).await);
    assert_eq!(world.revoke("web", &tokens.access).await.status, 200);
    assert!(!world.is_active(&tokens.access).await);
    assert!(world.is_active(&narrow.access).await);
    let hinted = format!("token={}&token_type_hint={}", narrow.access, encode("urn:x"));
    assert_eq!(world.post_as("web", "/revoke", &hinted).await.status, 200);
    assert!(!world.is_active(&narrow.access).await);
    assert_eq!(world.refresh("web", &narrow.refresh).await.status, 200);
}
