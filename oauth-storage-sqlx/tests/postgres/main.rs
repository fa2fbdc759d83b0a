//! The PostgreSQL store, on a server that the tests start.

mod backend;
mod suite;
