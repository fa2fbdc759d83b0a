//! Attacks by quantity (EX): what strangers can make the server keep or do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    Browser, Query, SPA, START, Socket, Tokens, Users, World, assert_json, assert_page, basic, encode,
};
use oauth_core::client::Client;
use oauth_core::clock::{Clock, ManualClock, Timestamp};
use oauth_core::secret::{SystemRandom, random_array};
use oauth_core::server::{ConsentPolicy, SubjectStatus};
use oauth_core::storage::testing::CountingStore;
use oauth_core::storage::{Body, Key, Marker, Namespace, Record, Store, StoreResult, Swap, Version};
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::Pages;
use oauth_tower::server::AuthorizationServerLayer;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(START))
}

#[tokio::test]
async fn ex_01_visitors_who_have_not_approved_leave_nothing_behind() {
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock())));
    let world = World::over(store.clone(), clock(), |builder| builder);
    for _ in 0..500 {
        assert_eq!(Browser::new().authorize(&world, Query::of("web")).await.status, 303);
        assert_eq!(Browser::signed_in("alice").authorize(&world, Query::of("spa")).await.status, 200);
        assert_page(&Browser::new().authorize(&world, "client_id=nobody").await);
    }
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    assert_eq!(browser.decide(&world, &page, "deny").await.param("error").as_deref(), Some("access_denied"));
    let counts = store.counts();
    for namespace in Namespace::ALL {
        assert_eq!((counts.inserts(namespace), counts.swaps(namespace)), (0, 0), "{namespace:?}");
    }
}

#[tokio::test]
async fn ex_01_the_built_in_pages_keep_nothing_of_strangers() {
    let memory = MemoryStore::with_clock(Arc::new(clock()));
    let world = World::over(memory.clone(), clock(), |builder| builder);
    let layer =
        AuthorizationServerLayer::new(world.server.clone()).pages(Pages::new(world.server.clone(), Users));
    let world = World::mounted(world.server, world.clock, layer);
    for at in 0..200 {
        let mut browser = Browser::new();
        let start = browser.authorize(&world, Query::of("web")).await;
        let page = browser.get(&world, start.location()).await;
        let form = format!("form={}&username=u{at}&password=wrong", encode(&page.field("form")));
        let reply = browser.post(&world, start.location(), &form).await;
        assert!((400..500).contains(&reply.status) || reply.status == 200, "{reply:?}");
    }
    assert!(memory.is_empty(), "{memory:?}");
}

#[tokio::test]
async fn ex_02_codes_that_nobody_redeems_are_forgotten() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let client = Client::public("own").redirect_uri(SPA).scope("read").first_party();
    let world = World::over(memory.clone(), clock, |builder| {
        builder.client(client).consent(ConsentPolicy::AlwaysAsk)
    });
    let query = Query::of("own").set("redirect_uri", SPA);
    for _ in 0..2_000 {
        Browser::signed_in("alice").authorize(&world, &query).await.code();
    }
    assert_eq!(memory.len(), 2_000);
    world.clock.advance(Duration::from_secs(3600));
    let purged = world.server.store().purge(world.server.now(), 100_000).await.expect("purges");
    assert_eq!((purged.deleted, purged.more), (2_000, false));
    assert!(memory.is_empty(), "{memory:?}");
}

#[tokio::test]
async fn ex_02_the_memory_store_forgets_by_itself() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let mut most = 0;
    for at in 0..100_000_u128 {
        clock.advance(Duration::from_millis(10));
        let now = clock.now();
        let id = random_array(&SystemRandom);
        let record = Record {
            key: Key::new(Namespace::Marker, id),
            version: Version::from_bytes(at.to_be_bytes()),
            retain_until: now + Duration::from_secs(60),
            body: Body::Marker(Marker { used_at: now }),
        };
        assert_eq!(memory.swap(Arc::new(record), None).await.expect("swaps"), Swap::Swapped);
        most = most.max(memory.len());
    }
    // 6 000 live at any time; the rest waits for a sweep, which begins at a thousand in each of 64 shards.
    assert!((6_000..=64 * 1024).contains(&most), "{most}");
}

#[tokio::test]
async fn ex_03_wrong_secrets_cost_one_hash_and_no_store_call() {
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock())));
    let world = World::over(store.clone(), clock(), |builder| builder);
    for at in 0..2_000 {
        let header = basic("m2m", &format!("wrong-wrong-wrong-{at}"));
        let reply =
            world.post("/token", &[("authorization", &header)], "grant_type=client_credentials").await;
        assert_json(&reply, 401, "invalid_client");
    }
    assert_eq!(store.counts().total(), 0);
    for length in [513, 60_000] {
        let form =
            format!("grant_type=client_credentials&client_id=m2m&client_secret={}", "x".repeat(length));
        assert_json(&world.post("/token", &[], &form).await, 401, "invalid_client");
    }
    // A client that does not exist costs one look, one with an absurd id none.
    world.post("/token", &[], "grant_type=client_credentials&client_id=nobody").await;
    assert_eq!((store.take().total(), store.counts().total()), (1, 0));
    let long = format!("grant_type=client_credentials&client_id={}", "x".repeat(3000));
    assert_json(&world.post("/token", &[], &long).await, 401, "invalid_client");
    assert_eq!(store.counts().total(), 0);
}

#[derive(Debug)]
struct Panics(Arc<AtomicBool>);

#[async_trait]
impl SubjectStatus for Panics {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        assert!(!self.0.load(Ordering::SeqCst), "the host's hook is broken");
        Ok(true)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ex_07_a_panic_costs_one_connection_and_no_state() {
    let broken = Arc::new(AtomicBool::new(false));
    let world = World::with(|builder| builder.subject_status(Panics(broken.clone())));
    let (tokens, code) = (world.tokens("web").await, world.code("web").await);
    let socket = Socket::open(&world).await;
    broken.store(true, Ordering::SeqCst);
    for form in [World::redemption(&code), World::refreshment(&tokens.refresh)] {
        let request = format!(
            "POST /token HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\nauthorization: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            basic("web", &attack_tests::secret("web")),
            form.len()
        );
        for _ in 0..20 {
            assert!(!socket.send(&request).await.contains("200 OK"));
        }
        assert!(socket.get("/.well-known/oauth-authorization-server").await.starts_with("HTTP/1.1 200"));
    }
    broken.store(false, Ordering::SeqCst);
    let forms = vec![World::redemption(&code), World::refreshment(&tokens.refresh)];
    for reply in socket.race("web", "/token", forms).await {
        Tokens::of(&reply);
    }
}

#[tokio::test]
async fn ex_08_a_grant_does_not_grow() {
    let clock = clock();
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world = World::over(store.clone(), clock, |builder| builder);
    let mut tokens = world.tokens("spa").await;
    let id = world.server.parse_access(&tokens.access).expect("a handle").grant().expect("a grant");
    let size = async || {
        let record = world.server.store().load(&Key::grant(id)).await.expect("loads").expect("a record");
        record.encode().len()
    };
    let mut sizes = Vec::new();
    for at in 0..1_500 {
        world.clock.advance(Duration::from_secs(1));
        store.take();
        tokens = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
        let counts = store.take();
        // Every other second somebody looks for what other replicas have changed.
        let shared = counts.loads(Namespace::Keys);
        assert!(shared <= at % 2, "{at}");
        assert_eq!(
            (counts.loads(Namespace::Grant), counts.swaps(Namespace::Grant), counts.total() - shared),
            (1, 1, 2)
        );
        if at % 100 == 99 {
            sizes.push(size().await);
        }
    }
    // 16 access tokens live side by side; from then on each new one replaces an old one.
    assert!(sizes.iter().all(|own| own.abs_diff(sizes[0]) < 16), "{sizes:?}");
    assert!(sizes[0] < 8 * 1024, "{sizes:?}");
    store.take();
    assert_eq!(world.revoke("spa", &tokens.refresh).await.status, 200);
    let counts = store.take();
    assert_eq!((counts.loads(Namespace::Grant), counts.swaps(Namespace::Grant), counts.total()), (1, 1, 2));
    world.assert_ended("spa", &tokens).await;
}

#[tokio::test]
async fn ex_08_many_access_tokens_push_out_the_oldest() {
    let world = World::with(|builder| builder.max_access_tokens(4));
    let first = world.tokens("spa").await;
    let mut tokens = vec![first];
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(1));
        let last = tokens.last().expect("a token").refresh.clone();
        tokens.push(Tokens::of(&world.refresh("spa", &last).await));
    }
    let mut alive = Vec::new();
    for own in &tokens {
        alive.push(world.is_active(&own.access).await);
    }
    assert_eq!(alive, [false, true, true, true, true]);
}

#[tokio::test]
async fn forged_handles_of_a_real_grant_cost_no_store_call() {
    // Whoever knows a grant id from a log cannot make the server load and compare it at will.
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock())));
    let world = World::over(store.clone(), clock(), |builder| builder);
    let tokens = world.tokens("web").await;
    store.take();
    for token in [&tokens.access, &tokens.refresh] {
        let forged = format!("{}{}", &token[..token.len() - 64], "A".repeat(64));
        for _ in 0..100 {
            assert!(world.server.verify(&forged).await.is_err());
            assert_json(&world.refresh("web", &forged).await, 400, "invalid_grant");
            assert_eq!(world.revoke("web", &forged).await.status, 200);
            assert_eq!(world.introspect("web", &forged).await.body, r#"{"active":false}"#);
        }
    }
    assert_eq!(store.counts().total(), 0);
}

#[tokio::test]
async fn floods_of_parameters_are_refused_before_anything_is_decided() {
    let world = World::new();
    let code = world.code("web").await;
    let many = "&a=b".repeat(200);
    let empty = "&".repeat(30_000);
    let resources = format!("&resource={}", encode("https://api1.example")).repeat(90);
    assert_json(
        &world.token("web", &format!("{}{many}", World::redemption(&code))).await,
        400,
        "invalid_request",
    );
    let escapes = format!("&x={}", "%41".repeat(20_000));
    assert_eq!(world.token("web", &format!("{}{escapes}", World::redemption("x"))).await.status, 400);
    // Empty pairs count for nothing, and a resource that is named ninety times is one audience.
    let form = format!("{}{resources}{empty}", World::redemption(&code));
    let reply = world.token("web", &form).await;
    let shown = world.introspect("web", &Tokens::of(&reply).access).await.json();
    assert_eq!(shown["aud"], "https://api1.example");
}
