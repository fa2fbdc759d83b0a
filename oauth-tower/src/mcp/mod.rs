//! Authorization for a Model Context Protocol server, by the specification of 2026-07-28.
//!
//! [`ServerBuilder::mcp`](oauth_core::server::ServerBuilder::mcp) is the one call that makes a server fit for MCP clients; a
//! [`guard`] stands in front of the endpoint. The
//! [`AuthorizationServerLayer`](crate::server::AuthorizationServerLayer) around the whole app then serves the metadata of both
//! wherever clients look, those of the protocol's older revisions too. That is for a resource at the issuer's origin; one
//! elsewhere needs a [`ProtectedResourceLayer`](crate::protected_resource::ProtectedResourceLayer) where it is served.
//!
//! ```
//! # use std::sync::Arc;
//! # use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};
//! # use oauth_core::server::Server;
//! # use oauth_storage_memory::MemoryStore;
//! use oauth_tower::mcp::{ToolScopesLayer, guard};
//!
//! # #[derive(Debug)]
//! # struct Fetcher;
//! # #[async_trait::async_trait]
//! # impl DocumentFetcher for Fetcher {
//! #     async fn fetch(&self, _: &str, _: usize) -> Result<Fetched, FetchError> { Err(FetchError::Unreachable) }
//! # }
//! let server = Server::builder("https://notes.example", MemoryStore::new())
//!     .mcp("https://notes.example/mcp", Fetcher) // oauth_fetch::Fetcher::new()
//!     .scope("notes:read", "read your notes")
//!     .scope("notes:write", "add notes in your name")
//!     .build()?;
//!
//! // Around the MCP service, the guard outermost:
//! let guard = guard(server, "https://notes.example/mcp")?.require_scope("notes:read");
//! let tools = ToolScopesLayer::new().tool("add_note", "notes:write");
//! # let _ = (guard, tools);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! 1. An unauthenticated request is answered with 401; the challenge names the scope that is needed and the metadata of the
//!    resource. A token of too small a scope is answered with 403 `insufficient_scope` and all that the operation needs, so that
//!    the client can ask for it (step-up).
//! 2. A token whose audience is another resource is refused.
//! 3. Scripts of any origin may call, and read challenges: preflights are answered before authorization.
//! 4. A tool finds the verified token as `Arc<AccessToken>` in the extensions of the request's `http::request::Parts`; in `rmcp`
//!    by its extractor `Extension(parts): Extension<http::request::Parts>`.

mod message;
mod tool_scopes;

use std::sync::Arc;

use oauth_core::server::Server;

use crate::bearer::BearerLayer;
use crate::protected_resource::UnknownResource;

pub use tool_scopes::{ToolScopes, ToolScopesFuture, ToolScopesLayer};

/// What stands in front of an MCP endpoint: asks for a token for this resource, which the server has registered, and lets scripts
/// of any origin call. Add the scope that every request needs by [`BearerLayer::require_scope`].
///
/// # Errors
///
/// [`UnknownResource`] where the server has not registered it.
pub fn guard(server: Arc<Server>, resource: &str) -> Result<BearerLayer<Arc<Server>>, UnknownResource> {
    Ok(BearerLayer::registered(server, resource)?.realm("mcp").cors())
}
