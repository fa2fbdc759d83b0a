//! The store on Redis servers that the tests start.

mod backend;
mod suite;
