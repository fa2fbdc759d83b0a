//! An OAuth 2.1 authorization server as a library: no HTTP server, no async runtime, no ambient clock or randomness.
//!
//! Everything that the server ever authorizes is a [`grant`]: a small state machine in one versioned [record](storage::Record).
//! Codes and tokens are [handles](handle) to it. Every protocol step is the same sentence:
//!
//! > parse the handle → load the grant → plan (a pure function) → swap the record → answer
//!
//! Of N concurrent swaps of one version exactly one wins, so a code works once, rotation has one successor, and a revocation
//! cannot be undone by an issuance in flight, on every backend that has a conditional write.
//!
//! # The map
//!
//! | to … | read |
//! | --- | --- |
//! | configure and run a server | [`server`] (`oauth-tower` mounts it in an app) |
//! | register clients | [`client`] |
//! | let clients register themselves | [`server::DynamicRegistration`] |
//! | write a storage backend | [`storage`], and its `testing` suite (feature `testing`) |
//! | add a grant type | [`token::GrantType`] |
//! | write a sign-in or consent page | [`authorize`], [`server::Server::pending`] |
//! | see what can happen to a grant | [`grant`] |
//! | limit how often somebody may try | [`limit`] |
//! | hear what happens, for an audit log | [`audit`] |
//! | know what a token says on the wire | [`handle`] |
//! | know the threats, the defaults and the invariants | [`manual`] |
//!
//! ```
//! # use std::sync::Arc;
//! use oauth_core::client::{Client, ClientSecret};
//! use oauth_core::server::Server;
//! # use oauth_core::clock::Timestamp;
//! # use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreResult, Swap, Version};
//! # #[derive(Debug)]
//! # struct MyStore;
//! # #[async_trait::async_trait]
//! # impl Store for MyStore {
//! #     async fn load(&self, _: &Key) -> StoreResult<Option<Arc<Record>>> { Ok(None) }
//! #     async fn swap(&self, _: Arc<Record>, _: Option<Version>) -> StoreResult<Swap> { Ok(Swap::Swapped) }
//! #     async fn list(&self, _: Index<'_>, _: Page) -> StoreResult<Listing> { Ok(Listing::default()) }
//! #     async fn purge(&self, _: Timestamp, _: usize) -> StoreResult<Purged> { Ok(Purged::default()) }
//! # }
//!
//! let secret = ClientSecret::generate();
//! let server = Server::builder("https://auth.example.com", MyStore)
//!     .scope("notes:read", "read your notes")
//!     .client(Client::public("app").redirect_uri("https://app.example.com/callback").scope("notes:read"))
//!     .client(Client::machine("nightly-report", &secret).scope("notes:read"))
//!     .build()?;
//! assert_eq!(server.issuer().as_str(), "https://auth.example.com");
//!
//! let mistake = Server::builder("auth.example.com", MyStore).build().unwrap_err();
//! assert!(mistake.to_string().contains("https://auth.example.com"));
//! # Ok::<(), oauth_core::server::BuildError>(())
//! ```

mod any_byte;
pub mod audit;
pub mod authorize;
pub mod client;
pub mod clock;
mod constant_time;
pub mod error;
pub mod fetch;
mod fixed_bytes;
pub mod grant;
pub mod handle;
pub mod issuer;
mod json;
mod keyed_hash;
pub mod limit;
pub mod manual;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod server;
mod soon;
pub mod storage;
mod text;
pub mod token;
mod wiped;
