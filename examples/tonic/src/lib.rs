//! gRPC services, gRPC-web, plain HTTP and the authorization server that protects them, on one port.

pub mod client;
mod notes;

/// What `proto/notes.proto` says.
#[expect(unreachable_pub, reason = "generated")]
mod pb {
    tonic::include_proto!("notes");
    pub(crate) const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("notes");
}

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{Bearer, BearerLayer};
use oauth_tower::server::AuthorizationServerLayer;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;

use notes::Notes;
use pb::notes_server::NotesServer;

/// Everything behind one router. What a method needs is said by its path; health and reflection are open to all.
async fn app(server: Arc<Server>) -> Result<Router, Box<dyn Error>> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<NotesServer<Notes>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
        .build_v1()?;
    let guard = BearerLayer::new(server.clone())
        .grpc()
        .cors()
        .method_scope("/notes.Notes/List", "notes:read")
        .method_scope("/notes.Notes/Add", "notes:write")
        .listed_methods_only()
        .exempt_service("grpc.health.v1.Health")
        .exempt_service("grpc.reflection.v1.ServerReflection");
    let whoami = get(async |token: Bearer| token.client_id.to_string());
    Ok(Routes::new(NotesServer::new(Notes::default()))
        .add_service(health)
        .add_service(reflection)
        .into_axum_router()
        .layer(GrpcWebLayer::new())
        .route_layer(guard)
        .route("/whoami", whoami.layer(BearerLayer::new(server.clone())))
        .layer(AuthorizationServerLayer::new(server)))
}

/// Serves all of it until it is dropped, for the client `notebook` with this secret.
///
/// # Errors
///
/// If the server cannot be built, or the listener fails.
pub async fn serve(listener: TcpListener, secret: &ClientSecret) -> Result<(), Box<dyn Error>> {
    let server = Server::builder(format!("http://{}", listener.local_addr()?), MemoryStore::new())
        .client(Client::machine("notebook", secret).scope("notes:read notes:write"))
        .build()?;
    let routes = Routes::from(app(server).await?);
    // HTTP/1.1 too, for the endpoints of the authorization server, plain routes and gRPC-web.
    let server = tonic::transport::Server::builder().accept_http1(true).add_routes(routes);
    Ok(server.serve_with_incoming(TcpListenerStream::new(listener)).await?)
}
