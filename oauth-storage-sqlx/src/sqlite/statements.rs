//! The statements, with the tables' prefix in them.

use std::sync::Arc;

use sqlx::AssertSqlSafe;

use crate::listing::COLUMNS;
use crate::names::Name;

/// What is run. Made once: the driver keeps them prepared by their text.
#[derive(Debug)]
pub(super) struct Statements {
    load: Arc<str>,
    version: Arc<str>,
    insert: Arc<str>,
    update: Arc<str>,
    list: [Arc<str>; 3],
    purge: Arc<str>,
    due: Arc<str>,
}

type Sql = AssertSqlSafe<Arc<str>>;

impl Statements {
    pub(super) fn new(prefix: &Name) -> Self {
        let sql = |text: &str| -> Arc<str> { prefix.apply(text).into() };
        let list = |column: &str| {
            sql(&format!(
                "SELECT namespace, id FROM oauth_records WHERE {column} = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
            ))
        };
        Self {
            load: sql(
                "SELECT version, retain_until, body FROM oauth_records WHERE namespace = ?1 AND id = ?2",
            ),
            version: sql("SELECT version FROM oauth_records WHERE namespace = ?1 AND id = ?2"),
            insert: sql("INSERT INTO oauth_records (namespace, id, version, retain_until, created_at, \
                 expires_at, state, client_id, subject, session, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING"),
            update: sql("UPDATE oauth_records SET version = ?3, retain_until = ?4, created_at = ?5, \
                 expires_at = ?6, state = ?7, client_id = ?8, subject = ?9, session = ?10, body = ?11 \
                 WHERE namespace = ?1 AND id = ?2 AND version = ?12 AND version <> ?3"),
            list: COLUMNS.map(list),
            purge: sql("DELETE FROM oauth_records WHERE rowid IN (SELECT rowid FROM oauth_records \
                 WHERE retain_until < ?1 ORDER BY retain_until LIMIT ?2)"),
            due: sql("SELECT EXISTS (SELECT 1 FROM oauth_records WHERE retain_until < ?1)"),
        }
    }

    pub(super) fn load(&self) -> Sql {
        AssertSqlSafe(self.load.clone())
    }

    pub(super) fn version(&self) -> Sql {
        AssertSqlSafe(self.version.clone())
    }

    pub(super) fn insert(&self) -> Sql {
        AssertSqlSafe(self.insert.clone())
    }

    pub(super) fn update(&self) -> Sql {
        AssertSqlSafe(self.update.clone())
    }

    pub(super) fn list(&self, column: usize) -> Sql {
        AssertSqlSafe(self.list[column].clone())
    }

    pub(super) fn purge(&self) -> Sql {
        AssertSqlSafe(self.purge.clone())
    }

    pub(super) fn due(&self) -> Sql {
        AssertSqlSafe(self.due.clone())
    }
}
