//! `cargo run -p embed-axum`

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let app = embed_axum::app(&issuer)?;
    println!("Open {issuer}, sign in as ada / lovelace");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    // With the peers' addresses, by which rate limits count.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}
