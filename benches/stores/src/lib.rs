//! Servers on durable stores, the clients that keep them busy, and bare loops of the same statements.
#![expect(clippy::disallowed_methods, reason = "figures are measured with the machine's clock")]

mod bare;
pub mod bulk;
mod client;
mod engine;
mod work;

pub use bare::{Bare, PostgresLoop, RedisLoop, SqliteLoop};
pub use client::{Client, service};
pub use engine::{Postgres, Redis, Sqlite};
pub use work::{median, rate};
