//! An authorization server, an app that signs in with it and an API that it protects, in one axum app.

mod api;
mod client;
mod users;

use std::error::Error;

use axum::Router;
use axum::routing::post;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{BearerLayer, RequireScopeLayer};
use oauth_tower::pages::{Pages, Theme};
use oauth_tower::server::AuthorizationServerLayer;

pub use users::DEMO_USERS;
use users::Users;

/// The whole app. `issuer` is the address that it is reached at.
///
/// # Errors
///
/// If the issuer is not a URL that an authorization server can have.
pub fn app(issuer: &str) -> Result<Router, Box<dyn Error>> {
    // The authorization server.
    let secret = ClientSecret::generate();
    let server = Server::builder(issuer, MemoryStore::new())
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Add notes in your name")
        .client(
            Client::confidential("notebook", &secret)
                .name("Notebook")
                .redirect_uri(format!("{issuer}/callback"))
                .scope("notes:read notes:write"),
        )
        .build()?;
    let pages = Pages::new(server.clone(), Users::demo()).theme(Theme::new("Quickstart"));

    // The API: a valid token, and the scope that the route asks for.
    let api = Router::new()
        .route("/api/notes", post(api::add).layer(RequireScopeLayer::new("notes:write")).get(api::read))
        .route_layer(BearerLayer::new(server.clone()).require_scope("notes:read"))
        .with_state(api::Notes::default());

    // The app that signs in; it speaks to the other two over HTTP, like any other client.
    let client = client::router(issuer, secret.expose())?;

    Ok(client.merge(api).layer(AuthorizationServerLayer::new(server).pages(pages)))
}
