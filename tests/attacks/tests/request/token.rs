//! What is sent to the token endpoint.

use super::*;

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
