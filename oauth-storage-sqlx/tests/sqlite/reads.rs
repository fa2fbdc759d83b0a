//! What is read is a record, or an error.

use oauth_core::storage::testing::Backend;
use oauth_core::storage::{Store, StoreError, Swap};
use sqlx::{AssertSqlSafe, raw_sql};

use crate::backend::Files;
use crate::records::Records;

/// What is stored and is no record is told apart from a failure of the engine.
#[test]
fn a_damaged_record_is_corrupt() {
    let files = Files::new();
    files.block_on(Box::pin(async {
        let store = files.fresh().await;
        let record = Records::new(1).grant();
        assert_eq!(store.swap(record.clone(), None).await.unwrap(), Swap::Swapped);
        for damage in ["body = x''", "body = x'00'", "body = x'01'", "body = x'ff00'", "version = x'01'"] {
            let damage = AssertSqlSafe(format!("UPDATE oauth_records SET {damage}"));
            raw_sql(damage).execute(store.pool()).await.unwrap();
            let error = store.load(&record.key).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        }
    }));
}
