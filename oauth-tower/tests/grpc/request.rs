//! The token of a tonic request.

use std::convert::Infallible;
use std::sync::Arc;

use oauth_core::clock::Timestamp;
use oauth_core::scope::Scope;
use oauth_core::server::AccessToken;
use oauth_tower::bearer::{RequestExt, RequireScopeLayer};
use tonic::{Code, Request, Status};
use tower::{Layer, ServiceExt, service_fn};

use crate::world::{World, challenge};

fn with_token(scope: &str) -> Request<()> {
    let now = Timestamp::from_secs(1_800_000_000);
    let mut token = AccessToken::new("https://as.example", "app", now, now);
    token.scope = Scope::parse(scope).unwrap();
    let mut request = Request::new(());
    request.extensions_mut().insert(Arc::new(token));
    request
}

#[test]
fn a_token_and_its_scope() {
    let request = with_token("read");
    assert_eq!(&*request.access_token().unwrap().client_id, "app");
    assert!(request.optional_access_token().unwrap().is_some());
    assert!(request.scoped_access_token("read").is_ok());
    let status = request.scoped_access_token("read write").unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(challenge(&status).contains(r#"scope="read write""#));
}

#[test]
fn without_a_layer_it_is_a_mistake_of_the_program() {
    let request = Request::new(());
    for status in [
        request.access_token().unwrap_err(),
        request.optional_access_token().unwrap_err(),
        request.scoped_access_token("read").unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::Internal);
        assert!(status.message().contains("BearerLayer"));
        assert!(status.metadata().get("www-authenticate").is_none());
    }
}

/// RFC 6750 §3.1: who asks for what the method names alone would be refused by the layers in front.
#[tokio::test]
async fn a_method_that_asks_for_more_names_what_the_layers_in_front_ask_for_too() {
    let world = World::new();
    let token = world.token("read write").await;
    let method = service_fn(async |request: http::Request<()>| {
        let refused = Request::from_http(request).scoped_access_token("admin read").unwrap_err();
        Ok::<_, Infallible>(refused.into_http::<tonic::body::Body>())
    });
    let service = world.layer().require_scope("read").layer(RequireScopeLayer::new("write").layer(method));
    let request = http::Request::builder().header("authorization", format!("Bearer {token}")).body(());
    let answer = service.oneshot(request.unwrap()).await.unwrap();
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(challenge(&status).ends_with(r#", scope="read write admin""#), "{status:?}");
}
