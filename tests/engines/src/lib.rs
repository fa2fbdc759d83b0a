//! Storage engines for tests, each in a directory and on an address of its own, run by an unprivileged user.
//!
//! An engine is supervised by a shell that stops it and deletes its files as soon as its standard input closes: at the end
//! of the test process, however that comes about, nothing is left running.

mod postgres;
mod redis;
mod supervisor;
mod wire;

pub use postgres::Postgres;
pub use redis::{Redis, RedisCluster};
pub use wire::{Answers, Upstream, Wire};
