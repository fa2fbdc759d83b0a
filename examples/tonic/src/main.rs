//! `cargo run -p grpc` shows what a client sees; `cargo run -p grpc -- 127.0.0.1:50051` serves until it is stopped, for
//! clients of your own.

use std::env;
use std::error::Error;

use oauth_core::client::ClientSecret;
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let secret = ClientSecret::generate();
    let serving = grpc::serve(listener, &secret);
    if address.is_some() {
        println!("{issuer}: the client notebook has the secret {}", secret.expose());
        return serving.await;
    }
    let seen = tokio::select! {
        seen = grpc::client::run(&issuer, &secret) => seen?,
        ended = serving => return ended,
    };
    println!("notes.Notes/List       {:?}", seen.notes);
    println!("  without a token      {:?}: {}", seen.without.code, seen.without.challenge);
    println!("notes.Notes/Add        {:?}: {}", seen.reading_only.code, seen.reading_only.challenge);
    println!("health without a token {}", if seen.healthy { "serving" } else { "not serving" });
    println!("GET /whoami            {}", seen.whoami);
    println!("  without a token      {}", seen.whoami_without);
    Ok(())
}
