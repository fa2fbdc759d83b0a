//! A program without a person: it gets a token for itself and calls an API (RFC 6749 §4.4).

use std::error::Error;
use std::net::Ipv4Addr;

use axum::routing::get;
use axum::{Json, Router};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{Bearer, BearerLayer, RequireScopeLayer};
use oauth_tower::server::AuthorizationServerLayer;
use oauth2::basic::BasicClient;
use oauth2::reqwest::{self, StatusCode};
use oauth2::{ClientId, ClientSecret as Secret, Scope, TokenResponse, TokenUrl};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the machine saw.
#[derive(Debug)]
pub struct Seen {
    /// What the token allows.
    pub scope: String,
    /// What the API answered.
    pub report: Value,
    /// What it answered without a token.
    pub without: StatusCode,
    /// What another route answered, which needs a scope that the machine does not have.
    pub forbidden: StatusCode,
}

/// The server and its API. There are no pages: nobody signs in.
fn app(issuer: &str, secret: &ClientSecret) -> Result<Router, Box<dyn Error>> {
    let server = Server::builder(issuer, MemoryStore::new())
        .client(Client::machine("nightly-report", secret).scope("reports:read reports:write"))
        .build()?;
    let report = |token: Bearer| async move { Json(json!({ "for": &*token.client_id, "sales": 42 })) };
    let api = Router::new()
        .route("/report", get(report).layer(RequireScopeLayer::new("reports:read")))
        .route("/audit", get(report).layer(RequireScopeLayer::new("audit:read")))
        .route_layer(BearerLayer::new(server.clone()));
    Ok(api.layer(AuthorizationServerLayer::new(server)))
}

/// Serves the app on a free port, gets a token and calls the API.
///
/// # Errors
///
/// If anything on the way fails.
pub async fn run() -> Result<Seen, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let secret = ClientSecret::generate();
    let app = app(&issuer, &secret)?;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let seen = client(&issuer, secret.expose()).await;
    server.abort();
    seen
}

/// The machine: an ordinary client that knows an address, an id and a secret.
async fn client(issuer: &str, secret: &str) -> Result<Seen, Box<dyn Error>> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let client = BasicClient::new(ClientId::new("nightly-report".to_owned()))
        .set_client_secret(Secret::new(secret.to_owned()))
        .set_token_uri(TokenUrl::new(format!("{issuer}/token"))?);
    let request = client.exchange_client_credentials().add_scope(Scope::new("reports:read".to_owned()));
    let token = request.request_async(&http).await?;

    let call = |path: &str| http.get(format!("{issuer}{path}")).bearer_auth(token.access_token().secret());
    let report = call("/report").send().await?.error_for_status()?.bytes().await?;
    let scope = token.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect::<Vec<_>>();
    Ok(Seen {
        scope: scope.join(" "),
        report: serde_json::from_slice(&report)?,
        without: http.get(format!("{issuer}/report")).send().await?.status(),
        forbidden: call("/audit").send().await?.status(),
    })
}
