//! Attacks on introspection (IN): who may ask, and what the answer gives away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    API1, API2, APP, Query, START, Tokens, World, assert_inactive, assert_json, assert_unavailable, basic,
    encode, secret,
};
use http::{Method, Request};
use http_body_util::Full;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::SubjectStatus;
use oauth_core::storage::StoreResult;
use oauth_core::storage::testing::{Fault, FaultStore, Op};
use oauth_storage_memory::MemoryStore;

async fn for_api1(world: &World) -> Tokens {
    let code = world.code_for(Query::of("web").set("resource", API1)).await;
    Tokens::of(&world.redeem("web", &code).await)
}

#[tokio::test]
async fn in_01_nobody_asks_without_authentication() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    let form = format!("token={}", tokens.access);
    assert_json(&world.post("/introspect", &[], &form).await, 401, "invalid_client");
    for public_or_posing in ["spa", "cli", "web", "rs1", "nobody"] {
        let form = format!("{form}&client_id={public_or_posing}");
        assert_json(&world.post("/introspect", &[], &form).await, 401, "invalid_client");
    }
    let wrong = basic("rs1", "wrong-wrong-wrong");
    assert_json(&world.post("/introspect", &[("authorization", &wrong)], &form).await, 401, "invalid_client");
    let bearer = format!("Bearer {}", tokens.access);
    assert_json(
        &world.post("/introspect", &[("authorization", &bearer)], &form).await,
        401,
        "invalid_client",
    );
}

#[tokio::test]
async fn in_02_a_resource_server_sees_its_own_tokens_alone() {
    let world = World::new();
    let tokens = for_api1(&world).await;
    let shown = world.introspect("rs1", &tokens.access).await;
    assert_eq!(
        (shown.status, &shown.json()["active"], &shown.json()["aud"]),
        (200, &true.into(), &API1.into())
    );
    for other in ["rs2", "web2", "m2m"] {
        let form = format!("token={}", tokens.access);
        for accept in ["application/json", "application/token-introspection+jwt", "application/jwt", "*/*"] {
            let credentials = basic(other, &secret(other));
            let headers = [("authorization", credentials.as_str()), ("accept", accept)];
            assert_inactive(&world.post("/introspect", &headers, &form).await);
        }
    }
    let both = world.tokens("web").await;
    assert_eq!(world.introspect("rs2", &both.access).await.json()["active"], true);
}

#[tokio::test]
async fn in_02_two_spellings_of_one_resource_are_one_and_others_are_not() {
    let api = |id: &str, serves: &str| {
        Client::resource_server(id.to_owned(), &ClientSecret::from_text(secret(id)), serves)
    };
    let world = World::with(|builder| {
        builder
            .client(api("slash", "https://API1.example/"))
            .client(api("port", "https://api1.example:8443"))
            .client(api("path", "https://api1.example/v1"))
    });
    let tokens = for_api1(&world).await;
    let form = format!("token={}", tokens.access);
    assert_eq!(world.post_as("slash", "/introspect", &form).await.json()["active"], true);
    for other in ["port", "path"] {
        assert_inactive(&world.post_as(other, "/introspect", &form).await);
    }
}

#[tokio::test]
async fn in_03_every_dead_token_gets_the_same_answer() {
    let world = World::new();
    let revoked = world.tokens("web").await;
    world.revoke("web", &revoked.access).await;
    let expired = world.tokens("web").await;
    let live = world.tokens("web").await;
    let (code, replayed) = world.redeemed("web").await;
    world.redeem("web", &code).await;
    world.clock.advance(Duration::from_secs(3600));
    let cut = &live.access[..live.access.len() - 1];
    let junk = ["x", "oaa_", "é", "\u{202e}", " ", cut, &"x".repeat(40_000), "a.b.c", "null", "{}"];
    let dead = [&*revoked.access, &expired.access, &replayed.access, &replayed.refresh];
    for token in junk.into_iter().chain(dead) {
        for caller in ["web", "rs1", "rs2"] {
            assert_inactive(&world.introspect(caller, token).await);
        }
    }
    let huge = world.introspect("rs1", &"x".repeat(1_000_000)).await;
    assert_json(&huge, 413, "invalid_request");
}

#[tokio::test]
async fn in_04_a_missing_token_and_other_methods() {
    let world = World::new();
    let tokens = for_api1(&world).await;
    for form in ["", "token=", "token_type_hint=access_token", "token=a&token=a"] {
        assert_json(&world.post_as("rs1", "/introspect", form).await, 400, "invalid_request");
    }
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let request = Request::builder()
            .method(method)
            .uri(format!("/introspect?token={}", tokens.access))
            .header("authorization", basic("rs1", &secret("rs1")));
        let reply = world.send(request.body(Full::<bytes::Bytes>::default()).expect("a request")).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST, OPTIONS")));
        assert!(!reply.body.contains("active"));
    }
    let query = format!("/introspect?token={}", tokens.access);
    assert_json(&world.post_as("rs1", &query, "").await, 400, "invalid_request");
}

#[tokio::test]
async fn in_05_hints_change_nothing() {
    let world = World::new();
    let tokens = for_api1(&world).await;
    let plain = world.introspect("web", &tokens.access).await.body;
    let refresh = world.introspect("web", &tokens.refresh).await.body;
    for hint in ["access_token", "refresh_token", "bogus", "", "id_token"] {
        let ask = async |token: &str| {
            let form = format!("token={token}&token_type_hint={hint}");
            world.post_as("web", "/introspect", &form).await.body
        };
        assert_eq!(ask(&tokens.access).await, plain);
        assert_eq!(ask(&tokens.refresh).await, refresh);
    }
    let twice = format!("token={}&token_type_hint=a&token_type_hint=a", tokens.access);
    assert_json(&world.post_as("web", "/introspect", &twice).await, 400, "invalid_request");
}

#[tokio::test]
async fn in_06_other_credentials_are_inactive() {
    let world = World::new();
    let mut browser = attack_tests::Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let ticket = page.field("ticket");
    let cookie = browser.cookies.values().next().expect("a browser cookie").clone();
    let code = browser.decide(&world, &page, "approve").await.code();
    for other in [code.as_str(), &ticket, &cookie, &secret("web")] {
        for caller in ["web", "rs1"] {
            assert_inactive(&world.introspect(caller, other).await);
        }
    }
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn in_07_a_refresh_token_is_its_own_clients_business() {
    let world = World::new();
    let tokens = for_api1(&world).await;
    for other in ["rs1", "rs2", "web2", "m2m"] {
        assert_inactive(&world.introspect(other, &tokens.refresh).await);
    }
    let shown = world.introspect("web", &tokens.refresh).await.json();
    assert_eq!(shown["active"], true);
    assert!(shown.get("token_type").is_none(), "a refresh token is no bearer token: {shown}");
    let next = world.assert_untouched("web", &tokens).await;
    assert_inactive(&world.introspect("web", &tokens.refresh).await);
    assert_eq!(world.introspect("web", &next.refresh).await.json()["active"], true);
}

#[tokio::test]
async fn in_08_unknown_foreign_and_expired_look_the_same() {
    let world = World::new();
    let foreign = for_api1(&world).await.access;
    let code = world.code_for(Query::of("web").set("resource", API2)).await;
    let expired = Tokens::of(&world.redeem("web", &code).await).access;
    world.clock.advance(Duration::from_secs(3599));
    let foreign_live = for_api1(&world).await.access;
    world.clock.advance(Duration::from_secs(1));
    let replies = [
        world.introspect("rs2", "unknown").await,
        world.introspect("rs2", &foreign).await,
        world.introspect("rs2", &foreign_live).await,
        world.introspect("rs2", &expired).await,
    ];
    assert_eq!(world.introspect("rs1", &foreign_live).await.json()["active"], true);
    for reply in &replies {
        assert_inactive(reply);
        assert_eq!(reply.headers, replies[0].headers);
    }
}

#[derive(Debug)]
struct Locked(Arc<AtomicBool>);

#[async_trait]
impl SubjectStatus for Locked {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        Ok(!self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn in_12_a_locked_subject_or_client_makes_tokens_inactive() {
    let locked = Arc::new(AtomicBool::new(false));
    let world = World::with(|builder| builder.subject_status(Locked(locked.clone())));
    let tokens = world.tokens("web").await;
    let machine = world.token("m2m", "grant_type=client_credentials").await.text("access_token");
    assert!(world.is_active(&tokens.access).await);
    locked.store(true, Ordering::SeqCst);
    assert_inactive(&world.introspect("rs1", &tokens.access).await);
    assert_inactive(&world.introspect("web", &tokens.access).await);
    assert_inactive(&world.introspect("web", &tokens.refresh).await);
    assert!(world.is_active(&machine).await, "a machine has no subject to lock");

    let world = World::new();
    let late = Client::confidential("late", &ClientSecret::from_text(secret("late")));
    let late = late.redirect_uri(APP).scope("read").resource(API1).build().expect("a client");
    world.server.clients().put(late).await.expect("stores");
    let tokens = world.tokens("late").await;
    assert!(world.is_active(&tokens.access).await);
    world.server.clients().disable("late").await.expect("disables");
    assert_inactive(&world.introspect("rs1", &tokens.access).await);
    assert_json(&world.introspect("late", &tokens.access).await, 401, "invalid_client");
    assert!(world.server.verify(&tokens.access).await.is_err());
}

#[tokio::test]
async fn a_storage_failure_is_not_inactive() {
    // A resource server that hears "inactive" throws a good session away; 503 lets it wait.
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = FaultStore::calm(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world = World::over(store.clone(), clock, |builder| builder);
    let tokens = world.tokens("web").await;
    store.script(|call| (call.op == Op::Load).then_some(Fault::Refuse));
    for (caller, token) in [("rs1", &tokens.access), ("web", &tokens.access), ("web", &tokens.refresh)] {
        assert_unavailable(&world.introspect(caller, token).await);
    }
    // What no grant can belong to needs no store.
    assert_inactive(&world.introspect("rs1", "unknown").await);
    store.script(|_| None);
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn a_token_without_audience_belongs_to_no_resource_server() {
    let no_audience = Client::machine("batch", &ClientSecret::from_text(secret("batch"))).scope("read");
    let world = World::with(|builder| builder.client(no_audience));
    let token = world.token("batch", "grant_type=client_credentials").await.text("access_token");
    for other in ["rs1", "rs2", "web"] {
        assert_inactive(&world.introspect(other, &token).await);
    }
    let shown = world.introspect("batch", &token).await.json();
    assert_eq!((&shown["active"], shown.get("aud")), (&true.into(), None));
}

#[tokio::test]
async fn an_audience_that_looks_alike_is_another() {
    let alike = |builder: oauth_core::server::ServerBuilder| {
        [
            "https://api1.example.evil",
            "https://api1.example:8443",
            "https://api1.example/v1",
            "http://api1.example",
        ]
        .into_iter()
        .enumerate()
        .fold(builder, |builder, (at, resource)| {
            let id = format!("fake{at}");
            let own = ClientSecret::from_text(secret(&id));
            builder.client(Client::resource_server(id, &own, resource))
        })
    };
    let world = World::with(alike);
    let tokens = for_api1(&world).await;
    for at in 0..4 {
        assert_inactive(&world.introspect(&format!("fake{at}"), &tokens.access).await);
    }
    assert!(world.is_active(&tokens.access).await);
}

#[tokio::test]
async fn introspecting_spends_nothing() {
    let world = World::new();
    let first = world.tokens("spa").await;
    for _ in 0..10 {
        world.introspect("rs1", &first.access).await;
        assert_inactive(&world.introspect("rs1", &first.refresh).await);
    }
    let second = world.assert_untouched("spa", &first).await;
    // An old refresh token that is only asked about is no reuse.
    world.clock.advance(Duration::from_secs(300));
    assert_inactive(&world.introspect("web", &first.refresh).await);
    let form = format!("token={}&token_type_hint=refresh_token", encode(&first.refresh));
    assert_inactive(&world.post_as("rs1", "/introspect", &form).await);
    world.assert_untouched("spa", &second).await;
}
