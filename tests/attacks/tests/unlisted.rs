//! Attacks that no list names: they play the server's own devices off against each other.

use std::time::Duration;

use attack_tests::{
    APP, Browser, Query, START, Socket, VERIFIER, World, assert_json, assert_page, assert_redirect,
    assert_refused, basic, encode, secret,
};
use http::Method;
use oauth_core::client::Client;
use oauth_core::storage::Index;

fn answer(ticket: &str, decision: &str) -> String {
    format!("ticket={}&decision={decision}", encode(ticket))
}

#[tokio::test]
async fn a_ticket_with_any_byte_changed_is_refused() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let ticket = alice.authorize(&world, Query::of("web")).await.field("ticket");
    for at in 0..ticket.len() {
        let mut bytes = ticket.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_page(&alice.post(&world, "/authorize", &answer(&changed, "approve")).await);
    }
    for changed in [
        &ticket[1..],
        &ticket[..ticket.len() - 1],
        &format!("{ticket}A"),
        &format!("{ticket}="),
        &format!("{ticket}{ticket}"),
        &ticket.to_lowercase(),
    ] {
        assert_page(&alice.post(&world, "/authorize", &answer(changed, "approve")).await);
    }
    assert!(world.grants("web").await.is_empty());
    alice.post(&world, "/authorize", &answer(&ticket, "approve")).await.code();
}

#[tokio::test]
async fn a_ticket_is_worth_nothing_at_another_server() {
    let (here, there) = (World::new(), World::new());
    let mut alice = Browser::signed_in("alice");
    let ticket = alice.authorize(&here, Query::of("web")).await.field("ticket");
    assert_page(&alice.post(&there, "/authorize", &answer(&ticket, "approve")).await);
    assert!(there.grants("web").await.is_empty());
}

#[tokio::test]
async fn a_ticket_outlives_neither_its_page_nor_its_client() {
    let world = World::new();
    let client = || Client::public("brief").redirect_uri(APP).scope("read").build().unwrap();
    world.server.clients().put(client()).await.unwrap();
    let mut alice = Browser::signed_in("alice");
    let late = alice.authorize(&world, Query::of("brief")).await;
    world.clock.advance(Duration::from_secs(15 * 60));
    assert_refused(&alice.decide(&world, &late, "approve").await, 400);
    let orphan = alice.authorize(&world, Query::of("brief")).await;
    world.server.clients().disable("brief").await.unwrap();
    assert_refused(&alice.decide(&world, &orphan, "approve").await, 400);
    assert_refused(&alice.authorize(&world, Query::of("brief")).await, 400);
    assert!(world.grants("brief").await.is_empty());
}

#[tokio::test]
async fn what_the_page_said_is_what_is_allowed() {
    let world = World::new();
    let client = |scope: &str| Client::public("grows").redirect_uri(APP).scope(scope).build().unwrap();
    world.server.clients().put(client("read")).await.unwrap();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("grows")).await;
    world.server.clients().put(client("read write admin")).await.unwrap();
    assert_page(&alice.decide(&world, &page, "approve").await);
    assert!(world.grants("grows").await.is_empty(), "the page did not speak of write and admin");
}

#[tokio::test]
async fn each_field_of_the_answer_counts_once() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let ticket = alice.authorize(&world, Query::of("web")).await.field("ticket");
    let good = answer(&ticket, "approve");
    for form in [
        format!("{good}&decision=deny"),
        format!("{good}&decision=approve"),
        format!("{good}&ticket={}", encode(&ticket)),
        format!("{good}&ticket="),
        good.replace("decision=approve", "decision=APPROVE"),
        good.replace("decision=approve", "decision="),
        good.replace("decision=approve", ""),
        good.replace("ticket=", "Ticket="),
        good.replace('&', ";"),
        format!("{good}%00"),
        format!("{good}&x=%ff"),
    ] {
        assert_refused(&alice.post(&world, "/authorize", &form).await, 400);
    }
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn the_chosen_scope_is_a_part_of_what_was_asked() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web").set("scope", "read write")).await;
    let form = answer(&page.field("ticket"), "approve");
    for chosen in
        ["scope=admin", "scope=read&scope=admin", "scope=", "scope=read++write", "scope=%22", "scope=READ"]
    {
        assert_refused(&alice.post(&world, "/authorize", &format!("{form}&{chosen}")).await, 400);
    }
    assert!(world.grants("web").await.is_empty());
    let reply = alice.post(&world, "/authorize", &format!("{form}&scope=&scope=read")).await;
    let tokens = world.redeem("web", &reply.code()).await;
    assert_eq!(tokens.text("scope"), "read");
    let wider = format!("{}&scope=read+write", World::refreshment(&tokens.text("refresh_token")));
    assert_json(&world.token("web", &wider).await, 400, "invalid_scope");
}

#[tokio::test]
async fn a_page_is_answered_once() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let first = alice.decide(&world, &page, "approve").await.code();
    assert_eq!(alice.decide(&world, &page, "approve").await.code(), first, "a double click");
    assert_refused(&alice.decide(&world, &page, "deny").await, 409);
    let token = world.redeem("web", &first).await.text("access_token");
    assert_refused(&alice.decide(&world, &page, "approve").await, 409);
    assert!(world.is_active(&token).await, "a reload revokes nothing");
    assert_eq!(world.grants("web").await, ["active"]);
    // Nor does it come back after what was allowed has been taken away.
    world.server.grants().revoke_all(Index::Subject("alice")).await.unwrap();
    assert_refused(&alice.decide(&world, &page, "approve").await, 409);
    assert!(!world.is_active(&token).await);
}

#[tokio::test]
async fn an_open_page_does_not_outlive_signing_out_everywhere() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    world.server.grants().revoke_all(Index::Subject("alice")).await.unwrap();
    let reply = alice.decide(&world, &page, "approve").await;
    assert_redirect(&reply, APP, "access_denied", Some("s-1"));
    assert!(!world.grants("web").await.contains(&"approved"));
}

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
async fn prompt_none_never_asks_and_never_issues_by_itself() {
    let world = World::new();
    let none = |client: &str| Query::of(client).set("prompt", "none");
    let mut alice = Browser::signed_in("alice");
    for (mut browser, error) in [(Browser::new(), "login_required"), (alice.clone(), "consent_required")] {
        for query in [none("web"), none("web").set("scope", ""), none("web").set("max_age", "4294967295")] {
            assert_redirect(&browser.authorize(&world, query).await, APP, error, Some("s-1"));
        }
        for prompt in ["none login", "login none", "none none ", "NONE", "none,login", "none consent"] {
            let query = Query::of("web").set("prompt", prompt);
            assert_redirect(&browser.authorize(&world, query).await, APP, "invalid_request", Some("s-1"));
        }
    }
    let old = none("web").set("max_age", "0");
    assert_redirect(&alice.authorize(&world, old).await, APP, "login_required", Some("s-1"));
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn a_host_that_cannot_say_who_is_there_sends_nobody_anywhere() {
    let world = World::new();
    let mut down = Browser::signed_in("down");
    for query in [Query::of("web"), Query::of("web").set("prompt", "none")] {
        let reply = down.authorize(&world, query).await;
        assert_eq!((reply.status, reply.header("location")), (503, None), "{reply:?}");
        assert!(reply.header("retry-after").is_some() && !reply.body.contains("session store"), "{reply:?}");
    }
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let mut down = Browser { user: Some("down".into()), ..alice.clone() };
    assert_eq!(down.decide(&world, &page, "approve").await.status, 503);
    assert!(world.grants("web").await.is_empty());
    alice.decide(&world, &page, "approve").await.code();
}

#[tokio::test]
async fn a_subject_that_cannot_be_one_gets_no_page() {
    let world = World::new();
    for subject in ["", &"x".repeat(256)] {
        let reply = Browser::signed_in(subject).authorize(&world, Query::of("web")).await;
        assert_eq!((reply.status, reply.header("location")), (500, None), "{reply:?}");
    }
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
async fn nobody_but_the_owner_of_the_page_denies_it() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let deny = answer(&page.field("ticket"), "deny");
    let mut bob = Browser::signed_in("bob");
    bob.authorize(&world, Query::of("web")).await;
    for mut other in [bob, Browser::new(), Browser::signed_in("alice")] {
        assert_refused(&other.post(&world, "/authorize", &deny).await, 403);
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let form = Some("application/x-www-form-urlencoded");
        assert_refused(&alice.send(&world, method, "/authorize", form, &deny).await, 405);
    }
    assert_redirect(&alice.post(&world, "/authorize", &deny).await, APP, "access_denied", Some("s-1"));
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
