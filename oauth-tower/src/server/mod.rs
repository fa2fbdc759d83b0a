//! The authorization server as a tower layer and as a service of its own.
//!
//! 1. The endpoints are matched by the raw path, exactly: nothing is normalised, decoded or redirected.
//! 2. The well-known document is at the origin, also for an issuer with a path (RFC 8414 §3.1).
//! 3. Below the three well-known names of OAuth nobody gets HTML: what the inner service does not answer in JSON is a 404 in
//!    JSON. Everything else passes to the inner service untouched.
//! 4. The metadata of resources that are registered with the server, and are at its origin, are served as well (RFC 9728), wherever
//!    clients look for them; there the issuer's own are found too.
//! 5. A request that waits too long is answered with 503; dropping it at any await is safe, since each write is one
//!    idempotent swap. Panics are not caught.
//! 6. Nothing is derived from `Host` or forwarding headers.
//! 7. Each request for an endpoint or a built-in page is answered in a span `oauth_request`, and counted where the feature
//!    `metrics` is on: as `oauth_requests_total` by `endpoint` and `outcome`, which is `ok` or the error code. A request whose
//!    caller hangs up is not counted. See [`oauth_core::audit`] for what is told besides.
//!
//! ```
//! use std::sync::Arc;
//! use oauth_core::server::Server;
//! use oauth_tower::server::AuthorizationServerLayer;
//! use tower_layer::Layer;
//!
//! /// The endpoints of the server in front of an app.
//! fn mount<S>(server: Arc<Server>, app: S) -> impl Clone where S: Clone {
//!     AuthorizationServerLayer::new(server).layer(app)
//! }
//! ```
//!
//! In axum an app is wrapped by `.layer(..)`; where the issuer has a path and its routes are nested, see
//! [`AuthorizationServerLayer::mount_at`].

mod dispatch;
mod future;
mod layer;
mod observed;
mod resources;
#[cfg(feature = "axum")]
mod router;
mod routes;
mod service;

pub use future::ResponseFuture;
pub use layer::AuthorizationServerLayer;
pub use service::{AuthorizationServerService, NotFound};
