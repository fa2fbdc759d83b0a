//! The SQLite store, on files of its own.

mod backend;
mod broken;
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
#[path = "../registered/mod.rs"]
mod registered;
mod sloppy;
mod suite;
mod writer;

#[test]
fn registered_clients_survive_a_restart() {
    registered::survive_a_restart(&backend::Files::new());
}
