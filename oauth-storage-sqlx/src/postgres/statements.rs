//! The statements, with the schema and the tables' prefix in them.

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
    list_after: [Arc<str>; 3],
    purge: Arc<str>,
}

type Sql = AssertSqlSafe<Arc<str>>;

impl Statements {
    pub(super) fn new(schema: Option<&Name>, prefix: &Name) -> Self {
        let table = match schema {
            None => prefix.as_str().to_owned(),
            Some(schema) => format!("\"{}\".{}", schema.as_str(), prefix.as_str()),
        };
        let sql = |text: &str| -> Arc<str> { text.replace(Name::PREFIX, &table).into() };
        let list = |column: &str, after: &str| {
            sql(&format!(
                "SELECT namespace, id FROM oauth_records WHERE left(md5({column}), 6) = left(md5($1), 6) \
                 AND {column} = $1 {after} ORDER BY id LIMIT $2"
            ))
        };
        Self {
            load: sql(
                "SELECT version, retain_until, body FROM oauth_records WHERE namespace = $1 AND id = $2",
            ),
            version: sql("SELECT version FROM oauth_records WHERE namespace = $1 AND id = $2"),
            insert: sql("INSERT INTO oauth_records (namespace, id, version, retain_until, purge_minute, \
                 created_at, expires_at, state, client_id, subject, session, body) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING 1"),
            update: sql("UPDATE oauth_records SET version = $3, retain_until = $4, purge_minute = $5, \
                 created_at = $6, expires_at = $7, state = $8, client_id = $9, subject = $10, \
                 session = $11, body = $12 \
                 WHERE namespace = $1 AND id = $2 AND version = $13 AND version <> $3 RETURNING 1"),
            list: COLUMNS.map(|column| list(column, "")),
            list_after: COLUMNS.map(|column| list(column, "AND id > $3")),
            // One more is looked for than deleted, which tells whether more remain. What another transaction holds is
            // left to a later purge, and what it has written since is compared again. A limit that the planner cannot see lets
            // it read the index in order: where its statistics know of few rows that are due, it would sort all there are.
            purge: sql("WITH due AS (SELECT namespace, id FROM oauth_records \
                     WHERE purge_minute <= $1 AND retain_until < $2 ORDER BY purge_minute LIMIT (SELECT $3::bigint + 1) \
                     FOR UPDATE SKIP LOCKED), \
                 gone AS (DELETE FROM oauth_records record USING (SELECT * FROM due LIMIT $3) due \
                     WHERE record.namespace = due.namespace AND record.id = due.id \
                     AND record.retain_until < $2 RETURNING 1) \
                 SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM due) > $3"),
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

    pub(super) fn list(&self, column: usize, after: bool) -> Sql {
        AssertSqlSafe(if after { &self.list_after } else { &self.list }[column].clone())
    }

    pub(super) fn purge(&self) -> Sql {
        AssertSqlSafe(self.purge.clone())
    }
}
