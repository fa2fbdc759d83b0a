//! One authorization server as several processes. Nothing binds a visitor or a client to one of them: every request may go to
//! another, the consent page's answer included, since all that lasts is in the database, and the keys are too.

mod round_robin;
mod users;

use std::error::Error;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::routing::get;
use oauth_core::client::Client;
use oauth_core::server::{Server, StoredKeys};
use oauth_storage_sqlx::PostgresStore;
use oauth_tower::bearer::{Bearer, BearerLayer};
use oauth_tower::pages::Pages;
use oauth_tower::server::AuthorizationServerLayer;

pub use round_robin::round_robin;

/// The header by which an answer says which process gave it.
pub const REPLICA: &str = "x-replica";

/// One replica of the server and of an API that it protects.
///
/// # Errors
///
/// When the database cannot be reached.
pub async fn replica(issuer: &str, database: &str, name: &str) -> Result<Router, Box<dyn Error>> {
    let pool = PostgresStore::recommended_options().connect(database).await?;
    let store = PostgresStore::new(pool);
    store.migrate().await?;
    let server = Server::builder(issuer, store)
        // Whichever replica starts first makes the keys, and all share them.
        .stored_keys(StoredKeys::new())
        .scope("profile", "See who you are")
        .client(
            Client::public("demo")
                .name("Demo")
                .redirect_uri("http://127.0.0.1/callback")
                .scope("profile")
                .grant_types(["authorization_code", "refresh_token"]),
        )
        .start()
        .await?;
    let pages = Pages::new(server.clone(), users::Users);
    let api = Router::new()
        .route("/me", get(|token: Bearer| async move { format!("{:?}", token.subject()) }))
        .route_layer(BearerLayer::new(server.clone()).require_scope("profile"));
    let name = HeaderValue::from_str(name)?;
    let named = axum::middleware::from_fn(move |request: Request, next: Next| {
        let name = name.clone();
        async move {
            let mut answer = next.run(request).await;
            answer.headers_mut().insert(REPLICA, name);
            answer
        }
    });
    Ok(api.layer(AuthorizationServerLayer::new(server).pages(pages)).layer(named))
}
