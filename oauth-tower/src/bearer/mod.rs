//! Protecting routes with bearer tokens (RFC 6750).
//!
//! 1. The token comes in the `Authorization` header, alone: one header, one token. Query and body are never looked at.
//! 2. A verifier says what the token is; [`Arc<Server>`](oauth_core::server::Server) is one, for tokens of the same process.
//! 3. The handler finds a [`Bearer`] in the request's extensions, or by axum's extractor of that name.
//! 4. A refusal is RFC 6750's: 401 with a challenge, 403 with every scope that is needed, 400 for a malformed request, 503
//!    when the token could not be checked. Nothing of the request is reflected.
//!
//! [`BearerLayer`] without [`resource`](BearerLayer::resource) accepts tokens whatever their audience: name the resource where
//! tokens of this server are meant for several APIs (RFC 9700 §2.3).
//!
//! ```
//! # use std::sync::Arc;
//! # use oauth_core::server::Server;
//! use axum::{Router, routing::get};
//! use oauth_tower::bearer::{Bearer, BearerLayer};
//!
//! # fn api(server: Arc<Server>) -> Router {
//! Router::new()
//!     .route("/notes", get(|token: Bearer| async move { token.client_id.to_string() }))
//!     .route_layer(BearerLayer::new(server).require_scope("notes:read"))
//! # }
//! ```

mod challenge;
mod cors;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod header;
mod layer;
mod policy;
mod refuse;
mod scope;
mod service;
mod verify;

use std::ops::Deref;
use std::sync::Arc;

pub use challenge::Challenge;
#[cfg(feature = "axum")]
pub use extract::BearerRejection;
pub use future::BearerFuture;
pub use layer::BearerLayer;
pub use refuse::{Refusal, Refuse, Rfc6750};
pub use scope::{RequireScope, RequireScopeFuture, RequireScopeService};
pub use service::BearerService;
pub use verify::{Verification, Verifier};

use oauth_core::server::AccessToken;

/// The verified token of a request. [`BearerLayer`] puts it into the request's extensions.
#[derive(Clone, Debug)]
pub struct Bearer(Arc<AccessToken>);

/// Marks a request without a token behind a layer in optional mode, so that a forgotten layer can be told from it.
#[derive(Clone, Copy, Debug)]
struct Anonymous;

impl Bearer {
    /// Wraps a verified token.
    pub fn new(token: Arc<AccessToken>) -> Self {
        Self(token)
    }

    /// The token, shared.
    pub fn into_inner(self) -> Arc<AccessToken> {
        self.0
    }

    /// Whether the token allows a scope.
    pub fn has_scope(&self, token: &str) -> bool {
        self.0.scope.contains(token)
    }
}

impl Deref for Bearer {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0
    }
}
