//! What a code is bound to, and for how long it is good.

use super::*;

#[tokio::test]
async fn ac_13_a_code_lives_for_sixty_seconds() {
    for (millis, works) in [(59_000, true), (59_999, true), (60_000, false), (61_000, false)] {
        let world = World::new();
        let code = world.code("web").await;
        world.clock.advance(Duration::from_millis(millis));
        let reply = world.redeem("web", &code).await;
        if works {
            assert_eq!(reply.status, 200, "{millis}");
        } else {
            assert_json(&reply, 400, "invalid_grant");
        }
    }
    let long = Server::builder("https://as.example", MemoryStore::new())
        .code_lifetime(Duration::from_secs(601))
        .build();
    assert!(long.is_err(), "a code must not live for more than ten minutes");
}

fn late(id: &str) -> oauth_core::client::ClientBuilder {
    Client::confidential(id, &ClientSecret::from_text(secret(id)))
        .redirect_uri(attack_tests::APP)
        .scope("read write")
        .resource(API1)
}

#[tokio::test]
async fn ac_20_a_client_that_changes_between_approval_and_redemption() {
    let world = World::new();
    let put = async |client: oauth_core::client::ClientBuilder| {
        world.server.clients().put(client.build().expect("a client")).await.expect("stores");
    };
    put(late("late")).await;
    let code = world.code("late").await;
    put(late("late").grant_types(["client_credentials"])).await;
    assert_json(&world.redeem("late", &code).await, 400, "unauthorized_client");

    let moved = Client::confidential("late", &ClientSecret::from_text(secret("late")))
        .redirect_uri("https://app.example/new")
        .scope("read write");
    put(moved).await;
    assert_json(&world.redeem("late", &code).await, 400, "invalid_grant");

    put(late("late")).await;
    let other = ClientSecret::from_text("another-secret-that-is-long-enough");
    put(Client::confidential("late", &other).redirect_uri(attack_tests::APP)).await;
    assert_json(&world.redeem("late", &code).await, 401, "invalid_client");

    // Put back as it was, the code has not been consumed by any of it.
    put(late("late")).await;
    let tokens = Tokens::of(&world.redeem("late", &code).await);

    let code = world.code("late").await;
    assert_eq!(world.server.clients().disable("late").await.expect("disables"), Some(2));
    assert_json(&world.redeem("late", &code).await, 401, "invalid_client");
    assert!(!world.is_active(&tokens.access).await);
    put(late("late")).await;
    assert_json(&world.redeem("late", &code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn ac_21_scope_cannot_be_smuggled_into_the_token_request() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("scope", "read")).await;
    for scope in ["admin", "write", "read write", "read admin"] {
        let form = format!("{}&scope={}", World::redemption(&code), encode(scope));
        assert_json(&world.token("web", &form).await, 400, "invalid_scope");
    }
    let reply = world.redeem("web", &code).await;
    assert_eq!((reply.status, &*reply.text("scope")), (200, "read"));
}

#[tokio::test]
async fn ac_22_a_wrong_resource_does_not_burn_the_code() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("resource", API1)).await;
    for resource in ["https://unknown.example", "https://api2.example", "https://api1.example.evil", "x"] {
        let form = format!("{}&resource={}", World::redemption(&code), encode(resource));
        assert_json(&world.token("web", &form).await, 400, "invalid_target");
    }
    let form = format!("{}&resource={}", World::redemption(&code), encode(API1));
    assert_eq!(world.token("web", &form).await.status, 200);
}

#[tokio::test]
async fn ac_23_a_stolen_code_is_worth_nothing_and_costs_nothing() {
    let world = World::new();
    let code = world.code("spa").await;
    for verifier in ["", VERIFIER.to_uppercase().as_str(), &VERIFIER[1..], attack_tests::CHALLENGE] {
        let form = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}");
        assert_json(&world.token("spa", &form).await, 400, "invalid_grant");
    }
    // Who only has seen the code cannot end it either, before or after it is used.
    assert_eq!(world.revoke("spa", &code).await.status, 200);
    let tokens = Tokens::of(&world.redeem("spa", &code).await);
    assert_eq!(world.revoke("spa", &code).await.status, 200);
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn ac_24_one_approval_gives_one_code() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let first = browser.decide(&world, &page, "approve").await;
    let second = browser.decide(&world, &page, "approve").await;
    assert_eq!(first.location(), second.location());
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert_eq!(grants.len(), 1);
    let tokens = Tokens::of(&world.redeem("web", &first.code()).await);
    assert_page(&browser.decide(&world, &page, "approve").await);
    assert_page(&browser.decide(&world, &page, "deny").await);
    world.assert_untouched("web", &tokens).await;
    world.clock.advance(Duration::from_secs(14 * 60));
    assert_page(&browser.decide(&world, &page, "approve").await);
}

#[tokio::test]
async fn ac_26_the_store_holds_no_code() {
    let clock = clock();
    let store = DumpStore::new(memory(&clock));
    let world = World::over(store.clone(), clock, |builder| builder);
    let (code, tokens) = world.redeemed("web").await;
    let dump = store.text();
    assert!(dump.contains("alice"), "the dump shows what is stored");
    for handle in [&code, &tokens.access, &tokens.refresh] {
        let secret = &handle[handle.len() - 64..];
        for at in 0..secret.len() - 12 {
            assert!(!dump.contains(&secret[at..at + 12]), "a part of a handle is stored");
        }
    }
    // Whatever text the dump offers is no code and no token.
    for word in
        dump.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').filter(|w| w.len() > 20)
    {
        let (prefix, _) = code.split_once('_').expect("a prefix");
        for guess in [word.to_owned(), format!("{prefix}_{word}")] {
            assert_json(&world.redeem("web", &guess).await, 400, "invalid_grant");
        }
    }
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn a_repeated_parameter_cannot_hide_a_second_code() {
    let world = World::new();
    let (mine, theirs) = (world.code("web").await, world.code("web").await);
    for form in [
        format!("{}&code={theirs}", World::redemption(&mine)),
        format!("{}&code=", World::redemption(&mine)),
        format!("{}&code_verifier={VERIFIER}", World::redemption(&mine)),
        format!("{}&grant_type=refresh_token", World::redemption(&mine)),
        format!("{}&redirect_uri=a&redirect_uri=a", World::redemption(&mine)),
        format!("{}&%63ode={theirs}", World::redemption(&mine)),
    ] {
        assert_json(&world.token("web", &form).await, 400, "invalid_request");
    }
    for code in [mine, theirs] {
        assert_eq!(world.redeem("web", &code).await.status, 200);
    }
}

#[tokio::test]
async fn the_code_is_bound_to_the_redirect_uri_when_it_is_sent() {
    let world = World::new();
    let code = world.code("cli").await;
    for uri in ["http://127.0.0.1/cb", "com.example.cli:/cb?x", "com.example.cli:/CB"] {
        let form = format!("{}&redirect_uri={}", World::redemption(&code), encode(uri));
        assert_json(&world.token("cli", &form).await, 400, "invalid_grant");
    }
    let form = format!("{}&redirect_uri={}", World::redemption(&code), encode("com.example.cli:/cb"));
    assert_eq!(world.token("cli", &form).await.status, 200);
}

#[tokio::test]
async fn two_mounts_of_a_server_share_what_is_spent() {
    // A code from one mount cannot be spent a second time through another mount of the same server.
    let world = World::new();
    let other = World::mounted(world.server.clone(), world.clock.clone(), world.layer.clone());
    let (code, tokens) = world.redeemed("web").await;
    assert_json(&other.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &tokens).await;
}
