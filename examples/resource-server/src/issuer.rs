//! `cargo run -p resource-server --bin issuer`: an authorization server that issues JWT access tokens for the API.

use std::env;
use std::error::Error;

use axum::Router;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::server::AuthorizationServerLayer;
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    const API: &str = "https://reports.example.com";
    let listener = TcpListener::bind(env::args().nth(1).as_deref().unwrap_or("127.0.0.1:3000")).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let secret = ClientSecret::generate();
    let server = Server::builder(&issuer, MemoryStore::new())
        .client(Client::machine("nightly-report", &secret).scope("reports:read audit:read").resource(API))
        .jwt_for(API)
        .build()?;
    println!("the issuer is {issuer}");
    println!("the client nightly-report has the secret {}", secret.expose());
    axum::serve(listener, Router::new().layer(AuthorizationServerLayer::new(server))).await?;
    Ok(())
}
