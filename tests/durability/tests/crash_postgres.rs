//! PostgreSQL under immediate stops: what was answered is there when it comes back.

#![expect(clippy::print_stdout, reason = "how much was tried is worth telling")]

use std::sync::Arc;

use durability_tests::{Client, Replica, Report, Setup};
use engines::Postgres;

const CLIENTS: u64 = 8;
/// Between two stops, for each client.
const REQUESTS: usize = 60;

/// Stops the engine so many times while two servers work on it.
async fn crashes(stops: usize, seed: u64, postgres: &Postgres) -> Report {
    let setup = Setup::new(env!("CARGO_BIN_EXE_replica"), postgres.url());
    let servers = [
        Arc::new(Replica::start(&setup).await.expect("a process")),
        Arc::new(Replica::start(&setup).await.expect("a process")),
    ];
    let mut report = Report::default();
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client::new(format!("client{number}"), seed + number)).collect();
    for _ in 0..stops {
        let tasks: Vec<_> = clients
            .into_iter()
            .zip(servers.iter().cycle())
            .map(|(mut client, server)| {
                let server = server.clone();
                tokio::spawn(async move {
                    client.work(&server, REQUESTS).await;
                    client
                })
            })
            .collect();
        // Some clients are in the middle of their work, some at its end: whichever.
        while tasks.iter().all(|task| !task.is_finished()) {
            tokio::task::yield_now().await;
        }
        postgres.crash();
        postgres.restart();
        clients = Vec::new();
        for task in tasks {
            clients.push(task.await.expect("no panic"));
        }
        for client in &mut clients {
            report.add(client.report());
        }
        if !report.violations.is_empty() {
            return report;
        }
    }
    for client in &mut clients {
        client.settle(&servers[0]).await;
        report.add(client.report());
    }
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_by_immediate_stops() {
    let seed = rand::random();
    let postgres = Postgres::start();
    let report = crashes(10, seed, &postgres).await;
    assert_eq!(report.violations, [""; 0], "seed {seed}");
    assert!(report.acknowledged > 1000, "{report:?}, seed {seed}");
    println!("{} answers, {} in doubt", report.acknowledged, report.in_doubt);
}

/// The negative control: what was answered before it was written to the disk is found missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_does_not_wait_is_caught() {
    let seed = rand::random();
    let postgres = Postgres::start_with(&[("synchronous_commit", "off"), ("wal_writer_delay", "10s")]);
    let report = crashes(10, seed, &postgres).await;
    assert!(!report.violations.is_empty(), "{report:?}, seed {seed}");
}
