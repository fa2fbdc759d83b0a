//! The endpoint itself: challenges, audience, step-up, scripts.

use axum::Router;
use axum::body::Body;
use http::StatusCode;

use crate::resource::token;
use crate::support::{Answer, request, send};
use crate::world::{ORIGIN, app, builder};

async fn call(app: &Router, token: Option<&str>, body: &str) -> Answer {
    let mut call = request("POST", "/mcp").header("content-type", "application/json");
    if let Some(token) = token {
        call = call.header("authorization", format!("Bearer {token}"));
    }
    send(app, call.body(Body::from(body.to_owned())).unwrap()).await
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list"}}"#;
const ADD: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}"#;
const METADATA: &str = r#"resource_metadata="https://h.example/.well-known/oauth-protected-resource/mcp""#;

#[tokio::test]
async fn a_challenge_names_the_scope_and_the_metadata() {
    let app = app(builder(ORIGIN).build().unwrap());
    let answer = call(&app, None, LIST).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), format!(r#"Bearer realm="mcp", scope="read", {METADATA}"#));
    let answer = call(&app, Some("nonsense"), LIST).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#));
    assert!(answer.header("www-authenticate").ends_with(METADATA));
}

#[tokio::test]
async fn a_tool_asks_for_all_that_it_needs_at_once() {
    let server = builder(ORIGIN).build().unwrap();
    let app = app(server.clone());
    let small = token(&server, "&scope=read").await;
    assert_eq!(call(&app, Some(&small), LIST).await.text(), "called");
    for body in [ADD.to_owned(), format!("[{LIST},{ADD}]")] {
        let answer = call(&app, Some(&small), &body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.contains(r#"scope="read write""#) && challenge.ends_with(METADATA), "{challenge}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let twice = r#"{"method":"tools/call","params":{"name":"list","name":"add"}}"#;
    assert_eq!(call(&app, Some(&small), twice).await.status, StatusCode::BAD_REQUEST);
    // A service that looks at no method would be called by any.
    let put = request("PUT", "/mcp").header("authorization", format!("Bearer {small}"));
    let answer = send(&app, put.body(Body::from(ADD)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let large = token(&server, "&scope=read+write").await;
    assert_eq!(call(&app, Some(&large), ADD).await.text(), "called");
}

#[tokio::test]
async fn scripts_call_after_a_preflight_that_needs_no_token() {
    let app = app(builder(ORIGIN).build().unwrap());
    let headers = "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, \
        last-event-id, traceparent";
    let preflight = request("OPTIONS", "/mcp")
        .header("origin", "http://localhost:6274")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", headers);
    let answer = send(&app, preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-headers"), headers);
    let exposed = call(&app, None, LIST).await;
    for header in ["WWW-Authenticate", "Mcp-Session-Id"] {
        assert!(exposed.header("access-control-expose-headers").contains(header), "{header}");
    }
}
