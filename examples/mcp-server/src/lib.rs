//! An MCP server and the authorization server that lets clients in, in one axum app.
//!
//! Everything that is not about MCP itself is the function `authorize`: it takes any MCP service and gives the whole app.

mod notes;
mod users;

use std::error::Error;

use axum::Router;
use http::uri::Authority;
use oauth_core::fetch::DocumentFetcher;
use oauth_core::server::{DynamicRegistration, Server};
use oauth_storage_memory::MemoryStore;
use oauth_tower::mcp::{ToolScopesLayer, guard};
use oauth_tower::pages::{Pages, Theme};
use oauth_tower::server::AuthorizationServerLayer;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use notes::Notes;
pub use users::DEMO_USER;
use users::DemoUser;

/// The whole app at this origin. `fetcher` gets the metadata documents of clients.
///
/// # Errors
///
/// If the origin is not a URL that an authorization server can have.
pub fn app(origin: &str, fetcher: impl DocumentFetcher) -> Result<Router, Box<dyn Error>> {
    let notes = Notes::default();
    let host = origin.parse::<http::Uri>()?.into_parts().authority;
    let config =
        StreamableHttpServerConfig::default().with_allowed_hosts(host.as_ref().map(Authority::as_str));
    let service =
        StreamableHttpService::new(move || Ok(notes.clone()), LocalSessionManager::default().into(), config);
    authorize(origin, fetcher, Router::new().route_service("/mcp", service))
}

/// Puts authorization around the endpoint `/mcp` of an app. Clients come by their metadata documents; those that have none register
/// themselves.
fn authorize(origin: &str, fetcher: impl DocumentFetcher, app: Router) -> Result<Router, Box<dyn Error>> {
    let endpoint = format!("{origin}/mcp");
    let server = Server::builder(origin, MemoryStore::new())
        .mcp(&*endpoint, fetcher)
        .dynamic_registration(DynamicRegistration::open())
        .scope("notes:read", "read your notes")
        .scope("notes:write", "add notes in your name")
        .build()?;
    let tools = ToolScopesLayer::new().tool("add_note", "notes:read notes:write");
    let guard = guard(server.clone(), &endpoint)?.require_scope("notes:read");
    let pages = Pages::new(server.clone(), DemoUser).theme(Theme::new("Notes"));
    Ok(app.route_layer(tools).route_layer(guard).layer(AuthorizationServerLayer::new(server).pages(pages)))
}
