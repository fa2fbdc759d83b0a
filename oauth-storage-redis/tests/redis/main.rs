//! The store on Redis servers that the tests start.

mod backend;
mod expiry;
mod figures;
mod line;
mod outage;
mod permissions;
mod purging;
mod raw;
mod records;
mod replicas;
mod resharding;
mod start;
mod suite;
