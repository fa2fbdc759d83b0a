//! Attacks on the form of a request: repeated, malformed, oversized, mistyped and misrouted parameters.

use attack_tests::{
    API1, APP, Browser, Query, Socket, VERIFIER, World, assert_json, assert_redirect, assert_refused, basic,
    encode, secret,
};
use bytes::Bytes;
use http::Method;
use oauth_core::client::{Client, ClientSecret};
use oauth_tower::bearer::BearerLayer;
use tower::ServiceExt;
use tower_layer::Layer;

const GRANT: &str = "grant_type=client_credentials";

/// What the authorization endpoint says to alice.
async fn ask(world: &World, query: &Query) -> attack_tests::Reply {
    Browser::signed_in("alice").authorize(world, query).await
}

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
async fn rp_04_duplicates_at_the_token_endpoint() {
    let world = World::new();
    let code = world.code("web").await;
    let tokens = world.tokens("web").await;
    let (redemption, refreshment) = (World::redemption(&code), World::refreshment(&tokens.refresh));
    for (form, second) in [
        (&redemption, "grant_type=authorization_code".to_owned()),
        (&redemption, "grant_type=refresh_token".to_owned()),
        (&redemption, format!("code={code}")),
        (&redemption, "code=other".to_owned()),
        (&redemption, format!("code_verifier={VERIFIER}")),
        (&redemption, "client_id=web&client_id=web".to_owned()),
        (&redemption, format!("redirect_uri={APP}&redirect_uri={APP}")),
        (&refreshment, format!("refresh_token={}", tokens.refresh)),
        (&refreshment, "refresh_token=".to_owned()),
        (&refreshment, "scope=read&scope=read".to_owned()),
    ] {
        assert_json(&world.token("web", &format!("{form}&{second}")).await, 400, "invalid_request");
        assert_json(&world.token("web", &format!("{second}&{form}")).await, 400, "invalid_request");
    }
    assert_eq!(world.token("web", &redemption).await.status, 200);
    assert_eq!(world.token("web", &refreshment).await.status, 200);
}

#[tokio::test]
async fn rp_05_query_and_body_are_never_merged() {
    let world = World::new();
    let code = world.code("web").await;
    let query = "/token?grant_type=client_credentials&client_id=evil&code=x&scope=admin&code_verifier=x";
    let reply = world.post_as("web", query, &World::redemption(&code)).await;
    assert_eq!((reply.status, &*reply.text("scope")), (200, "read write"));
    // What is in the query only is not there.
    let credentials = basic("m2m", &secret("m2m"));
    let reply =
        world.post(&format!("/token?{GRANT}"), &[("authorization", &credentials)], "scope=read").await;
    assert_json(&reply, 400, "invalid_request");
    let in_query = format!("/token?client_id=m2m&client_secret={}", secret("m2m"));
    assert_json(&world.post(&in_query, &[], GRANT).await, 401, "invalid_client");
}

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
async fn rp_18_quadratic_scope() {
    let world = World::new();
    let names = |count: usize| (0..count).map(|at| format!("n{at}")).collect::<Vec<_>>().join("+");
    let (many, more) = (names(5000), names(20_000));
    assert!(more.len() > 100_000 && many.len() < 60_000);
    assert_json(&world.token("m2m", &format!("{GRANT}&scope={many}")).await, 400, "invalid_scope");
    assert_json(&world.token("m2m", &format!("{GRANT}&scope={more}")).await, 413, "invalid_request");
    // Also before the token is looked at.
    let refresh = format!("grant_type=refresh_token&refresh_token=x&scope={many}");
    assert_json(&world.token("web", &refresh).await, 400, "invalid_scope");
    let reply = ask(&world, &Query::of("web").set("scope", &names(1000).replace('+', " "))).await;
    assert_redirect(&reply, APP, "invalid_scope", Some("s-1"));
}

#[tokio::test]
async fn rp_19_parameter_flood() {
    let world = World::new();
    let flood = |count: usize| (0..count).map(|at| format!("&parameter-{at}=x")).collect::<String>();
    let reply = world.token("m2m", &format!("{GRANT}{}", flood(100_000))).await;
    assert_json(&reply, 413, "invalid_request");
    assert_json(&world.token("m2m", &format!("{GRANT}{}", flood(100))).await, 400, "invalid_request");
    assert_eq!(world.token("m2m", &format!("{GRANT}{}", flood(99))).await.status, 200);
    let reply = world.get(&format!("/authorize?{}{}", Query::of("web"), flood(100))).await;
    assert_refused(&reply, 400);
}

#[tokio::test]
async fn rp_20_wrong_media_type() {
    let world = World::new();
    let credentials = basic("m2m", &secret("m2m"));
    for (media_type, body) in [
        ("application/json", r#"{"grant_type":"client_credentials"}"#),
        ("application/json", GRANT),
        (
            "multipart/form-data; boundary=x",
            "--x\r\ncontent-disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--",
        ),
        ("text/plain", GRANT),
        ("", GRANT),
    ] {
        let headers = [("authorization", &*credentials), ("content-type", media_type)];
        assert_json(&world.post("/token", &headers, body).await, 415, "invalid_request");
    }
    let request = http::Request::post("/token").header("authorization", &credentials);
    let reply = world.send(request.body(http_body_util::Full::<Bytes>::from(GRANT)).unwrap()).await;
    assert_json(&reply, 415, "invalid_request");
    assert!(world.grants("m2m").await.is_empty());
}

#[tokio::test]
async fn rp_21_malformed_media_type() {
    let world = World::new();
    let credentials = basic("m2m", &secret("m2m"));
    for (media_type, status) in [
        ("application/json, application/x-www-form-urlencoded", 415),
        ("application/x-www-form-urlencoded; charset=utf-16", 415),
        ("application/x-www-form-urlencoded; charset=", 415),
        ("application/x-www-form-urlencodedx", 415),
        (";;;", 415),
        ("application/x-www-form-urlencoded; charset=UTF-8", 200),
        ("APPLICATION/X-WWW-FORM-URLENCODED;charset=\"utf-8\"", 200),
    ] {
        let headers = [("authorization", &*credentials), ("content-type", media_type)];
        let reply = world.post("/token", &headers, GRANT).await;
        assert_eq!(reply.status, status, "{media_type}");
        if status != 200 {
            assert_json(&reply, status, "invalid_request");
        }
    }
}

#[tokio::test]
async fn rp_22_a_token_is_not_got() {
    let world = World::new();
    let reply = world.get(&format!("/token?{GRANT}&client_id=m2m&client_secret={}", secret("m2m"))).await;
    assert_json(&reply, 405, "invalid_request");
    assert_eq!(reply.header("allow"), Some("POST, OPTIONS"));
    assert!(!reply.body.contains(&secret("m2m")));
    assert!(world.grants("m2m").await.is_empty());
}

#[tokio::test]
async fn rp_23_method_override() {
    let world = World::new();
    let browser = Browser::new()
        .header("x-http-method-override", "POST")
        .header("x-method-override", "POST")
        .header("x-http-method", "POST")
        .header("authorization", &basic("m2m", &secret("m2m")));
    let form = Some("application/x-www-form-urlencoded");
    for method in ["GET", "PUT", "TRACE", "PATCH", "DELETE", "HEAD", "post", "POSTX"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let uri = format!("/token?_method=POST&{GRANT}");
        let request = browser.request(method.clone(), &uri, form, &format!("{GRANT}&_method=POST"));
        let reply = world.send(request).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST, OPTIONS")), "{method}");
        assert!(!reply.body.contains("access_token"), "{method}");
    }
    assert!(world.grants("m2m").await.is_empty());
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
async fn rp_25_options_processes_nothing() {
    let world = World::new();
    let code = world.code("web").await;
    let browser = Browser::new()
        .header("authorization", &basic("web", &secret("web")))
        .header("origin", "https://evil.example");
    let form = World::redemption(&code);
    for path in ["/token", "/revoke", "/introspect", "/authorize", "/jwks"] {
        let request =
            browser.request(Method::OPTIONS, path, Some("application/x-www-form-urlencoded"), &form);
        let reply = world.send(request).await;
        assert_eq!((reply.status, &*reply.body), (204, ""), "{path}");
        assert!(reply.headers.contains_key("allow"));
    }
    assert_eq!(world.grants("web").await, ["approved"]);
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn rp_26_error_text() {
    let world = World::new();
    for form in
        ["client_id=%22%5c%E2%82%AC&grant_type=x", "client_id=%22%5c%E2%82%AC&client_secret=x&grant_type=x"]
    {
        let reply = world.post("/token", &[], form).await;
        assert_json(&reply, 401, "invalid_client");
        assert!(reply.body.is_ascii() && !reply.body.contains('\\'), "{reply:?}");
    }
    assert_json(&world.post("/token", &[], "client_id=%0A&grant_type=x").await, 400, "invalid_request");
    for grant_type in ["%22", "%5C", "%E2%82%AC", "<script>"] {
        let reply = world.token("web", &format!("grant_type={grant_type}")).await;
        assert_json(&reply, 400, "unsupported_grant_type");
        assert!(reply.body.is_ascii() && !reply.body.contains("<script"), "{reply:?}");
    }
    let reply = ask(&world, &Query::of("web").set("scope", "\"\\€")).await;
    assert_redirect(&reply, APP, "invalid_scope", Some("s-1"));
}

#[tokio::test]
async fn rp_28_password_grant() {
    let world = World::with_pages();
    for client in ["web", "spa", "m2m"] {
        let reply = world.token(client, "grant_type=password&username=alice&password=secret").await;
        assert_json(&reply, 400, "unsupported_grant_type");
    }
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert!(!metadata["grant_types_supported"].as_array().unwrap().iter().any(|name| name == "password"));
}

#[tokio::test]
async fn rp_29_grant_not_allowed_for_the_client() {
    let key = ClientSecret::from_text(secret("robot"));
    let world = World::with(|builder| builder.client(Client::machine("robot", &key).redirect_uri(APP)));
    let code = world.code("web").await;
    for (client, form) in [
        ("m2m", World::redemption(&code)),
        ("m2m", World::refreshment("x")),
        ("web", GRANT.to_owned()),
        ("spa", GRANT.to_owned()),
        ("rs1", GRANT.to_owned()),
    ] {
        assert_json(&world.token(client, &form).await, 400, "unauthorized_client");
    }
    let reply = ask(&world, &Query::of("robot")).await;
    assert_redirect(&reply, APP, "unauthorized_client", Some("s-1"));
    assert_eq!(world.redeem("web", &code).await.status, 200);
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
async fn rp_31_scope_is_a_set_and_no_substring() {
    let key = ClientSecret::from_text(secret("ops"));
    let ops = Client::machine("ops", &key).scope("admin-readonly xadmin ADMIN admin");
    let world = World::with(|builder| builder.client(ops));
    let api = BearerLayer::new(world.server.clone()).require_scope("admin").layer(attack_tests::App);
    for (scope, status) in [
        ("admin-readonly", 403),
        ("xadmin", 403),
        ("ADMIN", 403),
        ("admin-readonly xadmin", 403),
        ("xadmin admin", 200),
    ] {
        let token =
            world.token("ops", &format!("{GRANT}&scope={}", encode(scope))).await.text("access_token");
        let request = http::Request::get("/notes").header("authorization", format!("Bearer {token}"));
        let response =
            api.clone().oneshot(request.body(http_body_util::Empty::<Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{scope}");
        let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap());
        assert_eq!(
            challenge.is_some_and(|text| text.contains("error=\"insufficient_scope\"")),
            status == 403
        );
        assert_eq!(response.headers().contains_key("x-inner"), status == 200);
    }
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
