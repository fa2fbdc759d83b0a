//! The store on Redis servers that the tests start.

mod backend;
mod expiry;
mod outage;
mod purging;
mod raw;
mod records;
mod start;
mod suite;
