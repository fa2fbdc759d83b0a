//! `migrate`: by many at once, in schemas and under prefixes, by roles that may do little.

use futures_util::future::join_all;
use oauth_core::storage::{Store, Swap};
use oauth_storage_sqlx::PostgresStore;
use sqlx::{AssertSqlSafe, query_scalar, raw_sql};

use crate::backend::{patient_pool, server, unused_schema};
use crate::records::Records;

async fn keeps_records(store: &PostgresStore) {
    let record = Records::new(1).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_that_start_at_once_migrate_once() {
    let schema = unused_schema();
    let store = |_| PostgresStore::new(patient_pool(server())).with_schema(&schema).unwrap();
    let stores: Vec<_> = (0..16).map(store).collect();
    for result in join_all(stores.iter().map(PostgresStore::migrate)).await {
        result.unwrap();
    }
    let count = AssertSqlSafe(format!("SELECT count(*) FROM {schema}.oauth_migrations"));
    let steps: i64 = query_scalar(count).fetch_one(stores[0].pool()).await.unwrap();
    assert_eq!(steps, 1);
    keeps_records(&stores[0]).await;
    stores[1].migrate().await.unwrap();
    keeps_nothing_less(&stores[1]).await;
}

/// What was stored before a second migration is there after it.
async fn keeps_nothing_less(store: &PostgresStore) {
    let record = Records::new(1).grant();
    assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
}

/// A word of SQL is a name like any other.
#[tokio::test]
async fn schemas_and_prefixes_keep_stores_apart() {
    let store = PostgresStore::new(patient_pool(server()));
    let stores = [
        store.clone().with_schema("user").unwrap().with_prefix("a_").unwrap(),
        store.clone().with_schema("user").unwrap().with_prefix("order").unwrap(),
        store.clone().with_prefix("order").unwrap().with_schema("select").unwrap(),
        store.clone().with_prefix("only_here_").unwrap(),
    ];
    for store in &stores {
        store.migrate().await.unwrap();
        keeps_records(store).await;
    }
}

#[tokio::test]
async fn names_are_checked() {
    let store = PostgresStore::new(patient_pool(server()));
    for name in ["", "A", "a-b", "a b", "a\"b", "a;b", "7"] {
        assert!(store.clone().with_schema(name).is_err(), "{name:?} passes as a schema");
        assert!(store.clone().with_prefix(name).is_err(), "{name:?} passes as a prefix");
    }
}

#[tokio::test]
async fn a_role_that_only_reads_and_writes_can_start() {
    let schema = unused_schema();
    let owner = PostgresStore::new(patient_pool(server())).with_schema(&schema).unwrap();
    owner.migrate().await.unwrap();
    let grant = format!(
        "CREATE ROLE {schema} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {schema};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {schema}"
    );
    raw_sql(AssertSqlSafe(grant)).execute(owner.pool()).await.unwrap();
    let limited = PostgresStore::new(patient_pool(server().username(&schema))).with_schema(&schema).unwrap();
    limited.migrate().await.unwrap();
    keeps_records(&limited).await;
}

/// A migration that fails leaves nothing behind.
#[tokio::test]
async fn a_failed_migration_is_undone() {
    let schema = unused_schema();
    let store = PostgresStore::new(patient_pool(server())).with_schema(&schema).unwrap();
    let obstacle = format!("CREATE SCHEMA {schema}; CREATE VIEW {schema}.oauth_records_purge AS SELECT 1");
    raw_sql(AssertSqlSafe(obstacle)).execute(store.pool()).await.unwrap();
    store.migrate().await.unwrap_err();
    let tables = AssertSqlSafe(format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'"));
    let left: i64 = query_scalar(tables).fetch_one(store.pool()).await.unwrap();
    assert_eq!(left, 0);
    raw_sql(AssertSqlSafe(format!("DROP VIEW {schema}.oauth_records_purge")))
        .execute(store.pool())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    keeps_records(&store).await;
}
