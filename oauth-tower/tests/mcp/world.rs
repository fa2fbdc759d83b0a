//! An MCP server that answers every call, behind its guard, and the authorization server around it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::any;
use http::HeaderMap;
use oauth_core::client::Client;
use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};
use oauth_core::server::{Server, ServerBuilder};
use oauth_storage_memory::MemoryStore;
use oauth_tower::mcp::{ToolScopesLayer, guard};
use oauth_tower::server::AuthorizationServerLayer;
use serde_json::json;

use crate::support::host;

pub(crate) const ORIGIN: &str = "https://h.example";
pub(crate) const MCP: &str = "https://h.example/mcp";
/// A client by its metadata document.
pub(crate) const CLIENT: &str = "https://c.example/client.json";
pub(crate) const CALLBACK: &str = "https://c.example/cb";

#[derive(Debug)]
pub(crate) struct Host;

#[async_trait]
impl DocumentFetcher for Host {
    async fn fetch(&self, url: &str, _: usize) -> Result<Fetched, FetchError> {
        let document = json!({ "client_id": CLIENT, "client_name": "C", "redirect_uris": [CALLBACK] });
        let body = document.to_string().into_bytes();
        (url == CLIENT).then(|| Fetched { body, headers: HeaderMap::new() }).ok_or(FetchError::Unreachable)
    }
}

pub(crate) fn builder(issuer: &str) -> ServerBuilder {
    Server::builder(issuer, MemoryStore::new())
        .mcp(MCP, Host)
        .scope("read", "read your notes")
        .scope("write", "add notes")
        .client(Client::public("app").redirect_uri("https://app.example/cb").scope("read write"))
}

/// The whole app of a server.
pub(crate) fn app(server: Arc<Server>) -> Router {
    let guard = guard(server.clone(), MCP).unwrap().require_scope("read");
    Router::new()
        .route("/mcp", any(|| async { "called" }))
        .route_layer(ToolScopesLayer::new().tool("add", "write"))
        .route_layer(guard)
        .layer(AuthorizationServerLayer::new(server).host(host()))
}
