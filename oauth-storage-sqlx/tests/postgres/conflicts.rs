//! Other transactions: those that undo a statement, and those that hold a row.

use oauth_core::storage::{Store, StoreError, Swap};
use oauth_storage_sqlx::PostgresStore;
use sqlx::{AssertSqlSafe, query, query_scalar, raw_sql};

use crate::backend::{fresh, patient_pool};
use crate::purging;
use crate::records::{DAY, NOW, Records};

/// Undoes the first statements that write, each in the way of the SQLSTATE.
async fn undoing(state: &str, times: u32) -> PostgresStore {
    let store = fresh().await;
    let trigger = format!(
        "CREATE SEQUENCE attempts;
         CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('attempts') <= {times} THEN RAISE EXCEPTION 'undone' USING ERRCODE = '{state}'; END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER undo BEFORE INSERT OR UPDATE ON oauth_records FOR EACH ROW EXECUTE FUNCTION undo()"
    );
    raw_sql(AssertSqlSafe(trigger)).execute(store.pool()).await.unwrap();
    store
}

async fn attempts(store: &PostgresStore) -> i64 {
    query_scalar("SELECT last_value FROM attempts").fetch_one(store.pool()).await.unwrap()
}

#[tokio::test]
async fn what_the_server_undoes_is_tried_again() {
    for state in ["40001", "40P01"] {
        let store = undoing(state, 3).await;
        let record = Records::new(1).grant();
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
        assert_eq!(attempts(&store).await, 4);
        assert_eq!(store.load(&record.key).await.unwrap(), Some(record));
    }
}

#[tokio::test]
async fn but_not_for_ever() {
    let store = undoing("40001", 1_000_000).await;
    let record = Records::new(1).grant();
    let error = store.swap(record.clone(), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(attempts(&store).await < 20);
    assert_eq!(store.load(&record.key).await.unwrap(), None);
}

#[tokio::test]
async fn what_the_server_refuses_is_tried_once() {
    let store = undoing("23514", 1_000_000).await;
    let error = store.swap(Records::new(1).grant(), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(attempts(&store).await, 1);
}

/// A purge neither waits for a record that somebody writes, nor deletes it once it is to be kept.
#[tokio::test]
async fn a_purge_leaves_alone_what_is_held() {
    let store = fresh().await;
    let other = PostgresStore::new(patient_pool((*store.pool().connect_options()).clone()));
    let records = Records::new(1);
    let all: Vec<_> = (0..5).map(|_| records.grant()).collect();
    for record in &all {
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    }
    let held = &all[2];
    let mut lock = other.pool().begin().await.unwrap();
    query("UPDATE oauth_records SET retain_until = $2, purge_minute = $2 / 60000 WHERE id = $1")
        .bind(sqlx::types::Uuid::from_bytes(*held.key.id()))
        .bind((NOW + 90 * DAY).as_millis())
        .execute(&mut *lock)
        .await
        .unwrap();
    let now = NOW + 60 * DAY;
    let purged = store.purge(now, 100).await.unwrap();
    assert_eq!((purged.deleted, purged.more), (4, false));
    lock.commit().await.unwrap();
    assert_eq!(store.purge(now, 100).await.unwrap().deleted, 0);
    assert!(store.load(&held.key).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_goes_on_beside_refreshes() {
    purging::goes_on_beside_refreshes(&fresh().await).await;
}

/// What is stored and is no record is told apart from a failure of the engine.
#[tokio::test]
async fn a_damaged_record_is_corrupt() {
    let store = fresh().await;
    let record = Records::new(1).grant();
    assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
    for body in ["''", "'\\x00'", "'\\x01'", "'\\xff00'", "'\\x01c0'"] {
        let damage = AssertSqlSafe(format!("UPDATE oauth_records SET body = {body}"));
        raw_sql(damage).execute(store.pool()).await.unwrap();
        let error = store.load(&record.key).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{body}: {error:?}");
    }
}
