//! `UPSTREAM_ISSUER=… UPSTREAM_CLIENT_ID=… UPSTREAM_CLIENT_SECRET=… cargo run -p upstream-login`

use std::env;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use upstream_login::{CALLBACK, UpstreamSettings};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let named = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let settings = UpstreamSettings {
        issuer: named("UPSTREAM_ISSUER")?,
        client_id: named("UPSTREAM_CLIENT_ID")?,
        client_secret: named("UPSTREAM_CLIENT_SECRET")?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    println!("Register {issuer}{CALLBACK} at the provider");
    let app = upstream_login::app(&issuer, settings).await?;
    println!("The issuer is {issuer}");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    // With the peers' addresses, by which rate limits count.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}
