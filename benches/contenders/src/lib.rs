//! The servers that the benchmarks drive, each in its own file behind [`Contender`], and the [`Caller`] that prepares
//! requests for them. Every contender keeps its state in memory and runs on the calling thread.

mod caller;
mod floor;
mod jwt;
mod mounted;
#[cfg(feature = "peers")]
mod oauth_as;
mod ours;
#[cfg(feature = "peers")]
mod oxide;
mod path;
pub mod request;

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

pub use caller::Caller;
pub use floor::{Floor, Open, open};
pub use mounted::Mounted;
#[cfg(feature = "peers")]
pub use oauth_as::OauthAs;
pub use ours::{Ours, ours_on};
#[cfg(feature = "peers")]
pub use oxide::Oxide;
pub use path::Path;

/// Requests that are built before any of them is timed: few, since a server answers a request that it has just read.
pub const AT_HAND: u64 = 4;

/// A request whose body is at hand.
pub type Req = Request<Full<Bytes>>;

/// A response whose body has been read to its end.
pub type Res = Response<Bytes>;

/// A server with one registered client (see [`request`]), set up as its documentation recommends for production except
/// that it keeps its state in memory, and that the resource owner is signed in and approves everything.
pub trait Contender: Sized {
    /// As it appears in the tables.
    const NAME: &'static str;

    /// The path of the token endpoint.
    const TOKEN: &'static str = "/token";

    /// The path of the introspection endpoint.
    const INTROSPECTION: &'static str = "/introspect";

    /// Whether it has anything to measure on this path.
    fn supports(_path: Path) -> bool {
        true
    }

    /// With no grants yet.
    fn new() -> Self;

    /// Answers a request to the token or introspection endpoint, by the cheapest entry that a host may use in process.
    fn call(&mut self, request: Req) -> impl Future<Output = Res>;

    /// Answers `GET /resource`, which takes a bearer token.
    fn resource(&mut self, request: Req) -> impl Future<Output = Res>;

    /// A JWT for [`jwt_resource`](Self::jwt_resource).
    fn jwt(&self) -> String {
        unreachable!("not supported")
    }

    /// Answers `GET /jwt`, which takes a JWT of another issuer.
    fn jwt_resource(&mut self, _request: Req) -> impl Future<Output = Res> {
        async { unreachable!("not supported") }
    }

    /// A fresh authorization code for the client, the scope, the redirect URI and the challenge of [`request`].
    fn code(&mut self) -> String;

    /// All of it as a host would serve it: the endpoints, `GET /resource` and `GET /jwt`.
    fn router(&self) -> axum::Router;
}
