//! Two processes on one store: their history is that of a single register, also across a restart.

use std::sync::Arc;

use durability_tests::{Answer, History, Operation, Replica, Request, Setup, StoreCall};
use engines::{Postgres, Redis, RedisCluster};
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Body, Key, Marker, Namespace, Record, Version};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

const KEYS: u128 = 6;
const TASKS: u64 = 8;
const OPERATIONS: usize = 10_000;

fn register_key(key: u128) -> Key {
    Key::new(Namespace::Marker, key.to_be_bytes())
}

fn write(key: u128, expected: Option<u128>, next: u128) -> StoreCall {
    let version = |number: u128| Version::from_bytes(number.to_be_bytes());
    let next = Arc::new(Record {
        key: register_key(key),
        version: version(next),
        retain_until: Timestamp::MAX,
        body: Body::Marker(Marker { used_at: Timestamp::EPOCH }),
    });
    StoreCall::Swap { next, expected: expected.map(version) }
}

/// One task of one process: loads, and writes upon what it has loaded, now and then upon what is long gone.
async fn register(server: Arc<Replica>, history: Arc<History>, seed: u64, operations: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut known = [None; KEYS as usize];
    for _ in 0..operations {
        let key = random.random_range(0..KEYS);
        let expected: Option<u128> = known[key as usize];
        if random.random_ratio(1, 2) {
            let start = history.tick();
            match server.call(&Request::Store(StoreCall::Load(register_key(key)))).await {
                Some(Answer::Done(words)) => {
                    let seen = words.first().map(|word| word.parse().expect("a version"));
                    known[key as usize] = seen;
                    history.record(key, start, Operation::Load(seen));
                }
                Some(_) => {}
                None => return,
            }
            continue;
        }
        let next = random.random::<u128>();
        let start = history.tick();
        match server.call(&Request::Store(write(key, expected, next))).await {
            Some(Answer::Done(_)) => {
                known[key as usize] = Some(next);
                history.record(key, start, Operation::Swapped { expected, next });
            }
            Some(Answer::Refused) => history.record(key, start, Operation::Stale { expected }),
            Some(Answer::Failed(_)) => history.record(key, start, Operation::Unknown { expected, next }),
            None => {
                history.record(key, start, Operation::Unknown { expected, next });
                return;
            }
        }
    }
}

/// Both processes work; in the middle `disturb` does its harm, and whoever died is started again.
async fn check(setup: Setup, seed: u64, disturb: impl AsyncFn(&Replica)) {
    let history = Arc::new(History::default());
    for round in 0..2 {
        let left = Arc::new(Replica::start(&setup).await.expect("a process"));
        let right = Arc::new(Replica::start(&setup).await.expect("a process"));
        let each = OPERATIONS / (2 * TASKS as usize) + 1;
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let server = if task % 2 == 0 { &left } else { &right };
                let seed = seed + 100 * round + task;
                tokio::spawn(register(
                    server.clone(),
                    history.clone(),
                    seed,
                    each + usize::from(round == 0) * each,
                ))
            })
            .collect();
        if round == 0 {
            while history.len() < OPERATIONS / 2 && !tasks.iter().all(|task| task.is_finished()) {
                tokio::task::yield_now().await;
            }
            disturb(&left).await;
        }
        for task in tasks {
            task.await.expect("no panic");
        }
    }
    assert!(history.answered() >= OPERATIONS, "only {} answers", history.answered());
    if let Err(violation) = history.check() {
        panic!("seed {seed}: {violation}");
    }
}

fn replica(url: impl Into<String>) -> Setup {
    Setup::new(env!("CARGO_BIN_EXE_replica"), url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_over_a_killed_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("oauth.db");
    check(replica(format!("sqlite:{}", file.display())), 1, Replica::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_over_a_crash_of_the_server() {
    let postgres = Postgres::start();
    check(replica(postgres.url()), 2, async |_| {
        postgres.crash();
        postgres.restart();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_over_a_crash_of_the_server() {
    let redis = Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    check(replica(redis.url()), 3, async |_| {
        redis.crash();
        redis.restart();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_cluster_over_a_killed_process() {
    let cluster = RedisCluster::shared();
    check(replica(format!("cluster:{}", cluster.urls().join(","))), 4, Replica::kill).await;
}

/// Each primary in turn is killed under load and started again on its append-only file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_cluster_over_crashes_of_its_nodes() {
    let cluster = RedisCluster::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    check(replica(format!("cluster:{}", cluster.urls().join(","))), 5, async |_| {
        for node in 0..cluster.urls().len() {
            cluster.crash_node(node);
            cluster.restart();
        }
    })
    .await;
}
