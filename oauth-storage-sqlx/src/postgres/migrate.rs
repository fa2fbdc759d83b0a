//! The tables.

use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Error};

use crate::migrate::Migration;
use crate::names::Name;

const ALL: &[Migration] =
    &[Migration { number: 1, sql: include_str!("../../migrations/postgres/0001_records.sql") }];

/// Whoever migrates holds this advisory lock.
const LOCK: i64 = i64::from_be_bytes(*b"oauthsql");

const HISTORY: &str = "CREATE TABLE oauth_migrations (\
     number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())";

/// In one transaction. What is there already is not created again: the role may not be allowed to.
pub(super) async fn run(pool: &PgPool, schema: Option<&Name>, prefix: &Name) -> Result<(), Error> {
    let mut transaction = pool.begin().await?;
    let connection = &mut *transaction;
    let sql = |text: &str| AssertSqlSafe(prefix.apply(text));
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .persistent(false)
        .bind(LOCK)
        .execute(&mut *connection)
        .await?;
    if let Some(schema) = schema.map(Name::as_str) {
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
                .persistent(false)
                .bind(schema)
                .fetch_one(&mut *connection)
                .await?;
        if !exists {
            let create = AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\""));
            sqlx::raw_sql(create).execute(&mut *connection).await?;
        }
        let path = AssertSqlSafe(format!("SET LOCAL search_path TO \"{schema}\""));
        sqlx::raw_sql(path).execute(&mut *connection).await?;
    }
    let history_exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .persistent(false)
        .bind(prefix.apply("oauth_migrations"))
        .fetch_one(&mut *connection)
        .await?;
    if !history_exists {
        sqlx::raw_sql(sql(HISTORY)).execute(&mut *connection).await?;
    }
    let history: Vec<i32> = sqlx::query_scalar(sql("SELECT number FROM oauth_migrations"))
        .persistent(false)
        .fetch_all(&mut *connection)
        .await?;
    for migration in Migration::missing(ALL, &history) {
        sqlx::raw_sql(AssertSqlSafe(migration.sql(prefix))).execute(&mut *connection).await?;
        sqlx::query(sql("INSERT INTO oauth_migrations (number) VALUES ($1)"))
            .persistent(false)
            .bind(migration.number)
            .execute(&mut *connection)
            .await?;
    }
    transaction.commit().await
}
