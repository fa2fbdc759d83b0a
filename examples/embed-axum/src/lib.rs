//! An axum app that had its own sessions, sign-in page and style, and now is an authorization server as well.
//!
//! * `sessions.rs`, `sign_in.rs`: what the app had before. Nothing in them knows OAuth.
//! * `consent.rs`: a consent page as an ordinary handler.
//! * [`app`]: where they meet.

mod consent;
mod sessions;
mod sign_in;

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use oauth_core::client::Client;
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{Bearer, BearerLayer};
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::AuthorizationServerLayer;
use serde_json::{Value, json};

use sessions::Sessions;

#[derive(Clone)]
struct App {
    sessions: Sessions,
    server: Arc<Server>,
}

/// The whole app. `issuer` is the address that it is reached at.
///
/// # Errors
///
/// If the issuer is not a URL that an authorization server can have.
pub fn app(issuer: &str) -> Result<Router, Box<dyn Error>> {
    let sessions = Sessions::default();
    let server = Server::builder(issuer, MemoryStore::new())
        .scope("berths:read", "See which berths you have booked")
        .client(Client::public("harbour-web").redirect_uri("http://127.0.0.1/callback").scope("berths:read"))
        .client(
            Client::public("harbour-phone")
                .redirect_uri("com.example.harbour:/callback")
                .scope("berths:read"),
        )
        .build()?;

    let state = App { sessions: sessions.clone(), server: server.clone() };
    let pages = Router::new()
        .route("/", get(home))
        .route("/login", get(sign_in::show).post(sign_in::take))
        .route("/allow", get(consent::show).post(consent::take))
        .with_state(state);
    let api = Router::new()
        .route("/api/berths", get(berths))
        .route_layer(BearerLayer::new(server.clone()).require_scope("berths:read"));

    // Who is signed in, where to sign in, and where to ask for consent.
    let host = LoginPage::at("/login", move |head| {
        let login = sessions.login(&head.headers);
        async move { Ok(login) }
    });
    let oauth = AuthorizationServerLayer::new(server).host(host.consent_at("/allow"));
    Ok(pages.merge(api).layer(oauth))
}

/// A page as it was before.
async fn home(State(app): State<App>, headers: HeaderMap) -> Html<String> {
    Html(match app.sessions.find(&headers) {
        Some(session) => format!("<h1>Harbour</h1><p>Welcome aboard, {}.</p>", session.user),
        None => "<h1>Harbour</h1><p><a href=\"/login\">Sign in</a></p>".to_owned(),
    })
}

/// A route for other apps: it wants a token, not a cookie.
async fn berths(token: Bearer) -> Json<Value> {
    Json(json!({ "skipper": token.subject.as_deref(), "berths": ["C 12"] }))
}
