//! The bearer layer, in process. Tests that are named by a case of the list of attacks begin with its id.

mod challenge;
mod cors;
#[cfg(feature = "axum")]
mod extract;
mod header;
mod optional;
mod policy;
mod scope;
mod service;
mod token;
mod trace;
mod world;
