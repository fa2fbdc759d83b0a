//! The SQLite store, on files of its own.

mod backend;
mod figures;
#[path = "../flawed/mod.rs"]
mod flawed;
mod migrate;
mod mutants;
#[path = "../records/mod.rs"]
mod records;
mod suite;
mod writer;
