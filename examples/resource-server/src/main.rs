//! `cargo run -p resource-server --bin resource-server -- ISSUER [ADDRESS]`: an API that checks JWT access tokens by the issuer's
//! public keys, and asks it nothing else.

use std::env;
use std::error::Error;

use axum::routing::get;
use axum::{Json, Router};
use oauth_tower::bearer::{BearerLayer, Claims, JwtVerifier, TrustedIssuer};
use oauth_tower::http_client::HttpClient;
use oauth_tower::protected_resource::{ProtectedResource, ProtectedResourceLayer};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// What the handler wants to know of a token.
#[derive(Serialize, Deserialize)]
struct Caller {
    client_id: String,
    scope: String,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let issuer = arguments.next().ok_or("usage: resource-server ISSUER [ADDRESS]")?;
    let listener = TcpListener::bind(arguments.next().as_deref().unwrap_or("127.0.0.1:4000")).await?;

    // The name of this API, as the issuer knows it. It is configured, never taken from a request.
    let api = ProtectedResource::new("https://reports.example.com")?
        .authorization_server(&issuer)
        .scopes("reports:read");
    let trusted = TrustedIssuer::discover(issuer, api.resource(), HttpClient::with_public_roots());
    let verifier = JwtVerifier::builder().issuer(trusted).build()?;
    let guard = BearerLayer::new(verifier).protected_resource(&api).require_scope("reports:read");

    let app = Router::new()
        .route("/report", get(async |Claims(caller): Claims<Caller>| Json(caller)))
        .route_layer(guard)
        .layer(ProtectedResourceLayer::new(&api));
    println!("the API is http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
