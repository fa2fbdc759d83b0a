//! The tables.

use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Error};

use crate::migrate::Migration;
use crate::names::Name;

const ALL: &[Migration] =
    &[Migration { number: 1, sql: include_str!("../../migrations/sqlite/0001_records.sql") }];

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS oauth_migrations (\
     number INTEGER PRIMARY KEY, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT";

/// In one transaction that begins with the write lock: who comes second sees what the first has done.
pub(super) async fn run(pool: &SqlitePool, prefix: &Name) -> Result<(), Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let sql = |text: &str| AssertSqlSafe(prefix.apply(text));
    sqlx::raw_sql(sql(HISTORY)).execute(&mut *transaction).await?;
    let history: Vec<i32> = sqlx::query_scalar(sql("SELECT number FROM oauth_migrations"))
        .persistent(false)
        .fetch_all(&mut *transaction)
        .await?;
    for migration in Migration::missing(ALL, &history) {
        sqlx::raw_sql(AssertSqlSafe(migration.sql(prefix))).execute(&mut *transaction).await?;
        sqlx::query(sql("INSERT INTO oauth_migrations (number) VALUES (?1)"))
            .persistent(false)
            .bind(migration.number)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}
