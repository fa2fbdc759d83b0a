//! The metadata of a protected resource (RFC 9728).

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use oauth_tower::protected_resource::{ProtectedResource, ProtectedResourceError, ProtectedResourceLayer};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

fn api(resource: &str) -> ProtectedResource {
    ProtectedResource::new(resource).unwrap()
}

async fn ask(api: &ProtectedResource, method: &str, target: &str) -> Response<Bytes> {
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("the app")))
    });
    let request = Request::builder().method(method).uri(target).header("host", "evil.example");
    let request = request.body(Full::default()).unwrap();
    let response = ProtectedResourceLayer::new(api).layer(inner).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

#[test]
fn where_the_document_is() {
    for (resource, url) in [
        ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://api.example/v1/mcp", "https://api.example/.well-known/oauth-protected-resource/v1/mcp"),
        ("https://api.example/v1/", "https://api.example/.well-known/oauth-protected-resource/v1/"),
        ("https://api.example:8443?k=v", "https://api.example:8443/.well-known/oauth-protected-resource?k=v"),
        ("http://127.0.0.1:3000/x", "http://127.0.0.1:3000/.well-known/oauth-protected-resource/x"),
    ] {
        assert_eq!(api(resource).metadata_url(), url);
    }
    for resource in
        ["http://api.example", "urn:api", "https://api.example/#x", "/v1", "", "https://", "ftp://a/b"]
    {
        assert_eq!(ProtectedResource::new(resource).unwrap_err(), ProtectedResourceError, "{resource}");
    }
}

#[tokio::test]
async fn what_it_says() {
    let api = api("https://api.example/notes")
        .authorization_server("https://as.example")
        .scopes("read write")
        .name("Notes")
        .documentation("https://api.example/docs");
    let answer = ask(&api, "GET", "/.well-known/oauth-protected-resource/notes").await;
    let document: Value = serde_json::from_slice(answer.body()).unwrap();
    let expected = json!({
        "resource": "https://api.example/notes",
        "authorization_servers": ["https://as.example"],
        "scopes_supported": ["read", "write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Notes",
        "resource_documentation": "https://api.example/docs",
    });
    assert_eq!(document, expected);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn methods_and_all_other_paths() {
    let api = api("https://api.example");
    let path = "/.well-known/oauth-protected-resource";
    let head = ask(&api, "HEAD", path).await;
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    let preflight = ask(&api, "OPTIONS", path).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-methods"], "GET, HEAD");
    let post = ask(&api, "POST", path).await;
    assert_eq!((post.status().as_u16(), post.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
    for other in ["/", "/.well-known/oauth-protected-resource/", "/.well-known/oauth-protected-resource?x=1"]
    {
        assert_eq!(ask(&api, "GET", other).await.body(), "the app", "{other}");
    }
}
