//! Protecting routes with bearer tokens (RFC 6750), as a tower layer.
//!
//! 1. A token is read from one `Authorization` header and from nowhere else: a token in the query or in the body is not seen
//!    (OAuth 2.1 §5.1).
//! 2. Every path and every method behind the layer is protected, `OPTIONS` included, unless [`BearerLayer::cors`] makes the
//!    layer answer preflights itself.
//! 3. A handler finds the verified token as `Arc<AccessToken>` in the request's extensions, or by an extractor.
//! 4. A token that is bound to a key is refused: as a bearer token anyone could use it (RFC 9449 §7.2, RFC 8705 §3).
//! 5. A token that could not be checked is answered with 503, never with 401: the client must not throw it away.
//! 6. Nothing of the request is repeated in a refusal, and no token in a trace.
//!
//! # Security
//!
//! **Without [`BearerLayer::resource`] a token is accepted whatever audience it was issued for.** That is right where the
//! server issues tokens for one API only. As soon as there are two, name the resource, or each of them can use the other's
//! tokens (RFC 9700 §4.10.2).
//!
//! ```
//! use std::sync::Arc;
//! use http::{Request, Response, StatusCode};
//! use oauth_core::server::{AccessToken, Server};
//! use oauth_tower::bearer::BearerLayer;
//! # use oauth_storage_memory::MemoryStore;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server: Arc<Server> = Server::builder("https://auth.example.com", MemoryStore::new()).build()?;
//! let api = ServiceBuilder::new()
//!     .layer(BearerLayer::new(server).resource("https://api.example.com").require_scope("notes:read"))
//!     .service(service_fn(async |request: Request<String>| {
//!         let token = request.extensions().get::<Arc<AccessToken>>().expect("the layer puts it there");
//!         Ok::<_, std::convert::Infallible>(Response::new(format!("hello {:?}", token.subject())))
//!     }));
//!
//! let answer = api.oneshot(Request::new(String::new())).await?;
//! assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="api", scope="notes:read""#);
//! # Ok(())
//! # }
//! ```

mod authorization;
mod claims;
mod cors;
mod count;
#[cfg(any(feature = "introspection", feature = "jwt"))]
mod described;
#[cfg(feature = "axum")]
mod extract;
#[cfg(any(feature = "introspection", feature = "jwt"))]
mod flight;
mod future;
mod grpc;
mod guard;
#[cfg(feature = "introspection")]
mod introspection;
#[cfg(feature = "jwt")]
mod jwt;
mod layer;
mod paths;
mod refusal;
mod refuse;
#[cfg(any(feature = "introspection", feature = "jwt"))]
mod remote_issuer_error;
mod require_scope;
mod requirements;
mod scope;
mod scopes;
mod service;
mod shared;
mod sink;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(any(feature = "introspection", feature = "jwt"))]
mod verdicts;
mod verify;
mod widen;

pub use claims::claims;
#[cfg(feature = "axum")]
pub use extract::{Bearer, BearerRejection, Claims, RequiredScope, Scoped};
pub use future::ResponseFuture;
pub use grpc::{Grpc, GrpcOrHttp};
#[cfg(feature = "introspection")]
pub use introspection::{IntrospectionBuilder, IntrospectionVerifier};
#[cfg(feature = "jwt")]
pub use jwt::{JwtBuilder, JwtOr, JwtOrVerification, JwtVerifier, TrustedIssuer};
pub use layer::BearerLayer;
pub use refusal::{Cause, Refusal};
pub use refuse::{Rfc6750, WriteRefusal};
#[cfg(any(feature = "introspection", feature = "jwt"))]
pub use remote_issuer_error::RemoteIssuerError;
pub use require_scope::{RequireScope, RequireScopeFuture, RequireScopeLayer};
pub(crate) use scopes::Scopes;
pub use service::BearerService;
pub use sink::{RefusalSink, Refused};
#[cfg(feature = "tonic")]
pub use tonic::RequestExt;
pub use verify::{RemoteVerification, ServerVerification, Verification, Verifier};
