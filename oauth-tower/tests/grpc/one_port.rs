//! gRPC, plain HTTP and the authorization server on one port.

use axum::Router;
use axum::routing::get;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use oauth_tower::bearer::Bearer;
use oauth_tower::server::AuthorizationServerLayer;
use tonic::Code;

use crate::world::{World, check, connect, health, listen};

#[tokio::test]
async fn each_is_refused_in_its_own_form() {
    let world = World::new();
    let app = tonic::service::Routes::new(health().await)
        .into_axum_router()
        .merge(Router::new().route("/hello", get(async |token: Bearer| token.client_id.to_string())))
        .route_layer(world.layer().grpc_or_http().require_scope("read"))
        .layer(AuthorizationServerLayer::new(world.server.clone()));
    let (address, incoming) = listen().await;
    let routes = tonic::service::Routes::from(app);
    let server = tonic::transport::Server::builder().accept_http1(true).add_routes(routes);
    tokio::spawn(server.serve_with_incoming(incoming));

    let grpc = connect(address).await;
    let token = format!("Bearer {}", world.token("read").await);
    assert_eq!(check(&grpc, &[]).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(check(&grpc, &[&token]).await.is_ok());

    let http = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
    let send = async |path: &str, token: Option<&str>| {
        let mut request = Request::get(format!("http://{address}{path}"));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        http.request(request.body(Full::default()).unwrap()).await.unwrap()
    };
    let refused = send("/hello", None).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.headers().contains_key("www-authenticate"));
    let hello = send("/hello", Some(&token)).await.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(hello, "m2m");
    let metadata = send("/.well-known/oauth-authorization-server", None).await;
    assert_eq!(metadata.status(), StatusCode::OK);
}
