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
#[path = "../registered/mod.rs"]
mod registered;
mod sloppy;
mod suite;

#[test]
fn registered_clients_survive_a_restart() {
    registered::survive_a_restart(&backend::Schemas::new());
}
