//! The endpoint as HTTP sees it.

use attack_tests::assert_json;
use oauth_core::metadata::Endpoint;

use super::*;

#[tokio::test]
async fn it_is_off_by_default_and_the_metadata_say_so() {
    let document = "/.well-known/oauth-authorization-server";
    let off = World::new();
    assert_eq!(off.get(document).await.json().get("registration_endpoint"), None);
    assert!(register(&off, metadata(json!({}))).await.is_from_app());
    assert!(call(&off, "GET", "/register/x", Some("x"), "").await.is_from_app());
    let on = world();
    let endpoint = format!("{}/register", attack_tests::ISSUER);
    assert_eq!(on.get(document).await.json()["registration_endpoint"], endpoint);
    let moved = World::mounted(
        on.server.clone(),
        on.clock.clone(),
        on.layer.clone().path(Endpoint::Register, "/oauth/clients"),
    );
    let document = moved.get(document).await.json();
    assert_eq!(document["registration_endpoint"], format!("{}/oauth/clients", attack_tests::ISSUER));
    let client = Registered::of(&call(&moved, "POST", "/oauth/clients", None, metadata(json!({}))).await);
    assert!(client.uri.starts_with("/oauth/clients/dcr_"), "{client:?}");
    assert_eq!(client.read(&moved).await.status, 200);
    assert!(register(&moved, metadata(json!({}))).await.is_from_app());
}

#[tokio::test]
async fn other_methods_are_refused_as_json_with_those_that_there_are() {
    let world = world();
    let client = registered(&world).await;
    for (uri, methods, allowed) in [
        ("/register", &["GET", "HEAD", "PUT", "DELETE", "PATCH"][..], "POST, OPTIONS"),
        (&*client.uri, &["POST", "HEAD", "PATCH"], "GET, PUT, DELETE, OPTIONS"),
    ] {
        for method in methods {
            let reply = call(&world, method, uri, Some(&client.token), "").await;
            assert_json(&reply, 405, "invalid_request");
            assert_eq!(reply.header("allow"), Some(allowed));
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        }
    }
    for path in ["/register/", "/register/a/b", "/Register", "/registers"] {
        assert!(call(&world, "POST", path, None, metadata(json!({}))).await.is_from_app(), "{path}");
    }
}

#[tokio::test]
async fn scripts_of_any_origin_may_register_without_cookies() {
    let world = world();
    let client = registered(&world).await;
    for (uri, methods) in [("/register", "POST, OPTIONS"), (&*client.uri, "GET, PUT, DELETE, OPTIONS")] {
        let request = Request::options(uri).header("origin", "https://inspector.example");
        let request = request.header("access-control-request-headers", "content-type,mcp-protocol-version");
        let reply = world.send(request.body(Full::<bytes::Bytes>::default()).unwrap()).await;
        assert_eq!(reply.status, 204, "{reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("access-control-allow-methods"), Some(methods));
        let headers = reply.header("access-control-allow-headers");
        assert_eq!(headers, Some("content-type,mcp-protocol-version"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    let good = register(&world, metadata(json!({}))).await;
    let bad = register(&world, "{}").await;
    for reply in [good, bad, client.read(&world).await] {
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn the_charset_may_be_said_and_must_be_utf_8() {
    let world = world();
    for (media_type, status) in [
        ("application/json; charset=utf-8", 201),
        ("Application/JSON", 201),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let headers = [("content-type", media_type)];
        let reply = world.post("/register", &headers, &metadata(json!({})).to_string()).await;
        assert_eq!(reply.status, status, "{media_type}: {reply:?}");
    }
}
