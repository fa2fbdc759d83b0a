//! gRPC-web over HTTP/1.1, as a browser speaks it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use oauth_core::server::Server;
use oauth_tower::bearer::BearerLayer;

use crate::world::{CHECK, World, health, listen};

/// What a browser gets: the answer's head, and its bytes.
async fn post(layer: BearerLayer<Arc<Server>>, outside: bool, token: Option<&str>) -> Response<Bytes> {
    let (address, incoming) = listen().await;
    let server = tonic::transport::Server::builder().accept_http1(true);
    let web = tonic_web::GrpcWebLayer::new();
    let health = health().await;
    match outside {
        true => tokio::spawn(
            server.clone().layer(layer).layer(web).add_service(health).serve_with_incoming(incoming),
        ),
        false => tokio::spawn(
            server.clone().layer(web).layer(layer).add_service(health).serve_with_incoming(incoming),
        ),
    };
    let mut request = Request::post(format!("http://{address}{CHECK}"))
        .header("content-type", "application/grpc-web+proto")
        .header("origin", "https://app.example");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    // One message of no bytes.
    let request = request.body(Full::new(Bytes::from_static(&[0; 5]))).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn on_either_side_of_the_translation() {
    let world = World::new();
    let token = world.token("read").await;
    for outside in [true, false] {
        let layer = world.layer().grpc_or_http().cors().require_scope("read");
        let refused = post(layer.clone(), outside, None).await;
        assert_eq!(refused.status(), 200, "{refused:?}");
        assert_eq!(refused.headers()["grpc-status"], "16");
        assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("application/grpc-web"));
        assert!(refused.headers().contains_key("www-authenticate"));
        let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
        for name in ["grpc-status", "grpc-message", "www-authenticate"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        let answered = post(layer, outside, Some(&token)).await;
        assert_eq!(answered.status(), 200, "{answered:?}");
        let body = String::from_utf8_lossy(answered.body()).into_owned();
        assert!(body.contains("grpc-status:0"), "{body:?}");
    }
}
