//! An OAuth 2.1 authorization server as a library: no HTTP server, no async runtime, no ambient clock.

pub mod authorize;
pub mod client;
pub mod clock;
pub mod error;
pub mod grant;
pub mod handle;
pub mod issuer;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod server;
pub mod storage;
mod text;
pub mod token;
