//! Many new records in few statements, as the stores would have written them one by one.

use std::sync::Arc;

use oauth_core::storage::{Record, Store, Swap};
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::types::Uuid;
use sqlx::{Postgres, QueryBuilder, Sqlite};
use tokio::task::JoinSet;

/// A statement of SQLite has at most 32,766 arguments, one of PostgreSQL 65,535.
const ROWS: usize = 2_000;

/// By the driver alone.
///
/// # Panics
///
/// When the database refuses.
pub async fn into_sqlite(pool: &SqlitePool, records: &[Arc<Record>]) {
    for rows in records.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO oauth_records (namespace, id, version, retain_until, created_at, expires_at, state, \
             client_id, subject, session, body) ",
        );
        insert.push_values(rows, |mut row, record| {
            let grant = record.grant().expect("a grant");
            row.push_bind(record.key.namespace() as u8)
                .push_bind(record.key.id().to_vec())
                .push_bind(record.version.as_bytes().to_vec())
                .push_bind(record.retain_until.as_millis())
                .push_bind(grant.created_at.as_millis())
                .push_bind(grant.expires_at.as_millis())
                .push_bind(grant.state.name())
                .push_bind(record.client_id())
                .push_bind(record.subject())
                .push_bind(record.session())
                .push_bind(record.encode());
        });
        insert.build().persistent(false).execute(pool).await.expect("it answers");
    }
}

/// By the driver alone.
///
/// # Panics
///
/// When the database refuses.
pub async fn into_postgres(pool: &PgPool, records: &[Arc<Record>]) {
    for rows in records.chunks(ROWS) {
        let mut insert = QueryBuilder::<Postgres>::new(
            "INSERT INTO oauth_records (namespace, id, version, retain_until, purge_minute, created_at, \
             expires_at, state, client_id, subject, session, body) ",
        );
        insert.push_values(rows, |mut row, record| {
            let grant = record.grant().expect("a grant");
            row.push_bind(i16::from(record.key.namespace() as u8))
                .push_bind(Uuid::from_bytes(*record.key.id()))
                .push_bind(Uuid::from_bytes(*record.version.as_bytes()))
                .push_bind(record.retain_until.as_millis())
                .push_bind(i32::try_from(record.retain_until.as_secs() / 60).expect("not that far"))
                .push_bind(grant.created_at.as_millis())
                .push_bind(grant.expires_at.as_millis())
                .push_bind(grant.state.name())
                .push_bind(record.client_id())
                .push_bind(record.subject())
                .push_bind(record.session())
                .push_bind(record.encode());
        });
        insert.build().execute(pool).await.expect("it answers");
    }
}

/// One by one, many at a time.
///
/// # Panics
///
/// When the store refuses.
pub async fn into_store(store: &(impl Store + Clone), records: &[Arc<Record>]) {
    const WRITERS: usize = 64;
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        let share: Vec<_> = records.iter().skip(writer).step_by(WRITERS).cloned().collect();
        tasks.spawn(async move {
            for record in share {
                assert_eq!(store.swap(record, None).await.expect("it answers"), Swap::Swapped);
            }
        });
    }
    tasks.join_all().await;
}
