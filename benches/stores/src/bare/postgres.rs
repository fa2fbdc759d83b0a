//! PostgreSQL by sqlx alone.

use std::sync::Arc;

use oauth_core::secret::SystemRandom;
use oauth_core::storage::{Record, Version};
use sqlx::Row;
use sqlx::postgres::PgPool;
use sqlx::types::Uuid;

use super::Bare;

const LOAD: &str = "SELECT version, retain_until, body FROM oauth_records WHERE namespace = $1 AND id = $2";
const UPDATE: &str = "UPDATE oauth_records SET version = $3, retain_until = $4, purge_minute = $5, \
    created_at = $6, expires_at = $7, state = $8, client_id = $9, subject = $10, session = $11, \
    body = $12 WHERE namespace = $1 AND id = $2 AND version = $13 AND version <> $3 RETURNING 1";

/// On the store's pool.
pub struct PostgresLoop {
    pool: PgPool,
    record: Arc<Record>,
    body: Vec<u8>,
}

impl PostgresLoop {
    /// Refreshes this record.
    pub fn new(pool: PgPool, record: Arc<Record>) -> Self {
        let body = record.encode();
        Self { pool, record, body }
    }
}

impl Bare for PostgresLoop {
    async fn refresh(self) -> Self {
        let Self { pool, record, body } = &self;
        let id = Uuid::from_bytes(*record.key.id());
        let row = sqlx::query(LOAD).bind(1_i16).bind(id).fetch_all(pool).await.expect("it answers");
        let version: Uuid = row[0].get(0);
        let written = sqlx::query(UPDATE)
            .bind(1_i16)
            .bind(id)
            .bind(Uuid::from_bytes(*Version::generate(&SystemRandom).as_bytes()))
            .bind(record.retain_until.as_millis())
            .bind(i32::try_from(record.retain_until.as_secs() / 60).expect("not that far"))
            .bind(record.retain_until.as_millis())
            .bind(record.retain_until.as_millis())
            .bind("active")
            .bind(record.client_id())
            .bind(record.subject())
            .bind(record.session())
            .bind(body)
            .bind(version)
            .fetch_all(pool)
            .await
            .expect("it answers");
        assert_eq!(written.len(), 1);
        self
    }
}
