//! The statements of a refresh, a load and a conditional write of a record as large as a refreshed grant, by the driver alone.

mod postgres;
mod redis;
mod sqlite;

pub use postgres::PostgresLoop;
pub use redis::RedisLoop;
pub use sqlite::SqliteLoop;

/// One grant's loop.
pub trait Bare: Sized + Send + 'static {
    /// A load and a write.
    fn refresh(self) -> impl Future<Output = Self> + Send;
}
