//! Whoever holds a registration access token, and whoever does not.

use attack_tests::{DumpStore, assert_inactive, assert_json};
use oauth_core::storage::Index;

use super::*;

#[tokio::test]
async fn dc_10_a_token_is_good_for_its_own_client_and_for_nothing_else() {
    let world = world();
    let (a, b) = (registered(&world).await, registered(&world).await);
    let before = b.read(&world).await;
    assert_eq!(before.status, 200, "{before:?}");
    let tokens = a.tokens(&world).await;
    let flipped = {
        let mut token = a.token.clone().into_bytes();
        let last = token.len() - 1;
        token[last] = if token[last] == b'A' { b'B' } else { b'A' };
        String::from_utf8(token).unwrap()
    };
    let nobody = "/register/dcr_AAAAAAAAAAAAAAAAAAAAAA";
    for (uri, token) in [
        (&*b.uri, &*a.token),
        (nobody, &a.token),
        ("/register/web", &a.token),
        (&a.uri, &tokens.access),
        (&a.uri, &tokens.refresh),
        (&a.uri, &flipped),
        (&a.uri, "x"),
        (&format!("{}x", a.uri), &a.token),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            assert_no_such(&call(&world, method, uri, Some(token), b.with(json!({}))).await);
        }
    }
    for method in ["GET", "PUT", "DELETE"] {
        let reply = call(&world, method, &b.uri, None, b.with(json!({}))).await;
        assert_json(&reply, 401, "invalid_token");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    // In the query or in the body it counts for nothing.
    let query = format!("{}?access_token={}", a.uri, encode(&a.token));
    assert_json(&call(&world, "GET", &query, None, "").await, 401, "invalid_token");
    // And it is no access token, no refresh token and no code.
    assert!(!world.is_active(&a.token).await);
    assert_json(&a.refresh(&world, &a.token).await, 400, "invalid_grant");
    assert_json(&a.redeem(&world, &a.token).await, 400, "invalid_grant");
    assert_eq!(b.read(&world).await.body, before.body, "B is unchanged");
    assert_eq!(a.read(&world).await.status, 200);
}

#[tokio::test]
async fn dc_11_a_client_that_was_switched_off_stays_off() {
    let world = world();
    let client = Registered::of(
        &register(&world, metadata(json!({"token_endpoint_auth_method": "client_secret_basic"}))).await,
    );
    let tokens = client.tokens(&world).await;
    assert_eq!(world.server.clients().disable(&client.id).await.unwrap(), Some(1));
    let body = client.with(json!({"token_endpoint_auth_method": "client_secret_basic"}));
    for reply in [client.read(&world).await, client.update(&world, body).await, client.delete(&world).await] {
        assert_no_such(&reply);
    }
    assert!(world.server.clients().get(&client.id).await.unwrap().unwrap().is_disabled());
    assert_json(&client.refresh(&world, &tokens.refresh).await, 401, "invalid_client");
    assert!(!world.is_active(&tokens.access).await);
}

#[tokio::test]
async fn dc_12_clients_of_the_host_are_not_managed_here() {
    let world = world();
    let client = registered(&world).await;
    let own = oauth_core::client::Client::public("stored").redirect_uri(CALLBACK).build().unwrap();
    world.server.clients().put(own).await.unwrap();
    for id in ["web", "spa", "stored", "nobody"] {
        for method in ["GET", "PUT", "DELETE"] {
            let body = json!({"client_id": id, "redirect_uris": [CALLBACK]});
            assert_no_such(
                &call(&world, method, &format!("/register/{id}"), Some(&client.token), body).await,
            );
        }
    }
    assert!(world.server.clients().get("stored").await.unwrap().is_some());
}

#[tokio::test]
async fn dc_13_what_is_stored_is_no_use_to_whoever_reads_it() {
    let clock = clock();
    let store = DumpStore::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world =
        over(store.clone(), clock, |builder| builder.dynamic_registration(DynamicRegistration::open()));
    let confidential = metadata(json!({"token_endpoint_auth_method": "client_secret_post"}));
    let client = Registered::of(&register(&world, confidential).await);
    let body =
        client.with(json!({"token_endpoint_auth_method": "client_secret_post", "client_name": "Other"}));
    assert_eq!(client.update(&world, body).await.status, 200);
    let (dump, secret) = (store.text(), client.secret.expect("a secret"));
    assert!(dump.contains(&client.id) && dump.contains("Other"), "the dump is of the client");
    let raw = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for kept in [&client.token, &secret] {
        let bare = kept.split_once('_').expect("a prefix").1;
        // Also without its ends: key id and client id may be known.
        for part in [bare, &bare[12..40]] {
            assert!(!dump.contains(part) && !dump.contains(&raw(part)), "{part}");
        }
    }
}

#[tokio::test]
async fn dc_20_a_deleted_client_leaves_nothing_that_works() {
    let clock = clock();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world =
        over(memory.clone(), clock, |builder| builder.dynamic_registration(DynamicRegistration::open()));
    let (client, other) = (registered(&world).await, registered(&world).await);
    let (tokens, kept) = (client.tokens(&world).await, other.tokens(&world).await);
    let code = client.code(&world).await;
    let mut browser = Browser::signed_in("bob");
    let page = browser.authorize(&world, client.query()).await;

    let reply = client.delete(&world).await;
    assert_eq!((reply.status, &*reply.body), (204, ""), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    for gone in [client.redeem(&world, &code).await, client.refresh(&world, &tokens.refresh).await] {
        assert_json(&gone, 401, "invalid_client");
    }
    assert_inactive(&world.introspect("rs1", &tokens.access).await);
    attack_tests::assert_page(&Browser::signed_in("alice").authorize(&world, client.query()).await);
    attack_tests::assert_page(&browser.decide(&world, &page, "approve").await);
    for reply in [client.read(&world).await, client.delete(&world).await] {
        assert_no_such(&reply);
    }
    let grants = world.server.grants().list(Index::Client(&client.id)).await.unwrap();
    assert!(grants.iter().all(|grant| !grant.live), "{grants:?}");
    // The other is untouched, and of the deleted one no row remains.
    assert!(world.is_active(&kept.access).await);
    assert_eq!(other.delete(&world).await.status, 204);
    world.clock.advance(400 * DAY);
    let purged = world.server.store().purge(world.server.now(), 1000).await.unwrap();
    assert!(!purged.more && memory.is_empty(), "{memory:?}");
}

#[tokio::test]
async fn a_registration_is_read_and_replaced() {
    let world = world();
    let reply =
        register(&world, metadata(json!({"client_uri": "https://mcp.example", "logo_uri": ""}))).await;
    let client = Registered::of(&reply);
    assert_eq!(reply.json().get("logo_uri"), None);
    assert_eq!(client.read(&world).await.json(), reply.json(), "what was told before");

    let updated =
        client.update(&world, client.with(json!({"client_name": "Renamed", "grant_types": null}))).await;
    assert_eq!(updated.status, 200, "{updated:?}");
    assert_eq!((&*updated.text("client_name"), updated.json().get("client_uri")), ("Renamed", None));
    assert_eq!(
        updated.text("registration_access_token"),
        client.token,
        "a lost answer can be asked for again"
    );
    assert_eq!(client.read(&world).await.json(), updated.json());
    assert_eq!(client.update(&world, client.with(json!({"client_name": "Again"}))).await.status, 200);
    for changes in [json!({"redirect_uris": []}), json!({"redirect_uris": ["javascript:x"]})] {
        assert_json(&client.update(&world, client.with(changes)).await, 400, "invalid_redirect_uri");
    }
    assert_json(&client.update(&world, metadata(json!({}))).await, 400, "invalid_client_metadata");
    assert_eq!(client.read(&world).await.text("client_name"), "Again", "a refused update changes nothing");
}

#[tokio::test]
async fn a_secret_that_expires_is_followed_by_another() {
    let world = with(|registration| registration.secret_lifetime(7 * DAY));
    let changes = json!({"token_endpoint_auth_method": "client_secret_post"});
    let reply = register(&world, metadata(changes.clone())).await;
    let client = Registered::of(&reply);
    assert_eq!(reply.json()["client_secret_expires_at"], START + 7 * 24 * 3600);
    let first = client.secret.clone().unwrap();
    let works = async |secret: &str| {
        let form = format!("client_id={}&client_secret={}&token=x", client.id, encode(secret));
        world.post("/revoke", &[], &form).await.status == 200
    };
    // A sign-in, so that the registration outlives its secret.
    client.code(&world).await;
    world.clock.advance(5 * DAY);
    let updated = client.update(&world, client.with(changes.clone())).await;
    let second = updated.text("client_secret");
    assert!(works(&first).await && works(&second).await && first != second);
    world.clock.advance(3 * DAY);
    assert!(!works(&first).await && works(&second).await);
    world.clock.advance(30 * DAY);
    assert!(!works(&second).await);
    let third = client.update(&world, client.with(changes)).await.text("client_secret");
    assert!(works(&third).await);
}
