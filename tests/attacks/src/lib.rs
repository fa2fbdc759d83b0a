//! What the attack tests share: a server over a memory store with a manual clock, its fixtures, a browser, and the answers that
//! an attack may get.
//!
//! | to do | use |
//! | --- | --- |
//! | a server with the fixture clients | [`World::new`], [`World::with`], [`World::with_pages`] |
//! | a person at a browser | [`Browser`], [`Browser::signed_in`] |
//! | an authorization request, parameter by parameter | [`Query`] |
//! | the whole way to a code or to tokens | [`World::code`], [`World::tokens`] |
//! | a form as a client | [`World::post_as`], [`World::token`] |
//! | requests of strangers without end | [`Flooded`] |
//! | bytes as a socket carries them | [`Socket`] |
//! | many requests at one moment | [`Socket::race`] |
//! | what an operator reads | [`Log`] |
//! | what a thief of the database reads | [`DumpStore`] |
//! | what an attack has left | [`World::assert_untouched`], [`World::assert_ended`] |
//! | what an attack may get | [`assert_page`], [`assert_redirect`], [`assert_json`] |

mod app;
mod asserter;
mod browser;
mod clients;
mod documents;
mod dump;
mod fixtures;
mod flood;
mod log;
mod outcome;
mod query;
mod race;
mod reply;
mod socket;
mod users;
mod world;

pub use app::App;
pub use asserter::{Asserter, asserted};
pub use browser::Browser;
pub use clients::{Tokens, basic};
pub use documents::Documents;
pub use dump::DumpStore;
pub use fixtures::{API1, API2, APP, CHALLENGE, ISSUER, SPA, START, VERIFIER, secret};
pub use flood::{Flood, Flooded};
pub use log::Log;
pub use outcome::{assert_inactive, assert_unavailable};
pub use query::{Query, encode};
pub use reply::{Reply, assert_json, assert_page, assert_redirect, assert_refused};
pub use socket::Socket;
pub use users::Users;
pub use world::World;
