//! Runs the server on this machine: `cargo run -p mcp-server`, then add the URL that it prints to an MCP client.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;

use mcp_server::{DEMO_USER, app};
use oauth_fetch::Fetcher;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse::<u16>())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let app = app(&origin, Fetcher::new())?;
    writeln!(std::io::stdout(), "{origin}/mcp, sign in as {} / {}", DEMO_USER.0, DEMO_USER.1)?;
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}
