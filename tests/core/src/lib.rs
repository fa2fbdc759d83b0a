//! The harness of the core's tests: a server over a store that can be read as a whole, a clock, and one browser.
//!
//! Each file in `tests/` is one topic. Tests are named by the case that they show.

mod assertion;
mod fixtures;
mod flow;
mod heard;
mod ledger;
mod world;

pub use assertion::Assertion;
pub use fixtures::{API1, API2, APP, CHALLENGE, ISSUER, SPA, START, VERIFIER, clients, secret};
pub use flow::{Flow, Gained, Shape, Stage};
pub use heard::{Heard, Line};
pub use ledger::Ledger;
pub use world::{World, code_of, form, location};
