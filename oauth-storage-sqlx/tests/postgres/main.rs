//! The PostgreSQL store, on a server that the tests start.

mod backend;
mod conflicts;
mod faults;
mod figures;
#[path = "../flawed/mod.rs"]
mod flawed;
mod migrate;
mod mutants;
#[path = "../purging/mod.rs"]
mod purging;
#[path = "../records/mod.rs"]
mod records;
mod sloppy;
mod suite;
