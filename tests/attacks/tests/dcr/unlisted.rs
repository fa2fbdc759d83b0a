//! Attacks on registration that no list has.

use attack_tests::{assert_json, assert_page, assert_redirect};
use oauth_core::client::{Client, ClientSource};
use oauth_core::handle::KeyRing;
use oauth_core::secret::SystemRandom;
use oauth_core::storage::StoreResult;

use super::*;

#[tokio::test]
async fn consent_does_not_cover_what_the_client_makes_of_itself_later() {
    let world = world();
    for (changes, asked_again) in [
        (json!({"contacts": ["a@mcp.example"]}), false),
        (json!({"client_name": "Your Bank"}), true),
        (json!({"redirect_uris": [CALLBACK, "https://evil.example/cb"]}), true),
    ] {
        let client = registered(&world).await;
        client.code(&world).await;
        world.clock.advance(Duration::from_secs(10));
        assert_eq!(client.update(&world, client.with(changes.clone())).await.status, 200);
        let reply = Browser::signed_in("alice").authorize(&world, client.query()).await;
        assert_eq!(reply.status == 200, asked_again, "{changes}: {reply:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_open_is_checked_against_the_registration_as_it_is_then() {
    let world = world();
    let client = registered(&world).await;
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, client.query()).await;
    let moved = client.with(json!({"redirect_uris": ["https://mcp.example/other"]}));
    assert_eq!(client.update(&world, moved).await.status, 200);
    assert_page(&browser.decide(&world, &page, "approve").await);
    // A code from before is bound to the redirect URI that it was asked for.
    let client = registered(&world).await;
    let code = client.code(&world).await;
    let moved = client.with(json!({"redirect_uris": ["https://mcp.example/other"]}));
    assert_eq!(client.update(&world, moved).await.status, 200);
    let form = format!(
        "grant_type=authorization_code&code={}&code_verifier={VERIFIER}&redirect_uri={}",
        encode(&code),
        encode("https://mcp.example/other")
    );
    assert_json(&client.post(&world, &form).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_confidential_client_does_not_become_a_public_one() {
    let world = world();
    let changes = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let client = Registered::of(&register(&world, metadata(changes)).await);
    let tokens = client.tokens(&world).await;
    let public = client.update(&world, client.with(json!({}))).await;
    assert_json(&public, 400, "invalid_client_metadata");
    let form = format!("client_id={}&{}", client.id, World::refreshment(&tokens.refresh));
    assert_json(&world.post("/token", &[], &form).await, 401, "invalid_client");
    Tokens::of(&client.refresh(&world, &tokens.refresh).await);
}

#[tokio::test]
async fn updates_do_not_keep_an_unused_registration_alive() {
    let world = world();
    let client = registered(&world).await;
    for _ in 0..4 {
        world.clock.advance(5 * HOUR);
        assert_eq!(client.update(&world, client.with(json!({}))).await.status, 200);
    }
    world.clock.advance(4 * HOUR);
    assert_no_such(&client.update(&world, client.with(json!({}))).await);
}

#[tokio::test]
async fn a_lost_key_makes_no_token_of_another_client_work() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let with_ring = |ring: KeyRing| {
        over(memory.clone(), clock.clone(), |builder| {
            builder.key_ring(ring).dynamic_registration(DynamicRegistration::open())
        })
    };
    let before = with_ring(KeyRing::generate(&SystemRandom));
    let (a, b) = (registered(&before).await, registered(&before).await);
    // The keys are gone: the digest alone decides, for each client its own.
    let after = with_ring(KeyRing::generate(&SystemRandom));
    assert_eq!(a.read(&after).await.status, 200);
    assert_eq!(a.read(&after).await.text("registration_access_token"), a.token);
    assert_no_such(&call(&after, "GET", &b.uri, Some(&a.token), "").await);
    // A's token, with the id of B spliced into it.
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let body = |client: &Registered| URL_SAFE_NO_PAD.decode(client.token.split_once('_').unwrap().1).unwrap();
    let mut spliced = body(&a);
    spliced[8..24].copy_from_slice(&body(&b)[8..24]);
    let spliced = format!("ora_{}", URL_SAFE_NO_PAD.encode(spliced));
    for world in [&before, &after] {
        assert_no_such(&call(world, "GET", &b.uri, Some(&spliced), "").await);
    }
}

#[tokio::test]
async fn another_issuer_over_the_same_store_knows_none_of_them() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let ring = KeyRing::generate(&SystemRandom);
    let world = over(memory.clone(), clock.clone(), |builder| {
        builder.key_ring(ring.clone()).dynamic_registration(DynamicRegistration::open())
    });
    let client = registered(&world).await;
    let other = oauth_core::server::Server::builder("https://other.example", memory)
        .clock(clock)
        .key_ring(ring)
        .dynamic_registration(DynamicRegistration::open())
        .build()
        .unwrap();
    assert!(other.client(&client.id).await.unwrap().is_none());
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", client.token).parse().unwrap());
    let registrations = other.registrations("/register").unwrap();
    assert!(registrations.read(&headers, &client.id).await.is_err());
    assert!(registrations.delete(&headers, &client.id).await.is_err());
    assert_eq!(client.read(&world).await.status, 200);
}

/// A host's own table, which has one client.
#[derive(Debug)]
struct Table;

#[async_trait]
impl ClientSource for Table {
    async fn client(&self, client_id: &str) -> StoreResult<Option<Arc<Client>>> {
        let own = || Client::public("table").redirect_uri(CALLBACK).scope("read").build().expect("a client");
        Ok((client_id == "table").then(|| Arc::new(own())))
    }
}

use async_trait::async_trait;

#[tokio::test]
async fn a_host_with_a_table_of_its_own_finds_the_registered_ones_too_and_no_others() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(memory, clock, |builder| {
        builder.client_source(Table).dynamic_registration(DynamicRegistration::open())
    });
    let client = registered(&world).await;
    client.tokens(&world).await;
    let query = Query::of("table").set("redirect_uri", CALLBACK);
    Browser::signed_in("alice").approve(&world, query).await.code();
    // What lies in the store from earlier days is not consulted.
    let stored = Client::public("stored").redirect_uri(CALLBACK).build().unwrap();
    world.server.clients().put(stored).await.unwrap();
    assert!(world.server.client("stored").await.unwrap().is_none());
}

#[tokio::test]
async fn what_the_host_takes_away_is_gone_for_those_that_have_registered() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let before = over(memory.clone(), clock.clone(), |builder| {
        builder.dynamic_registration(DynamicRegistration::open())
    });
    let client = registered(&before).await;
    let after = over(memory.clone(), clock.clone(), |builder| {
        builder
            .resource("https://new.example")
            .dynamic_registration(DynamicRegistration::open().scope("read"))
    });
    let wide = Browser::signed_in("alice").authorize(&after, client.query().set("scope", "write")).await;
    assert!(wide.status != 200 || !wide.body.contains("change your notes"), "{wide:?}");
    // And what the host has added since is theirs: they do not register anew for each API.
    let new = client.query().set("resource", "https://new.example");
    Browser::signed_in("alice").approve(&after, new).await.code();
    // Switched off, there are no new ones, and those that there are go on.
    let off = over(memory, clock, |builder| builder);
    assert!(register(&off, metadata(json!({}))).await.is_from_app());
    client.tokens(&off).await;
}

#[tokio::test]
async fn a_loopback_port_is_free_and_everything_else_is_not() {
    let world = world();
    let uris = json!(["cursor://anysphere.cursor-mcp/oauth/callback", "http://127.0.0.1:33418/", CALLBACK]);
    let client = Registered::of(&register(&world, metadata(json!({ "redirect_uris": uris }))).await);
    let authorize = async |uri: &str| {
        Browser::signed_in("alice").authorize(&world, client.query().set("redirect_uri", uri)).await
    };
    for fine in
        ["cursor://anysphere.cursor-mcp/oauth/callback", "http://127.0.0.1:5/", "http://127.0.0.1/", CALLBACK]
    {
        assert_eq!(authorize(fine).await.status, 200, "{fine}");
    }
    for other in [
        "cursor://anysphere.cursor-mcp/oauth/callback/",
        "cursor://evil/oauth/callback",
        "CURSOR://anysphere.cursor-mcp/oauth/callback",
        "http://127.0.0.1:5",
        "http://127.0.0.1:5/x",
        "http://localhost:5/",
        "http://127.0.0.1:5@evil.example/",
        "https://mcp.example:444/cb",
    ] {
        assert_page(&authorize(other).await);
    }
}

#[tokio::test]
async fn an_operators_log_shows_no_secret_and_a_client_no_reason() {
    let log = attack_tests::Log::listen();
    let world = world();
    let changes = json!({"token_endpoint_auth_method": "client_secret_basic", "client_name": "x\n2026 FAKE"});
    let client = Registered::of(&register(&world, metadata(changes)).await);
    client.tokens(&world).await;
    let password = metadata(json!({"redirect_uris": ["https://user:hunter2@app.example/cb"]}));
    register(&world, password).await;
    call(&world, "GET", &client.uri, Some("ora_junk"), "").await;
    client.delete(&world).await;
    let text = log.lines().join("\n");
    assert!(text.contains("client_registered") && text.contains("registration_deleted"), "{text}");
    let secret = client.secret.expect("a secret");
    for never in [&*client.token, &secret, "hunter2", "\n2026 FAKE", "ora_junk"] {
        assert!(!text.contains(never), "{never}: {text}");
    }
}

#[tokio::test]
async fn a_raced_deletion_and_login_leave_nothing_alive() {
    let world = world();
    let client = registered(&world).await;
    let code = client.code(&world).await;
    let (deleted, redeemed) = tokio::join!(client.delete(&world), client.redeem(&world, &code));
    assert_eq!(deleted.status, 204, "{deleted:?}");
    if redeemed.status == 200 {
        assert!(!world.is_active(&redeemed.text("access_token")).await);
    }
    assert_json(&client.refresh(&world, "junk").await, 401, "invalid_client");
    let reply = Browser::signed_in("alice").authorize(&world, client.query()).await;
    assert_page(&reply);
}

#[tokio::test]
async fn silence_is_not_consent_for_a_client_that_just_registered() {
    let world = world();
    let client = registered(&world).await;
    let query = client.query().set("prompt", "none");
    let reply = Browser::signed_in("alice").authorize(&world, query).await;
    assert_redirect(&reply, CALLBACK, "consent_required", Some("s-1"));
}
