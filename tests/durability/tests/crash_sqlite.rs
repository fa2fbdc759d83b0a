//! SQLite under kills: what was answered is there after the next start, although all that was not synced is lost each time.

#![expect(clippy::print_stdout, reason = "how much was tried is worth telling")]

use std::sync::Arc;
use std::time::Duration;

use durability_tests::{Client, Replica, Report, Role, Setup, Synced};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

const CLIENTS: u64 = 8;
/// More than a client gets done before it is killed.
const ENDLESS: usize = 1_000_000;

/// Kills the server so many times, and gives what the clients have seen.
async fn crashes(kills: usize, seed: u64, unsafe_sync: bool) -> Report {
    let directory = tempfile::tempdir().expect("a directory");
    let synced = Synced::new(directory.path());
    let mut setup =
        Setup::new(env!("CARGO_BIN_EXE_replica"), format!("sqlite:{}", synced.file("oauth.db").display()));
    setup.role = if unsafe_sync { Role::Unsynced } else { Role::Server };
    let mut random = StdRng::seed_from_u64(seed);
    let mut report = Report::default();

    // The tables are made, and written back to the file.
    setup.environment = synced.environment(0);
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client::new(format!("client{number}"), seed + number)).collect();
    for kill in 0..kills {
        // By turns at a random moment, right before a sync, and right after one.
        let syncs = random.random_range(1..40_i64);
        let at = match kill % 3 {
            _ if unsafe_sync => 0,
            0 => 0,
            1 => syncs,
            _ => -syncs,
        };
        setup.environment = synced.environment(at);
        // A process that dies while it opens the store has answered nothing.
        if let Ok(server) = Replica::start(&setup).await {
            let server = Arc::new(server);
            let tasks: Vec<_> = clients
                .into_iter()
                .map(|mut client| {
                    let server = server.clone();
                    tokio::spawn(async move {
                        client.work(&server, ENDLESS).await;
                        client
                    })
                })
                .collect();
            if at == 0 {
                // Not to wait for anything: the moment is what is random here.
                tokio::time::sleep(Duration::from_micros(random.random_range(0..60_000))).await;
                server.kill().await;
            } else {
                server.ended().await;
            }
            clients = Vec::new();
            for task in tasks {
                clients.push(task.await.expect("no panic"));
            }
        }
        synced.lose_power();
        for client in &mut clients {
            report.add(client.report());
        }
        if !report.violations.is_empty() {
            return report;
        }
    }
    setup.environment = synced.environment(0);
    let server = Replica::start(&setup).await.expect("a process");
    for client in &mut clients {
        client.settle(&server).await;
        report.add(client.report());
    }
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_by_a_hundred_kills() {
    let seed = rand::random();
    let report = crashes(102, seed, false).await;
    assert_eq!(report.violations, [""; 0], "seed {seed}");
    assert!(report.acknowledged > 1000 && report.in_doubt > 100, "{report:?}, seed {seed}");
    println!("{} answers, {} in doubt", report.acknowledged, report.in_doubt);
}

/// The negative control: without syncs the same clients find what was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_sync_is_caught() {
    let seed = rand::random();
    let report = crashes(20, seed, true).await;
    assert!(!report.violations.is_empty(), "{report:?}, seed {seed}");
}
