//! The PostgreSQL store, on a server that the tests start.

mod backend;
mod faults;
mod migrate;
#[path = "../records/mod.rs"]
mod records;
mod suite;
