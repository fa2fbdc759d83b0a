//! What a caller of a protected service hears.

use std::time::Duration;

use oauth_core::storage::testing::Fault;
use tonic::Code;
use tonic::codegen::tokio_stream::StreamExt;
use tonic::metadata::{Binary, MetadataValue};
use tonic::server::NamedService;
use tonic_health::pb::HealthCheckRequest;
use tower::Layer;

use crate::world::{CHECK, World, challenge, check, health, serve};

#[tokio::test]
async fn a_good_token_reaches_the_service_and_streams() {
    let world = World::new();
    let client = serve(world.layer().require_scope("read")).await;
    let token = format!("Bearer {}", world.token("read").await);
    assert_eq!(check(&client, &[&token]).await.unwrap().get_ref().status, 1);
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    let mut stream = client.clone().watch(request).await.unwrap().into_inner();
    assert_eq!(stream.next().await.unwrap().unwrap().status, 1);
}

#[tokio::test]
async fn bt_20_every_bad_credential_is_unauthenticated() {
    let world = World::new();
    let client = serve(world.layer().require_scope("read")).await;
    let good = format!("Bearer {}", world.token("read").await);
    let none = check(&client, &[]).await.unwrap_err();
    assert_eq!(none.code(), Code::Unauthenticated);
    assert_eq!(none.message(), "a bearer access token is required");
    assert_eq!(challenge(&none), r#"Bearer realm="api", scope="read""#);
    let bad: [(&[&str], &str); 6] = [
        (&["Bearer junk"], "invalid_token"),
        (&[&good, &good], "invalid_request"),
        (&[&good, "Bearer other"], "invalid_request"),
        (&["Bearer"], "invalid_request"),
        (&["Bearer a b"], "invalid_request"),
        (&[""], "invalid_request"),
    ];
    for (entries, error) in bad {
        let status = check(&client, entries).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{entries:?}");
        assert!(challenge(&status).contains(&format!("error=\"{error}\"")), "{status:?}");
    }
    let mut binary = tonic::Request::new(HealthCheckRequest::default());
    let value = MetadataValue::<Binary>::from_bytes(good.as_bytes());
    binary.metadata_mut().insert_bin("authorization-bin", value);
    assert_eq!(client.clone().check(binary).await.unwrap_err().code(), Code::Unauthenticated);
    world.clock.advance(Duration::from_secs(86_400));
    let expired = check(&client, &[&good]).await.unwrap_err();
    assert_eq!(expired.code(), Code::Unauthenticated);
    assert!(challenge(&expired).contains("invalid_token"));
}

#[tokio::test]
async fn bt_20_too_small_a_scope_is_permission_denied() {
    let world = World::new();
    let client = serve(world.layer().require_scope("write")).await;
    let token = format!("Bearer {}", world.token("read").await);
    let status = check(&client, &[&token]).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(challenge(&status).contains(r#"error="insufficient_scope""#));
    assert!(challenge(&status).contains(r#"scope="write""#));
}

#[tokio::test]
async fn a_store_that_fails_is_unavailable_and_challenges_nobody() {
    let world = World::new();
    let client = serve(world.layer()).await;
    let token = format!("Bearer {}", world.token("read").await);
    world.store.script(|_| Some(Fault::Refuse));
    let status = check(&client, &[&token]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.metadata().get("www-authenticate").is_none());
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "2000");
    world.store.script(|_| None);
    assert_eq!(check(&client, &[&token]).await.unwrap().get_ref().status, 1);
}

#[tokio::test]
async fn a_weak_authentication_is_unauthenticated() {
    let world = World::new();
    let client = serve(world.layer().acr_values("gold").max_age(Duration::from_secs(60))).await;
    let token = format!("Bearer {}", world.token("read").await);
    let status = check(&client, &[&token]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(challenge(&status).contains(r#"error="insufficient_user_authentication""#));
    assert!(challenge(&status).ends_with(r#"acr_values="gold", max_age="60""#), "{status:?}");
}

#[tokio::test]
async fn scopes_by_method() {
    let world = World::new();
    let token = format!("Bearer {}", world.token("read").await);
    let layer = world.layer().require_scope("read");
    let client = serve(layer.clone().method_scope("/grpc.health.v1.Health/Watch", "write")).await;
    assert!(check(&client, &[&token]).await.is_ok());
    let client =
        serve(layer.clone().method_scope(CHECK, "write").method_any_scope(CHECK, "admin root")).await;
    let status = check(&client, &[&token]).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(challenge(&status).contains(r#"scope="read write admin""#), "{status:?}");
    let client = serve(layer.clone().listed_methods_only()).await;
    assert_eq!(check(&client, &[&token]).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(check(&client, &[]).await.unwrap_err().code(), Code::Unauthenticated);
    let client = serve(layer.listed_methods_only().method_scope(CHECK, "")).await;
    assert!(check(&client, &[&token]).await.is_ok());
}

#[tokio::test]
async fn a_service_may_be_exempt() {
    let world = World::new();
    let client = serve(world.layer().exempt_service("grpc.health.v1.Health")).await;
    assert!(check(&client, &[]).await.is_ok());
    assert!(check(&client, &["Bearer junk"]).await.is_ok());
}

#[tokio::test]
async fn a_named_service_keeps_its_name() {
    fn name<S: NamedService>(_: &S) -> &'static str {
        S::NAME
    }
    let world = World::new();
    let service = world.layer().layer(health().await);
    assert_eq!(name(&service), "grpc.health.v1.Health");
    let required = oauth_tower::bearer::RequireScopeLayer::new("read").layer(health().await);
    assert_eq!(name(&world.layer().layer(required)), "grpc.health.v1.Health");
}
