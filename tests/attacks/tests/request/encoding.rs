//! How a request is written down, at either endpoint.

use super::*;

#[tokio::test]
async fn rp_06_unknown_parameters_are_ignored() {
    let world = World::new();
    let unknown = [
        ("foo", "1"),
        ("foo", "2"),
        ("Client_Id", "evil"),
        ("code[]", "x"),
        ("REDIRECT_URI", "https://evil.example"),
        ("State", "x"),
        ("scope ", "admin"),
    ];
    let query = unknown.iter().fold(Query::of("web"), |query, (name, value)| query.add(name, value));
    let reply = Browser::signed_in("alice").approve(&world, &query).await;
    assert!(reply.location().starts_with("https://app.example/cb?code="), "{reply:?}");
    assert_eq!(reply.param("state").as_deref(), Some("s-1"));
    let form = format!(
        "foo=1&foo=2&Client_Id=evil&code%5B%5D=x&REDIRECT_URI=https://evil.example&{}",
        World::redemption(&reply.code())
    );
    assert_eq!(world.token("web", &form).await.status, 200);
}

#[tokio::test]
async fn rp_07_an_empty_value_is_as_good_as_none() {
    let world = World::new();
    for client in ["web", "spa"] {
        let to = if client == "web" { APP } else { attack_tests::SPA };
        let query = Query::of(client).set("code_challenge", "").set("code_challenge_method", "");
        assert_redirect(&ask(&world, &query).await, to, "invalid_request", Some("s-1"));
    }
    let query = Query::of("web").set("scope", "").set("state", "").set("nonce", "").set("prompt", "");
    let reply = Browser::signed_in("alice").approve(&world, &query).await;
    assert_eq!(reply.param("state"), None, "{reply:?}");
    let code = reply.code();
    let empty = format!("grant_type=authorization_code&code={code}&code_verifier=");
    assert_json(&world.token("web", &empty).await, 400, "invalid_grant");
    // An empty secret never authenticates.
    let form = format!("{}&client_id=web&client_secret=", World::redemption(&code));
    assert_json(&world.post("/token", &[], &form).await, 401, "invalid_client");
    let header = basic("web", "");
    let reply = world.post("/token", &[("authorization", &header)], &World::redemption(&code)).await;
    assert_json(&reply, 401, "invalid_client");
    assert_json(&world.token("web", "grant_type=&code=").await, 400, "invalid_request");
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn rp_09_not_utf8() {
    let world = World::new();
    for (name, raw) in [
        ("state", "%ff%fe"),
        ("client_id", "%ed%a0%80"),
        ("client_id", "web%c0%80"),
        ("scope", "%c3"),
        ("x", "%ff"),
    ] {
        assert_refused(&ask(&world, &Query::of("web").set_raw(name, raw)).await, 400);
    }
    for form in
        ["grant_type=authorization_code&code=%c0%af", "client_id=%ed%a0%80&grant_type=x", "grant_type=%ff"]
    {
        assert_json(&world.token("m2m", form).await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn rp_09_raw_bytes_over_a_socket() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    let query = Query::of("web").without("state").to_string();
    let target = [b"/authorize?".as_slice(), query.as_bytes(), b"&state=\xff\xfe"].concat();
    let answer = socket.get(target).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let body = [b"grant_type=".as_slice(), &[0xff, 0xfe, 0xc0]].concat();
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\nauthorization: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        basic("m2m", &secret("m2m")),
        body.len()
    );
    let answer = socket.send([head.as_bytes(), &body].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("invalid_request"), "{answer}");
}

#[tokio::test]
async fn rp_10_malformed_percent_encoding() {
    let world = World::new();
    for (name, raw) in
        [("scope", "%zz"), ("state", "%"), ("state", "%4"), ("redirect_uri", "https%3"), ("x", "%G0")]
    {
        assert_refused(&ask(&world, &Query::of("web").set_raw(name, raw)).await, 400);
    }
    for form in
        ["grant_type=authorization_code&code=a%2", "grant_type=%zz", "%=1&grant_type=client_credentials"]
    {
        assert_json(&world.token("m2m", form).await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn rp_11_nul() {
    let world = World::new();
    assert_refused(&ask(&world, &Query::of("web").set_raw("client_id", "web%00")).await, 400);
    let nul = basic("m2m\0", &secret("m2m"));
    assert_json(&world.post("/token", &[("authorization", &nul)], GRANT).await, 401, "invalid_client");
    let reply = world.token("web", "grant_type=refresh_token&refresh_token=x%00").await;
    assert_json(&reply, 400, "invalid_request");
    let pages = World::with_pages();
    let mut browser = Browser::new();
    let page = browser.get(&pages, "/sign-in").await;
    let form = format!("form={}&username=alice%00&password=secret", encode(&page.field("form")));
    assert_refused(&browser.post(&pages, "/sign-in", &form).await, 400);
}

#[tokio::test]
async fn rp_12_header_injection_through_state() {
    let world = World::new();
    for raw in ["a%0d%0aSet-Cookie:x=1", "a%0a", "a%0d", "%0d%0a%0d%0a%3Chtml%3E"] {
        let reply = ask(&world, &Query::of("web").set_raw("state", raw)).await;
        assert_refused(&reply, 400);
        assert!(!reply.headers.contains_key("set-cookie"), "{reply:?}");
    }
    // Not VSCHAR: refused, and so not echoed.
    for state in ["é", "\u{2028}", "\u{202e}x"] {
        let reply = ask(&world, &Query::of("web").set("state", state)).await;
        assert_redirect(&reply, APP, "invalid_request", None);
    }
}

#[tokio::test]
async fn rp_38_overlong_request_line_and_headers() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    for path in ["/authorize", "/token", "/jwks", "/.well-known/oauth-authorization-server"] {
        let method = if path == "/token" { "POST" } else { "GET" };
        let long = "a".repeat(70_000);
        let answer = socket
            .send(format!("{method} {path}?x={long} HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
            .await;
        assert!(answer.starts_with("HTTP/1.1 414 "), "{path}: {answer}");
    }
    let headers: String = (0..200).map(|at| format!("x-{at}: y\r\n")).collect();
    let answer = socket
        .send(format!("GET /jwks HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\n{headers}\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(socket.get("/jwks").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn rp_40_host_and_forwarded_headers_are_not_believed() {
    let poison = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/evil"),
        ("x-rewrite-url", "/evil"),
    ];
    for world in [World::new(), World::with_pages()] {
        let clean = world.get("/.well-known/oauth-authorization-server").await;
        let poisoned = |browser| {
            poison.iter().fold(browser, |browser: Browser, (name, value)| browser.header(name, value))
        };
        let mut browser = poisoned(Browser::new());
        let metadata = browser.get(&world, "/.well-known/oauth-authorization-server").await;
        assert_eq!((metadata.status, &metadata.body), (200, &clean.body));
        let detour = browser.authorize(&world, Query::of("web")).await;
        assert!(detour.location().starts_with('/') && !detour.location().contains("evil"), "{detour:?}");
        assert!(detour.header("set-cookie").unwrap().contains("; Secure"), "{detour:?}");
        let page = poisoned(Browser::signed_in("alice")).authorize(&world, Query::of("web")).await;
        assert!(!page.body.contains("evil"), "{page:?}");
        let refused = browser.authorize(&world, Query::of("web").set("scope", "bogus")).await;
        assert_redirect(&refused, APP, "invalid_scope", Some("s-1"));
        let headers: Vec<_> = poison.to_vec();
        assert_json(&world.post("/token", &headers, "client_id=x").await, 401, "invalid_client");
    }
}
