//! SQLite by sqlx alone: each write is a transaction of its own.

use std::sync::Arc;

use oauth_core::secret::SystemRandom;
use oauth_core::storage::{Record, Version};
use sqlx::Row;
use sqlx::sqlite::SqlitePool;
use tokio::sync::Mutex;

use super::Bare;

const LOAD: &str = "SELECT version, retain_until, body FROM oauth_records WHERE namespace = ?1 AND id = ?2";
const UPDATE: &str = "UPDATE oauth_records SET version = ?3, retain_until = ?4, created_at = ?5, \
    expires_at = ?6, state = ?7, client_id = ?8, subject = ?9, session = ?10, body = ?11 \
    WHERE namespace = ?1 AND id = ?2 AND version = ?12 AND version <> ?3";

/// On the store's pool.
pub struct SqliteLoop {
    pool: SqlitePool,
    record: Arc<Record>,
    body: Vec<u8>,
    version: Vec<u8>,
    loads: bool,
    /// One writes at a time, as SQLite has it: its own lock would be waited for in sleeps.
    turn: Arc<Mutex<()>>,
}

impl SqliteLoop {
    /// Refreshes this record.
    pub fn new(pool: SqlitePool, record: Arc<Record>, turn: Arc<Mutex<()>>) -> Self {
        let (body, version) = (record.encode(), record.version.as_bytes().to_vec());
        Self { pool, record, body, version, loads: true, turn }
    }

    /// The same without its loads: commits and nothing else.
    #[must_use]
    pub fn of_writes(self) -> Self {
        Self { loads: false, ..self }
    }
}

impl Bare for SqliteLoop {
    async fn refresh(mut self) -> Self {
        let Self { pool, record, body, version, .. } = &self;
        let id = record.key.id().to_vec();
        let expected: Vec<u8> = if self.loads {
            let load = sqlx::query(LOAD).bind(1).bind(&id).fetch_optional(pool);
            load.await.expect("it answers").expect("it is stored").get(0)
        } else {
            version.clone()
        };
        let next = Version::generate(&SystemRandom).as_bytes().to_vec();
        let turn = self.turn.lock().await;
        let written = sqlx::query(UPDATE)
            .bind(1)
            .bind(&id)
            .bind(&next)
            .bind(record.retain_until.as_millis())
            .bind(record.retain_until.as_millis())
            .bind(record.retain_until.as_millis())
            .bind("active")
            .bind(record.client_id())
            .bind(record.subject())
            .bind(record.session())
            .bind(body)
            .bind(expected)
            .execute(pool)
            .await
            .expect("it answers");
        drop(turn);
        assert_eq!(written.rows_affected(), 1);
        self.version = next;
        self
    }
}
