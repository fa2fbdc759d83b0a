//! An API in a process of its own, which knows the issuer by its address alone: `verifier ISSUER RESOURCE SECONDS`.
//!
//! It prints its address. Its clock stands still; a line of its input sets it, to seconds since 1970, and is printed back. It
//! ends with its input.

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_tower::bearer::{Bearer, BearerLayer, JwtVerifier, TrustedIssuer};
use oauth_tower::http_client::HttpClient;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::net::TcpListener;

/// Slowness of the machine is no finding.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "how the test hears of it")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [issuer, resource, start] = &arguments[..] else {
        return Err("usage: verifier ISSUER RESOURCE SECONDS".into());
    };
    let clock = ManualClock::new(Timestamp::from_secs(start.parse()?));
    let trusted = TrustedIssuer::discover(issuer, resource, HttpClient::with_public_roots());
    let verifier = JwtVerifier::builder().clock(clock.clone()).deadline(PATIENCE).issuer(trusted).build()?;
    let app = Router::new()
        .route("/", get(async |token: Bearer| token.client_id.to_string()))
        .layer(BearerLayer::new(verifier).deadline(PATIENCE));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        clock.set(Timestamp::from_secs(line.parse()?));
        println!("{line}");
    }
    Ok(())
}
