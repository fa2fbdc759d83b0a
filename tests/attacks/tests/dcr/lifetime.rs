//! How long registrations last, and how many there are.

use std::net::SocketAddr;

use attack_tests::{assert_json, assert_page, assert_redirect};
use oauth_core::limit::Unlimited;
use oauth_core::storage::Namespace;
use oauth_core::storage::testing::CountingStore;

use super::*;

#[tokio::test]
async fn dc_16_a_flood_is_limited_by_address() {
    let world = world();
    let from = async |address: &str| {
        let request = Request::post("/register").header("content-type", "application/json");
        let mut request = request.body(Full::<bytes::Bytes>::from(metadata(json!({})).to_string())).unwrap();
        request.extensions_mut().insert(address.parse::<SocketAddr>().unwrap());
        world.send(request).await
    };
    for _ in 0..20 {
        Registered::of(&from("192.0.2.1:1").await);
    }
    let refused = from("192.0.2.1:2").await;
    assert_json(&refused, 429, "temporarily_unavailable");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{refused:?}");
    Registered::of(&from("192.0.2.2:1").await);
    world.clock.advance(Duration::from_secs(seconds));
    Registered::of(&from("192.0.2.1:3").await);
}

#[tokio::test]
async fn dc_16_registrations_that_nobody_uses_are_forgotten() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(memory.clone(), clock, |builder| {
        builder.limiter(Unlimited).dynamic_registration(DynamicRegistration::open())
    });
    for _ in 0..2_000 {
        register(&world, metadata(json!({}))).await;
    }
    assert_eq!(memory.len(), 2_000);
    let (used, asked) = (registered(&world).await, registered(&world).await);
    used.tokens(&world).await;
    // To ask for tokens that one does not get is no use, and a page that nobody answers neither.
    for _ in 0..3 {
        world.clock.advance(7 * HOUR);
        asked.refresh(&world, "junk").await;
        Browser::signed_in("alice").authorize(&world, asked.query()).await;
        world.post("/revoke", &[], &format!("client_id={}&token=x", asked.id)).await;
        asked.read(&world).await;
    }
    world.clock.advance(4 * HOUR);
    assert_no_such(&asked.read(&world).await);
    assert_page(&Browser::signed_in("alice").authorize(&world, asked.query()).await);
    world.clock.advance(HOUR);
    world.server.store().purge(world.server.now(), 10_000).await.unwrap();
    assert_eq!(used.read(&world).await.status, 200);
    assert!(memory.len() <= 4, "{memory:?}");
}

#[tokio::test]
async fn use_keeps_a_registration_and_is_seldom_written_down() {
    let clock = clock();
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world = over(store.clone(), clock, |builder| {
        builder.grant_lifetime(1000 * DAY).dynamic_registration(DynamicRegistration::open())
    });
    let client = registered(&world).await;
    let mut tokens = client.tokens(&world).await;
    let writes = || store.counts().swaps(Namespace::Client);
    assert_eq!(writes(), 1, "the first sign-in");
    for _ in 0..400 {
        world.clock.advance(DAY);
        tokens = Tokens::of(&client.refresh(&world, &tokens.refresh).await);
    }
    assert!((30..=45).contains(&writes()), "{}", writes());
    // 90 days after the last use it is still there, a tenth of that later it is not.
    world.clock.advance(89 * DAY);
    assert_eq!(client.read(&world).await.status, 200);
    world.clock.advance(12 * DAY);
    assert_no_such(&client.read(&world).await);
    assert_json(&client.refresh(&world, &tokens.refresh).await, 401, "invalid_client");
    assert_page(&Browser::signed_in("alice").authorize(&world, client.query()).await);
}

#[tokio::test]
async fn dc_17_a_public_client_on_the_device_asks_each_time() {
    let world = world();
    for uri in ["http://127.0.0.1:7777/cb", "http://localhost/cb", "com.example.agent:/cb"] {
        let client = Registered::of(&register(&world, metadata(json!({"redirect_uris": [uri]}))).await);
        let query = client.query().set("redirect_uri", uri);
        Browser::signed_in("alice").approve(&world, &query).await.code();
        let again = Browser::signed_in("alice").authorize(&world, &query).await;
        assert_eq!(again.status, 200, "{again:?}");
        let silent = Browser::signed_in("alice").authorize(&world, query.set("prompt", "none")).await;
        assert_redirect(&silent, uri, "consent_required", Some("s-1"));
    }
    // On the web it is asked once.
    let client = registered(&world).await;
    client.code(&world).await;
    Browser::signed_in("alice").authorize(&world, client.query()).await.code();
}
