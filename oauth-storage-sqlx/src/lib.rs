//! Durable stores for [`oauth_core`], on the host's [`sqlx`] pool.
//!
//! | | `SqliteStore` (feature `sqlite`) | `PostgresStore` (feature `postgres`) |
//! | --- | --- | --- |
//! | for | one machine, any number of processes | any number of machines on one primary |
//! | an answered write survives a crash of the process | yes | yes |
//! | … a loss of power | with `synchronous = FULL`, as recommended | with `fsync` and `synchronous_commit` on, as by default |
//! | … a failover | – | only if the new primary had it: `synchronous_standby_names` |
//! | one of N concurrent writes wins | yes | yes, at READ COMMITTED |
//! | a read sees every answered write | yes | yes, on the primary |
//! | cost of a write | waiting writes share one commit | one round trip |
//!
//! Where a guarantee is given up, a code or refresh token that was used works again and a grant that was revoked lives again;
//! the same holds for a database that is restored from a backup.
//!
//! # Embedding
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use oauth_storage_sqlx::SqliteStore;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! # let file = directory.path().join("oauth.db");
//! let connections = SqliteStore::recommended_connect_options(file);
//! let pool = SqliteStore::recommended_options().connect_with(connections).await?;
//! let store = SqliteStore::new(pool);
//! store.migrate().await?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
#![cfg_attr(feature = "postgres", doc = "```no_run")]
#![cfg_attr(not(feature = "postgres"), doc = "```ignore")]
//! use oauth_storage_sqlx::PostgresStore;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let pool = PostgresStore::recommended_options().connect("postgres://oauth@db.example/app").await?;
//! let store = PostgresStore::new(pool).with_schema("oauth")?;
//! store.migrate().await?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! The pool is the host's: other tables and other uses of it are welcome. TLS towards PostgreSQL is a feature of sqlx that the
//! host chooses.
//!
//! # Migrations
//!
//! `migrate()` is called when the host wants it, by as many processes as start at once; what has been done is kept in the
//! table `oauth_migrations`. The same steps are plain SQL in this crate's directory `migrations`, for who applies them
//! otherwise.
//!
//! # Purging
//!
//! Nothing is deleted but by [`Store::purge`](oauth_core::storage::Store::purge), in batches of the given limit. A few
//! hundred at a time keep other writes from waiting.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod columns;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod listing;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod migrate;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod names;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use migrate::MigrateError;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use names::InvalidName;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
