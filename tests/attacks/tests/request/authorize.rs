//! What is asked of the authorization endpoint.

use super::*;

#[tokio::test]
async fn rp_01_missing_response_type() {
    let world = World::new();
    for query in [Query::of("web").without("response_type"), Query::of("web").set("response_type", "")] {
        assert_redirect(&ask(&world, &query).await, APP, "invalid_request", Some("s-1"));
    }
}

#[tokio::test]
async fn rp_02_implicit_and_other_response_types() {
    let world = World::new();
    for response_type in [
        "token",
        "id_token token",
        "code token",
        "id_token",
        "CODE",
        "code ",
        " code",
        "none",
        "code code",
        "code\u{a0}",
    ] {
        let reply = ask(&world, &Query::of("web").set("response_type", response_type)).await;
        assert_redirect(&reply, APP, "unsupported_response_type", Some("s-1"));
    }
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn rp_03_duplicate_parameters() {
    let world = World::new();
    for (name, value) in [
        ("scope", "read"),
        ("nonce", "n"),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("prompt", "none"),
        ("max_age", "9"),
    ] {
        let query = Query::of("web").without(name).add(name, value).add(name, value);
        assert_redirect(&ask(&world, &query).await, APP, "invalid_request", Some("s-1"));
    }
    let challenge = Query::of("web").add("code_challenge", "x");
    assert_redirect(&ask(&world, &challenge).await, APP, "invalid_request", Some("s-1"));
    for other in ["other", "s-1", ""] {
        let reply = ask(&world, &Query::of("web").add("state", other)).await;
        assert_redirect(&reply, APP, "invalid_request", None);
    }
    for name in ["client_id", "redirect_uri"] {
        let value = if name == "client_id" { "web" } else { APP };
        assert_refused(&ask(&world, &Query::of("web").add(name, value)).await, 400);
    }
    // Only a resource may be repeated (RFC 8707).
    let resources = Query::of("web").add("resource", API1).add("resource", "https://api2.example");
    assert_eq!(ask(&world, &resources).await.status, 200);
}

#[tokio::test]
async fn rp_13_template_and_expression_injection() {
    let name = "<img src=x onerror=alert(1)>{{7*7}}${7*7}";
    let scope = "${T(java.lang.Runtime)} {{7*7}} <script>alert(1)</script> '><b>";
    let client = || Client::public("odd").name(name).redirect_uri(APP).scope(scope);
    let world = World::with(|builder| builder.client(client()));
    let pages = World::with_pages();
    pages.server.clients().put(client().build().unwrap()).await.unwrap();
    let query = Query::of("odd").set("state", "\"><script>alert(1)</script>").set("login_hint", "<script>");
    let mut signed_in = Browser::new();
    let detour = signed_in.authorize(&pages, &query).await;
    let page = signed_in.get(&pages, detour.location()).await;
    assert!(page.body.contains("&#60;script&#62;") || page.body.contains("&lt;script&gt;"), "{page:?}");
    let form = format!("form={}&username=alice&password=secret", encode(&page.field("form")));
    let back = signed_in.post(&pages, "/sign-in", &form).await;
    let designed = signed_in.get(&pages, back.location()).await;
    for page in [ask(&world, &query).await, page, designed.clone()] {
        assert_eq!(page.status, 200, "{page:?}");
        let body = page.body.to_ascii_lowercase();
        for never in ["<script", "<img", "<b>", "49</", "java.lang.runtime)} 49"] {
            assert!(!body.contains(never), "{never}: {body}");
        }
        assert!(body.contains("{{7*7}}") && body.contains("${7*7}"), "shown as it is: {body}");
    }
    assert!(designed.body.contains("${T(java.lang.Runtime)}"), "{designed:?}");
    let reply = ask(&world, &query.set("scope", "{{7*7}} <x>")).await;
    assert_redirect(&reply, APP, "invalid_scope", Some("\"><script>alert(1)</script>"));
}

#[tokio::test]
async fn rp_14_error_pages_reflect_nothing() {
    let hostile = "error=%3Cscript%3E&error_hint=%3Cscript%3Ealert(1)%3C/script%3E&error_uri=javascript:1&error_description=evil";
    for world in [World::new(), World::with_pages()] {
        // There is no page that shows what its address says.
        assert!(world.get(&format!("/error?{hostile}")).await.is_from_app());
        for query in [
            hostile.to_owned(),
            format!("{hostile}&client_id=%3Cscript%3Eevil"),
            format!("{}&{hostile}", Query::of("web").set("redirect_uri", "https://evil.example/<script>")),
        ] {
            let reply = world.get(&format!("/authorize?{query}")).await;
            assert_refused(&reply, 400);
            for never in ["&lt;script", "&#60;script", "href=\"http"] {
                assert!(!reply.body.contains(never), "{reply:?}");
            }
        }
    }
}

#[tokio::test]
async fn rp_15_long_state_and_nonce() {
    let world = World::new();
    for length in [1000, 4096] {
        let state = "s".repeat(length);
        let query = Query::of("web").set("state", &state).set("nonce", &"n".repeat(64));
        let reply = Browser::signed_in("alice").approve(&world, query).await;
        assert_eq!(reply.param("state"), Some(state));
    }
    let reply = ask(&world, &Query::of("web").set("state", &"s".repeat(4097))).await;
    assert_redirect(&reply, APP, "invalid_request", None);
    let reply = ask(&world, &Query::of("web").set("nonce", &"n".repeat(513))).await;
    assert_redirect(&reply, APP, "invalid_request", Some("s-1"));
    let megabyte = format!("/authorize?{}", Query::of("web").set("state", &"s".repeat(1 << 20)));
    let socket = Socket::open(&world).await;
    let answer = socket.get(megabyte).await;
    let refused = ["HTTP/1.1 414 ", "HTTP/1.1 431 "].iter().any(|status| answer.starts_with(status));
    assert!(refused || answer.is_empty(), "{answer}");
    assert!(world.grants("web").await.len() == 2);
}

#[tokio::test]
async fn rp_24_head_does_nothing() {
    let own = Client::public("own").redirect_uri(APP).first_party();
    let world = World::with(|builder| builder.client(own));
    let mut browser = Browser::signed_in("alice");
    let uri = format!("/authorize?{}", Query::of("own"));
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::TRACE, Method::PATCH] {
        let reply = browser.send(&world, method, &uri, None, "").await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST, OPTIONS")));
        assert_eq!(reply.header("location"), None);
        assert!(world.grants("own").await.is_empty());
    }
    browser.get(&world, &uri).await.code();
    assert_eq!(world.grants("own").await, ["approved"], "a GET would have");
}

#[tokio::test]
async fn rp_30_scope_syntax_unknown_and_not_allowed() {
    let world = World::new();
    for raw in [
        "a%22b",
        "a%5Cb",
        "%C3%A9",
        "admin",
        "%20%20a",
        "+read",
        "read+",
        "read++write",
        "read,write",
        "READ",
        "read+admin",
    ] {
        let reply = ask(&world, &Query::of("web").set_raw("scope", raw)).await;
        assert_redirect(&reply, APP, "invalid_scope", Some("s-1"));
        assert_json(&world.token("m2m", &format!("{GRANT}&scope={raw}")).await, 400, "invalid_scope");
    }
    assert!(world.grants("m2m").await.is_empty());
}

#[tokio::test]
async fn rp_33_max_age_abuse() {
    let world = World::new();
    for max_age in ["-1", "abc", "99999999999999999999", "4294967296", "+1", " 1", "1.5", "0x1", "١"] {
        let reply = ask(&world, &Query::of("web").set("max_age", max_age)).await;
        assert_redirect(&reply, APP, "invalid_request", Some("s-1"));
    }
    assert_eq!(ask(&world, &Query::of("web").set("max_age", "4294967295")).await.status, 200);
    // 0 asks for a new authentication, and its time is told.
    let mut browser = Browser::signed_in("alice");
    let detour = browser.authorize(&world, Query::of("web").set("max_age", "0")).await;
    let return_to = detour.param("return_to").expect("a way back");
    assert!(detour.location().starts_with("/login?"), "{detour:?}");
    // Coming back without having done so does not help.
    world.clock.advance(std::time::Duration::from_secs(10));
    browser.authenticated_at = Some(attack_tests::START - 1);
    assert!(browser.get(&world, &return_to).await.location().starts_with("/login?"));
    browser.authenticated_at = Some(attack_tests::START + 10);
    let page = browser.get(&world, &return_to).await;
    let code = browser.decide(&world, &page, "approve").await.code();
    let token = world.redeem("web", &code).await.text("access_token");
    let active = world.post_as("rs1", "/introspect", &format!("token={token}")).await.json();
    assert_eq!(active["auth_time"], attack_tests::START + 10, "{active}");
}

#[tokio::test]
async fn rp_35_unknown_authorization_details() {
    let world = World::new();
    for details in [r#"[{"type":"x"}]"#, "[]", "{", &"[".repeat(2000)] {
        let reply = ask(&world, &Query::of("web").set("authorization_details", details)).await;
        assert_redirect(&reply, APP, "invalid_authorization_details", Some("s-1"));
    }
}

#[tokio::test]
async fn rp_37_request_and_request_uri() {
    let world = World::new();
    let (object, uri) = ("eyJhbGciOiJub25lIn0.e30.", "urn:ietf:params:oauth:request_uri:x");
    let query = Query::of("web");
    for (query, error) in [
        (query.clone().set("request", object).set("request_uri", uri), "invalid_request"),
        (query.clone().set("request", object), "request_not_supported"),
        (query.set("request_uri", uri), "request_uri_not_supported"),
    ] {
        assert_redirect(&ask(&world, &query).await, APP, error, Some("s-1"));
    }
    // Alone it names no redirect URI, and nothing is fetched to find one.
    let alone = format!("/authorize?client_id=cli&request_uri={}", encode("https://evil.example/x"));
    assert_refused(&world.get(&alone).await, 400);
}
