//! Stores that are wrong on purpose, on a real server and a real cluster: the suite catches each of them.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use engines::{Redis, RedisCluster};
use oauth_core::storage::testing::{self, Backend, Task, catches, yield_once};
use tokio::runtime::Runtime;

use super::*;
use crate::layout::Place;
use crate::scripts::{BEFORE, Code, PURGE, SWAP};
use crate::write::Write;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the machine has threads"));

const COMPARISON: &str = "if version == ARGV[2] then";
const OWN_VERSION: &str = "if version == string.sub(ARGV[1], 1, 16) then";
const SAME_COLUMNS: &str = "if string.sub(stored, 33) ~= string.sub(ARGV[3], 1, 8)";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// `SET` without comparing.
    SetsWhateverIsStored,
    /// `GET`, comparison in the client, `SET`.
    GetsThenSets,
    StaleToItsOwnWrite,
    WritesItsOwnAgain,
    ForgetsTheIndex,
    IndexesAfterWriting,
    PurgesByTheIndexAlone,
    ForgetsTheShorterRetention,
}

/// The flaw, and the servers that the store is on.
struct Flawed(Flaw, fn() -> Builder);

#[derive(Debug)]
struct FlawedStore {
    store: RedisStore,
    flaw: Flaw,
}

/// A script with a part replaced.
fn altered(script: &str, (part, by): (&str, &str)) -> String {
    assert!(script.contains(part), "the script has no {part:?} to replace");
    script.replace(part, by)
}

fn scripts(flaw: Flaw) -> Scripts {
    let swap = match flaw {
        Flaw::SetsWhateverIsStored | Flaw::GetsThenSets => {
            let own_first = altered(SWAP, (COMPARISON, "if version ~= string.sub(ARGV[1], 1, 16) then"));
            altered(&own_first, (SAME_COLUMNS, "if false"))
        }
        Flaw::StaleToItsOwnWrite => altered(SWAP, (OWN_VERSION, "if false then")),
        Flaw::WritesItsOwnAgain => {
            altered(SWAP, (COMPARISON, "if version == ARGV[2] or version == string.sub(ARGV[1], 1, 16) then"))
        }
        Flaw::ForgetsTheShorterRetention => altered(SWAP, ("if was == is", "if true")),
        _ => SWAP.to_owned(),
    };
    let purge = match flaw {
        Flaw::PurgesByTheIndexAlone => altered(PURGE, ("if not before(retain_until, ARGV[2])", "if false")),
        _ => PURGE.to_owned(),
    };
    Scripts {
        swap: Code::new([BEFORE, &swap].concat()),
        purge: Code::new([BEFORE, &purge].concat()),
        ..Scripts::default()
    }
}

fn on_one() -> Builder {
    RedisStore::single(redis::Client::open(Redis::shared().url()).expect("a valid URL"))
}

fn on_cluster() -> Builder {
    let nodes = RedisCluster::shared().urls();
    RedisStore::cluster(redis::cluster::ClusterClient::new(nodes).expect("valid URLs"))
}

impl Flawed {
    async fn open(&self, prefix: String) -> FlawedStore {
        let mut store = (self.1)().prefix(prefix).connect().await.expect("the servers run");
        Arc::get_mut(&mut store.0).expect("it has one handle").scripts = scripts(self.0);
        FlawedStore { store, flaw: self.0 }
    }

    /// All of these checks catch the flaw, each by naming an obligation.
    fn is_caught_by(&self, names: &[&str]) {
        catches(self, &format!("{:?}", self.0), names);
    }
}

impl Backend for Flawed {
    type Store = FlawedStore;

    async fn fresh(&self) -> FlawedStore {
        static MADE: AtomicU64 = AtomicU64::new(0);
        self.open(format!("flawed{}", MADE.fetch_add(1, Ordering::Relaxed))).await
    }

    async fn reopen(&self, store: &FlawedStore) -> FlawedStore {
        self.open(store.store.prefix().to_owned()).await
    }

    fn block_on(&self, task: Task<'_>) {
        RUNTIME.block_on(task);
    }
}

impl FlawedStore {
    async fn index(&self, record: &Record) -> StoreResult<()> {
        let inner = &self.store.0;
        let steps = Write::new(inner, record, None).index();
        inner.write_all(steps, inner.deadline()).await.map_err(|failure| failure.of_write())
    }

    async fn unlist(&self, record: &Record) -> StoreResult<()> {
        let inner = &self.store.0;
        let steps = inner.unlist(&record.key.to_bytes(), &Place::of(record));
        inner.link.send(steps, inner.deadline()).await.map(drop).map_err(|failure| failure.of_write())
    }
}

#[async_trait]
impl Store for FlawedStore {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        self.store.load(key).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        if self.flaw == Flaw::GetsThenSets {
            let stored = self.store.load(&next.key).await?.map(|record| record.version);
            if stored != expected && stored != Some(next.version) {
                return Ok(Swap::Stale);
            }
        }
        let swapped = self.store.swap(next.clone(), expected).await?;
        if matches!(self.flaw, Flaw::ForgetsTheIndex | Flaw::IndexesAfterWriting) && swapped == Swap::Swapped
        {
            self.unlist(&next).await?;
        }
        if self.flaw == Flaw::IndexesAfterWriting && swapped == Swap::Swapped {
            // Longer than the number of polls of a call varies: a drop falls into the gap, whatever the line does.
            for _ in 0..24 {
                yield_once().await;
            }
            self.index(&next).await?;
        }
        Ok(swapped)
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.store.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.store.purge(now, limit).await
    }
}

/// One `#[test]` of each flaw.
macro_rules! mutants {
    ($servers:expr) => {
        #[test]
        fn without_a_flaw_the_same_store_passes() {
            testing::run(&Flawed(Flaw::None, $servers));
        }

        #[test]
        fn sets_whatever_is_stored() {
            Flawed(Flaw::SetsWhateverIsStored, $servers).is_caught_by(&[
                "insert_needs_absence",
                "swap_needs_the_stored_version",
                "a_redelivered_swap_after_a_later_write_is_stale",
                "one_of_many_inserts_wins",
                "one_of_many_swaps_wins",
                "revocation_survives_late_writers",
            ]);
        }

        #[test]
        fn gets_then_sets() {
            Flawed(Flaw::GetsThenSets, $servers)
                .is_caught_by(&["one_of_many_inserts_wins", "one_of_many_swaps_wins"]);
        }

        #[test]
        fn answers_stale_to_its_own_write() {
            Flawed(Flaw::StaleToItsOwnWrite, $servers)
                .is_caught_by(&["a_redelivered_swap_is_recognised", "racing_deliveries_of_one_swap_agree"]);
        }

        #[test]
        fn writes_again_what_is_delivered_again() {
            Flawed(Flaw::WritesItsOwnAgain, $servers).is_caught_by(&["a_redelivered_swap_is_recognised"]);
        }

        #[test]
        fn forgets_the_index() {
            Flawed(Flaw::ForgetsTheIndex, $servers).is_caught_by(&[
                "listing_finds_by_client_subject_and_session",
                "listing_never_misses_while_others_insert",
            ]);
        }

        #[test]
        fn indexes_after_writing() {
            Flawed(Flaw::IndexesAfterWriting, $servers)
                .is_caught_by(&["a_dropped_insert_happens_wholly_or_not_at_all"]);
        }

        #[test]
        fn purges_by_the_index_alone() {
            Flawed(Flaw::PurgesByTheIndexAlone, $servers)
                .is_caught_by(&["purge_reads_the_latest_retain_until"]);
        }

        #[test]
        fn forgets_that_a_retention_got_shorter() {
            Flawed(Flaw::ForgetsTheShorterRetention, $servers)
                .is_caught_by(&["purge_reads_the_latest_retain_until"]);
        }
    };
}

mod single {
    use super::*;

    mutants!(on_one);
}

mod cluster {
    use super::*;

    mutants!(on_cluster);
}
