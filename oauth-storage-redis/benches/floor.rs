//! What the store costs beyond its statements: reading and rewriting live grants through the store, and the same commands
//! with the same payloads through the bare driver, over one connection each, by turns in one run.
#![expect(clippy::print_stdout, reason = "figures are for people")]

#[path = "../tests/redis/records.rs"]
#[expect(dead_code, reason = "the tests need more kinds of records")]
mod records;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engines::Redis;
use oauth_core::storage::{Record, Store, Swap};
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::aio::MultiplexedConnection;
use oauth_storage_redis::redis::{AsyncConnectionConfig, Client, Script, Value, cmd};
use records::Records;
use tokio::task::JoinSet;
use tokio::time::Instant;

const GRANTS: usize = 10_000;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 7;

/// The store's own script.
const SWAP: &str =
    concat!(include_str!("../src/scripts/before.lua"), include_str!("../src/scripts/swap.lua"));

/// Tasks that share the work, as requests on a server do.
///
/// Gives the time and the processor time of client and server.
async fn timed<W: Future<Output = ()> + Send + 'static>(
    server: &MultiplexedConnection,
    pairs: Vec<(Arc<Record>, Arc<Record>)>,
    work: impl Fn(Arc<Record>, Arc<Record>) -> W + Clone + Send + Sync + 'static,
) -> Cost {
    let (began, processor) = (Instant::now(), processor_time(server).await);
    let mut tasks = JoinSet::new();
    for share in pairs.chunks(GRANTS.div_ceil(AT_ONCE)) {
        let (share, work) = (share.to_vec(), work.clone());
        tasks.spawn(async move {
            for (old, next) in share {
                work(old, next).await;
            }
        });
    }
    tasks.join_all().await;
    Cost { elapsed: began.elapsed(), processor: processor_time(server).await - processor }
}

#[derive(Clone, Copy, Default)]
struct Cost {
    elapsed: Duration,
    processor: Duration,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.processor += other.processor;
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate has few digits")]
    fn print(self, name: &str) {
        let times = (ROUNDS * GRANTS) as f64;
        println!(
            "{name}: {:.0} refreshes a second, {:.1} µs of processor time each",
            times / self.elapsed.as_secs_f64(),
            self.processor.as_secs_f64() * 1e6 / times,
        );
    }
}

/// Of this process and of the server. Less disturbed by others on the machine than time is.
async fn processor_time(server: &MultiplexedConnection) -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let (_, after_the_name) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks: u64 =
        after_the_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    let info: String =
        cmd("INFO").arg("cpu").query_async(&mut server.clone()).await.expect("the server answers");
    let main_thread = ["used_cpu_user_main_thread:", "used_cpu_sys_main_thread:"];
    let seconds =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    let server: f64 = main_thread.into_iter().filter_map(seconds).sum();
    Duration::from_millis(10 * ticks) + Duration::from_secs_f64(server)
}

/// A call as the store makes it, sent again and again: an own version is not compared, only counted by its bytes.
async fn bare(mut connection: MultiplexedConnection, digest: Arc<str>, old: Arc<Record>, next: Arc<Record>) {
    let key = format!("oauth:r:{}", URL_SAFE_NO_PAD.encode(old.key.to_bytes()));
    let loaded: Value =
        cmd("GETEX").arg(&key).query_async(&mut connection).await.expect("the server answers");
    let Value::BulkString(loaded) = loaded else { panic!("a record is stored") };
    let mut swap = cmd("EVALSHA");
    // The parts of what was read, with another version: as long as what the store writes.
    let head = [next.version.as_bytes(), &loaded[16..24]].concat();
    swap.arg(&*digest)
        .arg(1)
        .arg(&key)
        .arg(head)
        .arg(&loaded[..16])
        .arg(&loaded[32..])
        .arg("")
        .arg("1000000000");
    let swapped: i64 = swap.query_async(&mut connection).await.expect("the server answers");
    assert_eq!(swapped, 1);
}

async fn stored(store: RedisStore, old: Arc<Record>, next: Arc<Record>) {
    black_box(store.load(&old.key).await.expect("the server answers"));
    assert_eq!(store.swap(next, Some(old.version)).await.expect("the server answers"), Swap::Swapped);
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let redis = Redis::start_with(&[("appendonly", "yes"), ("appendfsync", "everysec")]);
    let client = Client::open(redis.url()).expect("a valid URL");
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut connection =
        client.get_multiplexed_async_connection_with_config(&config).await.expect("the server runs");
    let script = Script::new(SWAP);
    script.prepare_invoke().load_async(&mut connection).await.expect("a valid script");
    let store = RedisStore::single(client).connect().await.expect("the server runs");
    let records = Records::new(1);
    let mut live: Vec<_> = (0..GRANTS).map(|_| records.grant()).collect();
    for record in &live {
        let _ = store.swap(record.clone(), None).await.expect("the server answers");
    }
    let (mut by_store, mut by_driver) = (Cost::default(), Cost::default());
    for _ in 0..ROUNDS {
        let mut pairs = || {
            let next: Vec<_> = live.iter().map(|record| records.next(record)).collect();
            std::mem::replace(&mut live, next.clone()).into_iter().zip(next).collect()
        };
        let (first, second) = (pairs(), pairs());
        let through = store.clone();
        by_store.add(timed(&connection, first, move |old, next| stored(through.clone(), old, next)).await);
        let (through, digest) = (connection.clone(), Arc::<str>::from(script.get_hash()));
        let work = move |old, next| bare(through.clone(), digest.clone(), old, next);
        by_driver.add(timed(&connection, second, work).await);
    }
    println!("{AT_ONCE} at once, appendfsync everysec");
    by_store.print("through the store");
    by_driver.print("through the bare driver");
    let ratio = |store: Duration, driver: Duration| driver.as_secs_f64() / store.as_secs_f64();
    println!(
        "ratio {:.2} by time, {:.2} by processor time",
        ratio(by_store.elapsed, by_driver.elapsed),
        ratio(by_store.processor, by_driver.processor),
    );
}
