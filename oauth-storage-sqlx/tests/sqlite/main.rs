//! The SQLite store, on files of its own.

mod backend;
mod suite;
