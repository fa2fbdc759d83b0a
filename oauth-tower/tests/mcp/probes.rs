//! Where clients look, in the order in which they do.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use oauth_core::server::RegisteredResource;
use oauth_tower::server::AuthorizationServerLayer;
use serde_json::{Value, json};

use crate::support::{empty, request, send};
use crate::world::{MCP, ORIGIN, app, builder};

async fn look(app: &Router, path: &str) -> Option<Value> {
    let answer = send(app, empty("GET", path).map(axum::body::Body::new)).await;
    // Whatever the status, scripts may read it, and it is JSON: never a page, never a redirect, never a demand for a token.
    assert!([StatusCode::OK, StatusCode::NOT_FOUND].contains(&answer.status), "{path}: {}", answer.status);
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    let json = answer.json();
    (answer.status == StatusCode::OK).then_some(json)
}

/// The first document that a client finds.
async fn probe(app: &Router, paths: &[&str]) -> Value {
    for path in paths {
        for path in [(*path).to_owned(), format!("{path}/")] {
            if let Some(found) = look(app, &path).await {
                return found;
            }
        }
    }
    panic!("nothing at {paths:?}");
}

#[tokio::test]
async fn the_resource_is_found_from_any_side() {
    let app = app(builder(ORIGIN).build().unwrap());
    // Each answers by itself, so that the order in which a client asks does not matter.
    for path in [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp/",
        "/mcp/.well-known/oauth-protected-resource",
        "/mcp/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp?client=codex",
        "/.well-known/oauth-protected-resource?client=codex",
    ] {
        assert_eq!(
            look(&app, path).await,
            Some(json!({
                "resource": MCP,
                "authorization_servers": [ORIGIN],
                "scopes_supported": ["read", "write"],
                "bearer_methods_supported": ["header"],
            })),
            "{path}"
        );
    }
    for other in
        ["/.well-known/oauth-protected-resource/other", "/other/.well-known/oauth-protected-resource"]
    {
        let answer = send(&app, empty("GET", other).map(axum::body::Body::new)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{other}");
    }
}

#[tokio::test]
async fn the_issuer_is_found_from_any_side() {
    for (issuer, orders) in [
        (
            ORIGIN,
            [
                &["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"][..],
                &["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
                // Those who take the endpoint for the issuer.
                &["/.well-known/oauth-authorization-server/mcp"],
                &["/mcp/.well-known/openid-configuration", "/mcp/.well-known/oauth-authorization-server"],
                &["/.well-known/oauth-authorization-server"],
            ],
        ),
        (
            "https://h.example/t1",
            [
                &["/.well-known/oauth-authorization-server/t1"][..],
                &["/.well-known/openid-configuration/t1", "/.well-known/oauth-authorization-server/t1"],
                &["/t1/.well-known/openid-configuration", "/t1/.well-known/oauth-authorization-server"],
                &["/.well-known/oauth-authorization-server"],
                &["/.well-known/oauth-authorization-server/mcp"],
            ],
        ),
    ] {
        let app = app(builder(issuer).build().unwrap());
        for order in orders {
            let found = probe(&app, order).await;
            assert_eq!(found["issuer"], issuer, "{order:?}");
            assert_eq!(found["code_challenge_methods_supported"], json!(["S256"]));
            assert_eq!(found["client_id_metadata_document_supported"], true);
            assert_eq!(found["authorization_response_iss_parameter_supported"], true);
            assert_eq!(found["scopes_supported"], json!(["read", "write", "offline_access"]));
            assert_eq!(found["protected_resources"], json!([MCP]));
            let methods = found["token_endpoint_auth_methods_supported"].as_array().unwrap();
            assert!(methods.contains(&json!("none")));
            assert!(!found.as_object().unwrap().values().any(Value::is_null));
        }
    }
}

#[tokio::test]
async fn the_documents_of_an_app_behind_are_its_own() {
    let own = r#"{"issuer":"https://other.example"}"#;
    let json = get(async move || {
        ([("content-type", "application/json"), ("access-control-allow-origin", "*")], own)
    });
    let behind = Router::new().route("/.well-known/oauth-authorization-server", json);
    let server = builder("https://h.example/t1").build().unwrap();
    let app = behind.layer(AuthorizationServerLayer::new(server));
    assert_eq!(
        look(&app, "/.well-known/oauth-authorization-server").await.unwrap()["issuer"],
        "https://other.example"
    );
    assert_eq!(
        look(&app, "/.well-known/oauth-authorization-server/t1").await.unwrap()["issuer"],
        "https://h.example/t1"
    );
}

#[tokio::test]
async fn of_two_resources_each_has_its_own_and_the_root_is_nobodys() {
    let notes =
        RegisteredResource::new("https://h.example/notes/").name("Notes").scopes("read offline_access");
    let elsewhere = "https://elsewhere.example/mcp";
    let server = builder(ORIGIN).resource(notes).resource(elsewhere).build().unwrap();
    let app = app(server);
    let found = probe(&app, &["/.well-known/oauth-protected-resource/notes"]).await;
    assert_eq!(
        (&found["resource"], &found["resource_name"]),
        (&json!("https://h.example/notes/"), &json!("Notes"))
    );
    assert_eq!(found["scopes_supported"], json!(["read"]));
    assert_eq!(probe(&app, &["/.well-known/oauth-protected-resource/mcp"]).await["resource"], MCP);
    assert_eq!(look(&app, "/.well-known/oauth-protected-resource").await, None);
}

#[tokio::test]
async fn routers_that_are_merged_serve_the_same() {
    let layer = AuthorizationServerLayer::new(builder("https://h.example/t1").build().unwrap()).mount_at("/");
    let app: Router = Router::new().nest("/t1", layer.router()).merge(layer.well_known_router());
    for (path, member, value) in [
        ("/.well-known/oauth-protected-resource/mcp", "resource", MCP),
        ("/.well-known/oauth-protected-resource", "resource", MCP),
        ("/mcp/.well-known/oauth-protected-resource/", "resource", MCP),
        ("/.well-known/oauth-authorization-server", "issuer", "https://h.example/t1"),
        ("/.well-known/oauth-authorization-server/t1", "issuer", "https://h.example/t1"),
    ] {
        assert_eq!(look(&app, path).await.unwrap()[member], value, "{path}");
    }
}

#[tokio::test]
async fn scripts_ask_first_and_other_methods_are_refused() {
    let app = app(builder(ORIGIN).build().unwrap());
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"] {
        let preflight = request("OPTIONS", path)
            .header("origin", "http://localhost:6274")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "mcp-protocol-version")
            .body(axum::body::Body::empty());
        let answer = send(&app, preflight.unwrap()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), "mcp-protocol-version");
        assert!(answer.header("access-control-allow-methods").contains("GET"));
        let head = send(&app, empty("HEAD", path).map(axum::body::Body::new)).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
        let post = send(&app, empty("POST", path).map(axum::body::Body::new)).await;
        assert_eq!(
            (post.status, post.header("allow")),
            (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS")
        );
    }
}
