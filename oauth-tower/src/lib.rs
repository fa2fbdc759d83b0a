//! Tower layers over `oauth-core`.
//!
//! | to do | use |
//! | --- | --- |
//! | mount the server's endpoints in an app | [`server::AuthorizationServerLayer`] |
//! | serve them alone | [`server::AuthorizationServerService`] |
//! | protect routes with bearer tokens | [`bearer::BearerLayer`] |
//! | guard an MCP server | [`mcp::guard`] |
//! | say where an API's tokens come from | [`protected_resource::ProtectedResourceLayer`] |
//! | say who is signed in and show the pages | [`host::Host`], or [`login_page::LoginPage`] |
//! | delete what has expired, on a schedule | `purge::spawn` (feature `purge`) |
//! | say where requests come from, behind proxies | [`client_address::ForwardedFor`] |
//! | answer from a consent page of one's own | [`endpoint::authorize_response`] |

pub mod bearer;
pub mod body;
pub mod client_address;
mod cors;
mod deadline;
pub mod endpoint;
pub mod host;
#[cfg(any(feature = "introspection", feature = "jwt"))]
pub mod http_client;
pub mod login_page;
pub mod mcp;
#[cfg(feature = "pages")]
pub mod pages;
pub mod protected_resource;
#[cfg(feature = "purge")]
pub mod purge;
pub mod server;

/// The readme's examples, compiled.
#[cfg(all(doctest, feature = "axum", feature = "http-client", feature = "jwt", feature = "tonic"))]
#[doc = include_str!("../../README.md")]
struct Readme;
