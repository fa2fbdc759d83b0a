//! What the scenarios share: a server that listens on a socket, somebody at a browser, an app that speaks OAuth with the
//! published `oauth2` crate, and an API.
//!
//! | to do | use |
//! | --- | --- |
//! | a server, its clients, its API | [`World::start`], [`Setup`] |
//! | somebody who signs in and allows | [`Browser`] |
//! | an app that uses the server | [`App`] |
//! | a request byte by byte | [`Net`], [`Reply`] |
//!
//! The server is known as `https://auth.example`, as behind a proxy that ends TLS: [`Net`] is that proxy, and carries requests
//! for this name to the socket. With [`Setup::on_loopback`] it is known by its own address instead.

mod api;
mod app;
mod browser;
mod clients;
mod net;
mod page;
mod setup;
mod world;

pub use api::router as api_router;
pub use app::{App, Tokens, Waiting};
pub use browser::{Browser, Landing, Users};
pub use clients::{API, FILES, REDIRECT, basic, secret};
pub use net::{Net, NetError, Reply};
pub use page::Page;
pub use setup::Setup;
pub use world::World;

/// When the clock starts, in seconds since the epoch.
pub const START: i64 = 1_800_000_000;

/// Percent-encodes a value for a form or a query.
pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
