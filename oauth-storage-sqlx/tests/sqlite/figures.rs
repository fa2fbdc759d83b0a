//! What it costs: bytes, and commits. Printed with `--nocapture`.
#![expect(clippy::print_stdout, reason = "figures are for people")]
#![expect(clippy::disallowed_methods, reason = "figures are measured with the machine's clock")]

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use oauth_core::storage::{Record, Store, Swap};
use sqlx::{query, query_scalar};

use crate::backend::open;
use crate::purging::{Space, gives_its_space_back};
use crate::records::Records;

#[tokio::test(flavor = "multi_thread")]
async fn a_live_grant_is_measured() {
    const GRANTS: usize = 4_000;
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    store.migrate().await.unwrap();
    let records = Records::new(1);
    for (name, grant) in [
        ("reference grant", Records::grant as fn(&Records) -> Arc<Record>),
        ("by code, refreshed", Records::refreshed_grant),
    ] {
        let bytes = async || -> u64 {
            let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
            query_scalar(size).fetch_one(store.pool()).await.unwrap()
        };
        let before = bytes().await;
        let swaps = (0..GRANTS).map(|_| store.swap(grant(&records), None));
        for answer in join_all(swaps).await {
            assert_eq!(answer.unwrap(), Swap::Swapped);
        }
        let each = (bytes().await - before) / GRANTS as u64;
        println!(
            "sqlite, {name}: {each} bytes a grant, of which {} are the body",
            grant(&records).encode().len()
        );
    }
}

/// 64 refreshes at once, each a read and a write, beside the same statements with a commit each.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_writes_are_faster_together() {
    const AT_ONCE: usize = 64;
    const REFRESHES: usize = 20;
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    store.migrate().await.unwrap();
    let records = &Records::new(1);
    let live: Vec<_> = (0..AT_ONCE).map(|_| records.grant()).collect();
    for answer in join_all(live.iter().map(|record| store.swap(record.clone(), None))).await {
        assert_eq!(answer.unwrap(), Swap::Swapped);
    }

    let begun = Instant::now();
    let refreshes = live.iter().map(|record| async {
        for _ in 0..REFRESHES {
            let stored = store.load(&record.key).await.unwrap().unwrap();
            let next = records.next(&stored);
            assert_eq!(store.swap(next, Some(stored.version)).await.unwrap(), Swap::Swapped);
        }
    });
    join_all(refreshes).await;
    let together = (AT_ONCE * REFRESHES) as f64 / begun.elapsed().as_secs_f64();

    let mut connection = store.pool().acquire().await.unwrap();
    let begun = Instant::now();
    for _ in 0..REFRESHES {
        for record in &live {
            let next = records.next(record);
            query("UPDATE oauth_records SET version = ?1, body = ?2 WHERE namespace = 1 AND id = ?3")
                .bind(next.version.as_bytes().to_vec())
                .bind(next.encode())
                .bind(record.key.id().to_vec())
                .execute(&mut *connection)
                .await
                .unwrap();
        }
    }
    let alone = (AT_ONCE * REFRESHES) as f64 / begun.elapsed().as_secs_f64();
    println!(
        "sqlite: {together:.0} refreshes a second by {AT_ONCE} at once, {alone:.0} bare updates with a commit each: {:.1} times",
        together / alone
    );
}

/// Pages of purged records are used again; the file keeps its size, as SQLite's do.
#[tokio::test(flavor = "multi_thread")]
async fn purged_pages_are_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("store.db"));
    store.migrate().await.unwrap();
    let space = async || {
        let count =
            async |sql: &'static str| -> u64 { query_scalar(sql).fetch_one(store.pool()).await.unwrap() };
        let (page, all) = (count("PRAGMA page_size").await, count("PRAGMA page_count").await);
        Space { used: page * (all - count("PRAGMA freelist_count").await), taken: page * all }
    };
    gives_its_space_back(&store, space).await;
}
