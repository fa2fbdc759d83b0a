//! An authorization server, an app that signs in with it and an API that it protects, in one axum app.

mod api;
mod client;
mod place;
mod saved;
mod users;

use std::error::Error;

use axum::Router;
use axum::routing::post;
use oauth_core::client::Client;
use oauth_core::handle::WrappingKey;
use oauth_core::server::{Server, StoredKeys};
use oauth_tower::bearer::{BearerLayer, RequireScopeLayer};
use oauth_tower::pages::{Pages, Theme};
use oauth_tower::server::AuthorizationServerLayer;

pub use place::Place;
pub use users::DEMO_USERS;
use users::Users;

/// The variable for a key that wraps the keys in the store, so that a copy of the database alone is worth nothing.
pub const WRAPPING_KEY: &str = "OAUTH_WRAPPING_KEY";

/// The whole app. `issuer` is the address that it is reached at.
///
/// # Errors
///
/// If the issuer is not a URL that an authorization server can have, or what was kept cannot be opened.
pub async fn app(issuer: &str, place: &Place) -> Result<Router, Box<dyn Error>> {
    // The authorization server.
    let mut keys = StoredKeys::new();
    if std::env::var_os(WRAPPING_KEY).is_some() {
        keys = keys.wrapped_by(WrappingKey::from_env(WRAPPING_KEY)?);
    }
    let secret = client::secret(place)?;
    let server = Server::builder(issuer, place.store().await?)
        .stored_keys(keys)
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Add notes in your name")
        .client(
            Client::confidential("notebook", &secret)
                .name("Notebook")
                .redirect_uri(format!("{issuer}/callback"))
                .scope("notes:read notes:write"),
        )
        .start()
        .await?;
    let pages = Pages::new(server.clone(), Users::demo()).theme(Theme::new("Quickstart"));

    // The API: a valid token, and the scope that the route asks for.
    let api = Router::new()
        .route("/api/notes", post(api::add).layer(RequireScopeLayer::new("notes:write")).get(api::read))
        .route_layer(BearerLayer::new(server.clone()).require_scope("notes:read"))
        .with_state(api::Notes::open(place)?);

    // The app that signs in; it speaks to the other two over HTTP, like any other client.
    let client = client::router(issuer, secret.expose(), place)?;

    Ok(client.merge(api).layer(AuthorizationServerLayer::new(server).pages(pages)))
}
