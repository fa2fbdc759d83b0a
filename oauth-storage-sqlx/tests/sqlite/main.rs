//! The SQLite store, on files of its own.

mod backend;
mod figures;
#[path = "../flawed/mod.rs"]
mod flawed;
mod migrate;
mod mutants;
#[path = "../purging/mod.rs"]
mod purging;
mod reads;
#[path = "../records/mod.rs"]
mod records;
mod sloppy;
mod suite;
mod writer;
