//! Detours, seals, paths and requests that are not what they seem.

use super::*;

#[tokio::test]
async fn a_hidden_way_back_makes_no_loop() {
    let world = World::new();
    for hidden in ["%72esume=x", "resum%65=", "resume=x&%72%65%73%75%6D%65=y"] {
        let mut alice = Browser::signed_in("alice");
        let query = format!("{}&{hidden}", Query::of("web").set("prompt", "login"));
        let return_to = alice.authorize(&world, query).await.param("return_to").unwrap();
        world.clock.advance(Duration::from_secs(10));
        alice.authenticated_at = Some(world.server.now().as_secs());
        assert_eq!(alice.get(&world, &return_to).await.status, 200, "{hidden}: {return_to}");
    }
}

#[tokio::test]
async fn a_way_back_is_good_for_its_request_only() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let query = Query::of("web").set("prompt", "login");
    let detour = alice.authorize(&world, &query).await;
    let resume = detour.param("return_to").unwrap().split_once("resume=").unwrap().1.to_owned();
    world.clock.advance(Duration::from_secs(10));
    alice.authenticated_at = Some(START + 10);
    for other in [
        query.clone().set("client_id", "web2"),
        query.clone().set("scope", "read"),
        query.clone().set("state", "other"),
        query.clone().add("x", "y"),
        query.clone().set("prompt", "login consent"),
    ] {
        let reply = alice.authorize(&world, format!("{other}&resume={resume}")).await;
        assert!(reply.location().starts_with("/login?"), "{other}: {reply:?}");
    }
    // Twice, cut, or too old it is as if it were not there.
    for broken in [
        format!("resume={resume}&resume={resume}"),
        format!("resume={}", &resume[1..]),
        "resume=%00".into(),
        "resume=".into(),
    ] {
        let reply = alice.authorize(&world, format!("{query}&{broken}")).await;
        assert!(reply.status == 400 || reply.location().starts_with("/login?"), "{broken}: {reply:?}");
    }
    assert_eq!(alice.authorize(&world, format!("{query}&resume={resume}")).await.status, 200);
    world.clock.advance(Duration::from_secs(3601));
    let stale = alice.authorize(&world, format!("{query}&resume={resume}")).await;
    assert!(stale.location().starts_with("/login?"), "{stale:?}");
}

#[tokio::test]
async fn seals_and_handles_of_one_kind_are_none_of_another() {
    let world = World::with_pages();
    let mut alice = Browser::new();
    let detour = alice.authorize(&world, Query::of("web")).await;
    let return_to = detour.param("return_to").unwrap();
    let page = alice.get(&world, detour.location()).await;
    let form_token = page.field("form");
    let form = format!("form={}&username=alice&password=secret", encode(&form_token));
    let signed_in = alice.post(&world, "/sign-in", &form).await;
    let consent = alice.get(&world, signed_in.location()).await;
    let ticket = consent.field("ticket");
    let resume = signed_in.param("resume").unwrap();
    let session = alice.cookies["__Host-oauth-session"].clone();
    let sign_out = alice.get(&world, "/sign-out").await.field("form");
    for foreign in [&return_to, &form_token, &resume, &session, &sign_out] {
        assert_page(&alice.post(&world, "/authorize", &answer(foreign, "approve")).await);
    }
    for foreign in [&return_to, &ticket, &resume, &session, &sign_out] {
        let form = format!("form={}&username=bob&password=secret", encode(foreign));
        assert_page(&alice.post(&world, "/sign-in", &form).await);
    }
    for foreign in [&ticket, &form_token, &resume, &session] {
        let address = format!("/sign-in?return_to={}", encode(foreign));
        let mut other = Browser { cookies: alice.cookies.clone(), ..Browser::new() };
        other.cookies.remove("__Host-oauth-session");
        assert_eq!(other.get(&world, &address).await.status, 200, "shown without a way back");
    }
    let code = alice.decide(&world, &consent, "approve").await.code();
    let tokens = world.redeem("web", &code).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    for foreign in [&access, &refresh, &ticket, &resume, &session] {
        assert_json(&world.redeem("web", foreign).await, 400, "invalid_grant");
    }
    for foreign in [&access, &code, &ticket, &resume, &session] {
        assert_json(&world.refresh("web", foreign).await, 400, "invalid_grant");
    }
    for foreign in [&code, &ticket, &resume, &session] {
        assert!(!world.is_active(foreign).await);
    }
    // A prefix is a label: with another one the handle is forged.
    let body = |handle: &str| handle.split_once('_').unwrap().1.to_owned();
    let prefix = |handle: &str| handle.split_once('_').unwrap().0.to_owned();
    for (label, handle) in [(&access, &refresh), (&refresh, &access), (&refresh, &code), (&access, &code)] {
        let spliced = format!("{}_{}", prefix(label), body(handle));
        assert!(!world.is_active(&spliced).await);
        assert_json(&world.refresh("web", &spliced).await, 400, "invalid_grant");
    }
    assert!(world.is_active(&access).await, "and none of this has ended anything");
}

#[tokio::test]
async fn names_that_only_look_like_an_endpoint_reach_the_app() {
    let world = World::new();
    let credentials = basic("m2m", &secret("m2m"));
    let form = "grant_type=client_credentials";
    for path in [
        "/token/",
        "/TOKEN",
        "/%74oken",
        "/token;x",
        "/./token",
        "//token",
        "/x/../token",
        "/token%20",
        "/token%00",
        "/authorize/token",
        "/token.",
    ] {
        let reply = world.post(path, &[("authorization", &credentials)], form).await;
        assert!(reply.is_from_app(), "{path}: {reply:?}");
    }
    assert!(world.grants("m2m").await.is_empty());
    // An absolute target names another host; the path alone decides.
    let socket = Socket::open(&world).await;
    let answer = socket
        .send("GET http://evil.example/.well-known/oauth-authorization-server HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")
        .await;
    assert!(answer.contains("\"issuer\":\"https://as.example\"") && !answer.contains("evil"), "{answer}");
}

#[tokio::test]
async fn other_separators_and_encoded_names_hide_nothing() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let query = Query::of("web").to_string();
    // A semicolon separates nothing; an encoded name is the same name.
    assert_refused(&alice.authorize(&world, query.replace('&', ";")).await, 400);
    assert_refused(
        &alice.authorize(&world, format!("{query}&redirect%5Furi=https://evil.example")).await,
        400,
    );
    assert_refused(&alice.authorize(&world, format!("%63lient_id=web2&{query}")).await, 400);
    let twice = alice.authorize(&world, format!("{query}&st%61te=other")).await;
    assert_redirect(&twice, APP, "invalid_request", None);
    // A fragment, a second question mark and a byte order mark are text.
    let marked = alice.authorize(&world, format!("?{query}")).await;
    assert_redirect(&marked, APP, "invalid_request", Some("s-1"));
    let code = world.code("web2").await;
    for form in [
        World::redemption(&code).replace('&', ";"),
        format!("\u{feff}{}", World::redemption(&code)),
        format!("{}#", World::redemption(&code)),
        format!("{}\r\n", World::redemption(&code)),
        World::redemption(&code).replace('=', "%3D"),
    ] {
        let reply = world.token("web2", &form).await;
        assert_eq!(reply.status, 400, "{form:?}: {reply:?}");
    }
    assert_eq!(world.redeem("web2", &code).await.status, 200);
}

#[tokio::test]
async fn a_smuggled_request_is_none() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    let credentials = basic("m2m", &secret("m2m"));
    let hidden = format!(
        "POST /token HTTP/1.1\r\nhost: x\r\nauthorization: {credentials}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 29\r\n\r\ngrant_type=client_credentials"
    );
    for head in [
        "content-length: 5\r\ncontent-length: 200\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
        "content-length: 0x10\r\n",
        "content-length: +5\r\n",
    ] {
        let outer = format!(
            "POST /revoke HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n{head}\r\n0\r\n\r\n{hidden}"
        );
        let answer = socket.send(outer).await;
        assert!(
            answer.matches("HTTP/1.1 ").count() <= 1 && !answer.contains("access_token"),
            "{head}: {answer}"
        );
    }
    assert!(world.grants("m2m").await.is_empty());
}

#[tokio::test]
async fn a_code_does_not_travel_between_two_servers_of_one_store() {
    use oauth_core::clock::{ManualClock, Timestamp};
    use oauth_core::handle::KeyRing;
    use oauth_core::secret::SeededRandom;
    use oauth_storage_memory::MemoryStore;
    // Two tenants that share the store, the ring and the client.
    let (store, clock) = (MemoryStore::new(), ManualClock::new(Timestamp::from_secs(START)));
    let ring = || KeyRing::generate(&SeededRandom::new(7));
    let here = World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring()));
    let layer = {
        let client = Client::confidential("web", &oauth_core::client::ClientSecret::from_text(secret("web")))
            .redirect_uri(APP)
            .scope("read write");
        let server = oauth_core::server::Server::builder("https://other.example", store)
            .clock(clock.clone())
            .key_ring(ring())
            .client(client)
            .build()
            .unwrap();
        (server.clone(), oauth_tower::server::AuthorizationServerLayer::new(server))
    };
    let there = World::mounted(layer.0, clock, layer.1);
    let code = here.code("web").await;
    assert_json(&there.redeem("web", &code).await, 400, "invalid_grant");
    let tokens = here.redeem("web", &code).await;
    assert_json(&there.redeem("web", &code).await, 400, "invalid_grant");
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    assert_json(&there.refresh("web", &refresh).await, 400, "invalid_grant");
    let reply = there.post_as("web", "/introspect", &format!("token={access}")).await;
    assert_eq!(reply.body, r#"{"active":false}"#);
    assert_eq!(there.post_as("web", "/revoke", &format!("token={refresh}")).await.status, 200);
    assert!(here.is_active(&access).await, "the other could not revoke it");
    assert_eq!(here.refresh("web", &refresh).await.status, 200);
}

#[tokio::test]
async fn two_verifiers_two_codes_none_crossed() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMx";
    let challenge = {
        use base64::Engine as _;
        let digest = oauth_core::pkce::Challenge::of_verifier(other);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.as_bytes())
    };
    let mine = alice.approve(&world, Query::of("spa")).await.code();
    let theirs = alice.approve(&world, Query::of("spa").set("code_challenge", &challenge)).await.code();
    assert_ne!(mine, theirs);
    // Code injection: the attacker's code in the victim's client, and the other way round.
    let form = |code: &str, verifier: &str| {
        format!("grant_type=authorization_code&code={code}&code_verifier={verifier}")
    };
    assert_json(&world.token("spa", &form(&theirs, VERIFIER)).await, 400, "invalid_grant");
    assert_json(&world.token("spa", &form(&mine, other)).await, 400, "invalid_grant");
    assert_eq!(world.token("spa", &form(&theirs, other)).await.status, 200);
    assert_eq!(world.token("spa", &form(&mine, VERIFIER)).await.status, 200);
}

/// Whatever comes, it is answered, never with a failure of the server, and leads nowhere but to the client.
#[tokio::test]
async fn random_requests_are_answered() {
    let world = World::new();
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let names = [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "resource",
        "resume",
        "login_hint",
        "grant_type",
        "code",
        "code_verifier",
        "refresh_token",
        "client_secret",
        "token",
        "ticket",
        "decision",
    ];
    let values = [
        "web",
        "spa",
        "m2m",
        "https%3A%2F%2Fapp.example%2Fcb",
        "code",
        "S256",
        "none",
        "login",
        "-1",
        "0",
        "%00",
        "%ff",
        "%",
        "",
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "%E2%82%AC",
        "approve",
        "https://evil.example",
        "read",
        "+",
        VERIFIER,
        attack_tests::CHALLENGE,
    ];
    let (mut redirects, mut pages, mut answers) = (0, 0, 0);
    for _ in 0..3000 {
        let mut query = if next(2) == 0 { Query::of("web") } else { Query::of("spa") };
        for _ in 0..next(4) {
            let (name, value) = (names[next(names.len())], values[next(values.len())]);
            query = if next(3) == 0 { query.without(name) } else { query.set_raw(name, value) };
        }
        let mut browser = if next(2) == 0 { Browser::new() } else { Browser::signed_in("alice") };
        let reply = browser.authorize(&world, &query).await;
        match reply.status {
            303 => {
                redirects += 1;
                let to = reply.location();
                let known = ["https://app.example/cb?", "https://spa.example/cb?", "/login?return_to="];
                assert!(known.iter().any(|known| to.starts_with(known)), "{query}: {to}");
            }
            200 => assert!(reply.body.contains("name=\"ticket\""), "{query}"),
            _ => {
                pages += 1;
                assert_page(&reply);
            }
        }
        let path = ["/token", "/revoke", "/introspect"][next(3)];
        let client = ["web", "spa", "m2m", "rs1"][next(4)];
        let reply = world.post_as(client, path, &query.to_string()).await;
        assert!(reply.status < 500, "{query}: {reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{query}");
        answers += usize::from(reply.status != 200);
    }
    assert!(redirects > 200 && pages > 200 && answers > 1000, "{redirects} {pages} {answers}");
}
