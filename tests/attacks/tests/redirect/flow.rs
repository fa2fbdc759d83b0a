//! Ways around the comparison: omission, repetition, other endpoints, later steps.

use super::*;

#[tokio::test]
async fn ru_35_several_registered_none_sent() {
    let world = World::new();
    for query in [Query::of("cli").without("redirect_uri"), Query::of("cli").set("redirect_uri", "")] {
        assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 400);
    }
    // With one it is implied, unless its port is not known.
    let one = Query::of("web").without("redirect_uri");
    assert!(Browser::signed_in("alice").approve(&world, one).await.location().starts_with(APP));
    let desk = with_client(Client::public("desk").redirect_uri("http://127.0.0.1/cb"));
    let query = Query::of("desk").without("redirect_uri");
    assert_refused(&Browser::signed_in("alice").authorize(&desk, query).await, 400);
}

#[tokio::test]
async fn ru_37_none_registered() {
    let world = World::new();
    for client in ["m2m", "rs1"] {
        refused_in(&world, client, &["https://evil.example", APP]).await;
        let none = Query::of(client).without("redirect_uri");
        assert_refused(&Browser::signed_in("alice").authorize(&world, none).await, 400);
    }
}

#[tokio::test]
async fn ru_38_relative_and_protocol_relative() {
    let uris = ["/cb", "//evil.example/cb", "cb", "https:cb", "?x", "//app.example/cb", "app.example/cb"];
    refused("web", &uris).await;
    for uri in uris {
        assert!(Client::public("new").redirect_uri(uri).build().is_err(), "{uri}");
    }
}

#[tokio::test]
async fn ru_39_redirect_uri_twice() {
    let world = World::new();
    for second in ["https://evil.example", APP, ""] {
        for query in [
            Query::of("web").add("redirect_uri", second),
            Query::of("web").without("redirect_uri").add("redirect_uri", second).add("redirect_uri", APP),
        ] {
            assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 400);
        }
    }
}

#[tokio::test]
async fn ru_41_prompt_none_open_redirect() {
    let world = World::new();
    let query = Query::of("web").set("prompt", "none");
    let evil = query.clone().set("redirect_uri", "https://evil.example");
    assert_refused(&Browser::new().authorize(&world, evil).await, 400);
    let reply = Browser::new().authorize(&world, query).await;
    assert_redirect(&reply, APP, "login_required", Some("s-1"));
}

#[tokio::test]
async fn ru_42_unknown_client() {
    let world = World::new();
    for (client, uri) in [("nope", "https://evil.example"), ("nope", APP), ("WEB", APP), ("web ", APP)] {
        let query = Query::of("web").set("client_id", client).set("redirect_uri", uri);
        let reply = Browser::signed_in("alice").authorize(&world, query).await;
        assert_refused(&reply, 400);
        assert!(reply.body.contains("not known here"), "{reply:?}");
    }
}

#[tokio::test]
async fn ru_43_get_validated_post_swapped() {
    let world = World::new();
    let swaps = "redirect_uri=https%3A%2F%2Fevil.example&client_id=web2&response_type=token&state=other\
                 &code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut browser = Browser::signed_in("alice");
    for place in ["form", "query"] {
        let page = browser.authorize(&world, Query::of("web").set("prompt", "consent")).await;
        let form = format!("ticket={}&decision=approve", encode(&page.field("ticket")));
        let reply = match place {
            "form" => browser.post(&world, "/authorize", &format!("{swaps}&{form}&{swaps}")).await,
            _ => browser.post(&world, &format!("/authorize?{swaps}"), &form).await,
        };
        assert!(reply.location().starts_with("https://app.example/cb?"), "{reply:?}");
        assert_eq!(reply.param("state").as_deref(), Some("s-1"));
        let redeemed = world.redeem("web", &reply.code()).await;
        assert_eq!(redeemed.text("scope"), "read write");
    }
    // The scope field narrows what was shown; it cannot widen it.
    let page =
        browser.authorize(&world, Query::of("web").set("scope", "read").set("prompt", "consent")).await;
    let form = format!("ticket={}&decision=approve&scope=read+write", encode(&page.field("ticket")));
    assert_refused(&browser.post(&world, "/authorize", &form).await, 400);
    assert!(world.grants("web2").await.is_empty());
}

#[tokio::test]
async fn ru_44_response_modes_do_not_bypass_the_check() {
    let world = World::new();
    for mode in
        ["form_post", "fragment", "jwt", "form_post.jwt", "query.jwt", "web_message", "QUERY", "nonsense"]
    {
        let query = Query::of("web").set("response_mode", mode);
        for mut browser in [Browser::new(), Browser::signed_in("alice")] {
            let evil = query.clone().set("redirect_uri", "https://evil.example/cb");
            assert_refused(&browser.authorize(&world, evil).await, 400);
            assert_redirect(&browser.authorize(&world, &query).await, APP, "invalid_request", Some("s-1"));
        }
    }
}

#[tokio::test]
async fn ru_45_token_request_with_another_redirect_uri() {
    let secret = ClientSecret::from_text(secret("two"));
    let two = Client::confidential("two", &secret).redirect_uri(APP).redirect_uri("https://app.example/cb2");
    let world = with_client(two);
    let code = world.code("two").await;
    let form = World::redemption(&code);
    for uri in [
        "https://app.example/cb2",
        "https://evil.example",
        "https://app.example/cb/",
        "https://app.example/CB",
    ] {
        let reply = world.token("two", &format!("{form}&redirect_uri={}", encode(uri))).await;
        assert_json(&reply, 400, "invalid_grant");
    }
    assert_eq!(world.grants("two").await, ["approved"]);
    assert_eq!(world.token("two", &format!("{form}&redirect_uri={}", encode(APP))).await.status, 200);
    // Here the port of the loopback may not differ either.
    let query = Query::of("cli").set("redirect_uri", "http://127.0.0.1:51004/cb");
    let form = World::redemption(&world.code_for(query).await);
    for uri in ["http://127.0.0.1:51005/cb", "http://127.0.0.1/cb", "http://[::1]:51004/cb"] {
        let reply = world.token("cli", &format!("{form}&redirect_uri={}", encode(uri))).await;
        assert_json(&reply, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn ru_46_token_request_without_redirect_uri() {
    let secret = ClientSecret::from_text(secret("legacy"));
    let world = with_client(Client::confidential("legacy", &secret).redirect_uri(APP).require_redirect_uri());
    assert_eq!(world.redeem("web", &world.code("web").await).await.status, 200);
    let code = world.code("legacy").await;
    let form = World::redemption(&code);
    assert_json(&world.token("legacy", &form).await, 400, "invalid_grant");
    assert_json(&world.token("legacy", &format!("{form}&redirect_uri=")).await, 400, "invalid_grant");
    assert_eq!(world.token("legacy", &format!("{form}&redirect_uri={}", encode(APP))).await.status, 200);
}

#[tokio::test]
async fn ru_47_oversize_uri() {
    let world = World::new();
    for length in [2049, 4000, 9000, 60_000] {
        let uri = format!("https://app.example/{}", "a".repeat(length));
        let query = Query::of("web").set("redirect_uri", &uri);
        assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 414);
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    unregistrable(&[&long], RedirectUriError::TooLong);
    let many = |count| {
        let client = (0..count).fold(Client::public("many"), |client, at| {
            client.redirect_uri(format!("https://app.example/{at}"))
        });
        client.build()
    };
    assert!(many(50).is_ok());
    assert_eq!(many(51), Err(ClientError::TooManyRedirectUris));
    assert_eq!(many(500), Err(ClientError::TooManyRedirectUris));
}

#[tokio::test]
async fn ru_48_a_post_is_followed_by_a_get() {
    let world = World::with_pages();
    let mut browser = Browser::new();
    let detour = browser.authorize(&world, Query::of("web")).await;
    assert_eq!(detour.status, 303);
    let page = browser.get(&world, detour.location()).await;
    let form = format!("form={}&username=alice&password=secret", encode(&page.field("form")));
    let signed_in = browser.post(&world, "/sign-in", &form).await;
    assert_eq!(signed_in.status, 303);
    let consent = browser.get(&world, signed_in.location()).await;
    let done = browser.decide(&world, &consent, "approve").await;
    assert_eq!(done.status, 303);
    done.code();
}

#[tokio::test]
async fn ru_50_return_to_after_signing_in() {
    let world = World::with_pages();
    for address in [
        "//evil.example",
        "/%5Cevil.example",
        "////evil.example",
        "https:evil.example",
        "/%2509/evil.example",
        "javascript:1",
        "https://evil.example",
        "/authorize",
        "%2Fauthorize%3Fclient_id%3Dweb",
    ] {
        let mut browser = Browser::new();
        let page = browser.get(&world, &format!("/sign-in?return_to={address}")).await;
        assert!(!page.body.contains("evil"), "{page:?}");
        let form = format!(
            "form={}&username=alice&password=secret&return_to={address}",
            encode(&page.field("form"))
        );
        let reply = browser.post(&world, &format!("/sign-in?return_to={address}"), &form).await;
        assert_eq!((reply.status, reply.location()), (303, "/sign-in"), "{address}");
    }
}

#[tokio::test]
async fn ru_51_paths_are_not_normalised_into_redirects() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    for target in [
        "//evil.example/",
        "/%2fevil.example/",
        "//evil.example/authorize",
        "/\\evil.example",
        "///token",
        "/authorize/",
        "/sign-in/",
    ] {
        let answer = socket.get(target).await;
        assert!(!answer.to_ascii_lowercase().contains("\r\nlocation"), "{target}: {answer}");
        assert!(
            answer.contains("x-inner: GET ") || answer.starts_with("HTTP/1.1 400 "),
            "{target}: {answer}"
        );
    }
    let alone = world.layer.clone().into_service();
    for uri in ["//evil.example/", "/%2fevil.example/", "//authorize"] {
        let request = Request::get(uri).body(Full::<Bytes>::default()).unwrap();
        let response = alone.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 404, "{uri}");
        assert!(response.headers().is_empty(), "{uri}");
    }
}

#[tokio::test]
async fn ru_52_redirect_uri_lost_between_page_and_answer() {
    let world = World::new();
    let registered = |uris: &[&str]| {
        uris.iter().fold(Client::public("moving"), |client, uri| client.redirect_uri(*uri)).build().unwrap()
    };
    world.server.clients().put(registered(&[APP, "https://app.example/new"])).await.unwrap();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("moving")).await;
    world.server.clients().put(registered(&["https://app.example/new"])).await.unwrap();
    assert_page(&browser.decide(&world, &page, "approve").await);
    assert_page(&browser.decide(&world, &page, "deny").await);
    assert!(world.grants("moving").await.is_empty());
    // Nor is a code worth anything that was on its way.
    world.server.clients().put(registered(&[APP])).await.unwrap();
    let code = world.code("moving").await;
    world.server.clients().put(registered(&["https://app.example/new"])).await.unwrap();
    let form = format!("client_id=moving&{}", World::redemption(&code));
    assert_json(&world.post("/token", &[], &form).await, 400, "invalid_grant");
}
