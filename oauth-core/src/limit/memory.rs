//! The limiter that counts in this process.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{Bucket, Limiter, Quota, Spend, Verdict};
use crate::clock::Timestamp;

/// How many buckets share a lock and a place.
const WAYS: usize = 8;
/// How many places there are.
const SETS: usize = 4096;

/// Counts in memory: 32 768 buckets in at most 1 MiB, taken at the first attempt and never more.
///
/// Each bucket is one time: when it will be full again (the generic cell rate algorithm). Where a new bucket finds no room, the
/// one that would be full soonest gives way: who floods the limiter with ever new addresses pushes out their own, while those
/// that have used up most stay.
pub struct MemoryLimiter {
    /// Unpredictable, so that nobody can choose whose bucket gives way.
    places: RandomState,
    sets: OnceLock<Box<[Mutex<[Slot; WAYS]>]>>,
}

/// A bucket and when it is full again. One that is full is as good as none.
#[derive(Clone, Copy)]
struct Slot {
    id: [u8; 16],
    full_at: i64,
}

impl MemoryLimiter {
    /// An empty one.
    pub fn new() -> Self {
        Self { places: RandomState::new(), sets: OnceLock::new() }
    }

    fn spend_now(&self, bucket: &Bucket, spend: Spend, now: Timestamp) -> Verdict {
        if bucket.quota.every.is_zero() {
            return Verdict::Allowed;
        }
        let sets = match (self.sets.get(), spend) {
            (Some(sets), _) => sets,
            (None, Spend::One) => self.sets.get_or_init(empty),
            (None, _) => return room(bucket.quota, 0),
        };
        let place = self.places.hash_one(bucket.id) as usize % SETS;
        let mut set = sets[place].lock().unwrap_or_else(PoisonError::into_inner);
        let known = set.iter().position(|slot| slot.id == bucket.id);
        let now = now.as_millis();
        let full_at = known.map_or(now, |at| set[at].full_at);
        let every = millis(bucket.quota.every);
        let most = every.saturating_mul(i64::from(bucket.quota.burst));
        // A clock that was set back must not make anybody wait for longer than an empty bucket does.
        let owed = full_at.saturating_sub(now).clamp(0, most);
        let next = match spend {
            Spend::Nothing => return room(bucket.quota, owed),
            Spend::Back => owed.saturating_sub(every).max(0),
            Spend::One => match room(bucket.quota, owed) {
                Verdict::Allowed => owed + every,
                refused => return refused,
            },
        };
        let slot = known.map_or_else(|| soonest(&set), Some).filter(|_| known.is_some() || next > 0);
        if let Some(at) = slot {
            set[at] = Slot { id: bucket.id, full_at: now.saturating_add(next) };
        }
        Verdict::Allowed
    }
}

/// Whether one more fits into a bucket that has `owed` milliseconds to go until it is full again.
fn room(quota: Quota, owed: i64) -> Verdict {
    let every = millis(quota.every);
    let most = every.saturating_mul(i64::from(quota.burst));
    match owed.saturating_add(every).saturating_sub(most) {
        over if over <= 0 => Verdict::Allowed,
        over => Verdict::RetryAfter(Duration::from_millis(over.unsigned_abs())),
    }
}

fn soonest(set: &[Slot; WAYS]) -> Option<usize> {
    (0..WAYS).min_by_key(|at| set[*at].full_at)
}

fn empty() -> Box<[Mutex<[Slot; WAYS]>]> {
    let slot = Slot { id: [0; 16], full_at: i64::MIN };
    (0..SETS).map(|_| Mutex::new([slot; WAYS])).collect()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1)
}

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimiter").finish_non_exhaustive()
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn spend(&self, bucket: &Bucket, spend: Spend, now: Timestamp) -> Verdict {
        self.spend_now(bucket, spend, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{LimitBy, Rule};

    fn bucket(name: &str, burst: u32, secs: u64) -> Bucket {
        let quota = Quota::new(burst, Duration::from_secs(secs));
        Bucket::of(Rule::DeviceClient, &LimitBy::Client(name), quota).remove(0)
    }

    fn take(limiter: &MemoryLimiter, bucket: &Bucket, second: i64) -> Verdict {
        limiter.spend_now(bucket, Spend::One, Timestamp::from_secs(second))
    }

    fn wait(secs: u64) -> Verdict {
        Verdict::RetryAfter(Duration::from_secs(secs))
    }

    #[test]
    fn a_burst_then_one_in_a_while() {
        let (limiter, own) = (MemoryLimiter::new(), bucket("a", 3, 10));
        for _ in 0..3 {
            assert_eq!(take(&limiter, &own, 100), Verdict::Allowed);
        }
        assert_eq!(take(&limiter, &own, 100), wait(10));
        // What was refused has cost nothing.
        assert_eq!(take(&limiter, &own, 109), wait(1));
        assert_eq!(take(&limiter, &own, 110), Verdict::Allowed);
        assert_eq!(take(&limiter, &own, 110), wait(10));
        assert_eq!(take(&limiter, &bucket("b", 3, 10), 110), Verdict::Allowed);
        for _ in 0..3 {
            assert_eq!(take(&limiter, &own, 1000), Verdict::Allowed);
        }
        assert_eq!(take(&limiter, &own, 1000), wait(10));
    }

    #[test]
    fn asking_costs_nothing_and_giving_back_restores_one() {
        let (limiter, own) = (MemoryLimiter::new(), bucket("a", 1, 10));
        let spend = |spend| limiter.spend_now(&own, spend, Timestamp::from_secs(5));
        assert_eq!(spend(Spend::Nothing), Verdict::Allowed);
        assert_eq!(spend(Spend::Back), Verdict::Allowed);
        assert_eq!(spend(Spend::One), Verdict::Allowed);
        assert_eq!(spend(Spend::Nothing), wait(10));
        assert_eq!(spend(Spend::Back), Verdict::Allowed);
        assert_eq!(spend(Spend::Back), Verdict::Allowed);
        assert_eq!(spend(Spend::One), Verdict::Allowed);
        assert_eq!(spend(Spend::One), wait(10));
    }

    #[test]
    fn none_and_no_limit() {
        let limiter = MemoryLimiter::new();
        assert_ne!(take(&limiter, &bucket("a", 0, 10), 0), Verdict::Allowed);
        let unlimited = Bucket { quota: Quota::UNLIMITED, ..bucket("a", 0, 10) };
        for _ in 0..1000 {
            assert_eq!(take(&limiter, &unlimited, 0), Verdict::Allowed);
        }
        let long = Bucket { quota: Quota::new(u32::MAX, Duration::MAX), ..bucket("b", 0, 10) };
        assert_eq!(take(&limiter, &long, i64::MAX), Verdict::Allowed);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (limiter, own) = (MemoryLimiter::new(), bucket("a", 2, 10));
        assert_eq!(take(&limiter, &own, 1_000_000), Verdict::Allowed);
        assert_eq!(take(&limiter, &own, 10), wait(10));
        assert_eq!(take(&limiter, &own, 20), wait(10), "the debt is that of an empty bucket, from now on");
        assert_eq!(limiter.spend_now(&own, Spend::Back, Timestamp::from_secs(20)), Verdict::Allowed);
        assert_eq!(take(&limiter, &own, 30), Verdict::Allowed);
    }

    #[test]
    fn ex_05_a_flood_of_new_buckets_takes_no_more_memory_and_frees_no_old_one() {
        let (limiter, own) = (MemoryLimiter::new(), bucket("guesser", 50, 30));
        for _ in 0..50 {
            assert_eq!(take(&limiter, &own, 0), Verdict::Allowed);
        }
        for other in 0..200_000 {
            let _ = take(&limiter, &bucket(&other.to_string(), 50, 30), 0);
        }
        assert_eq!(take(&limiter, &own, 0), wait(30));
        let bytes = SETS * size_of::<Mutex<[Slot; WAYS]>>();
        assert!(bytes <= 1 << 20, "{bytes}");
    }

    #[test]
    fn of_concurrent_attempts_only_as_many_as_fit_are_allowed() {
        let (limiter, own) = (MemoryLimiter::new(), bucket("a", 10, 10));
        let allowed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..100).filter(|_| take(&limiter, &own, 0) == Verdict::Allowed).count())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(allowed, 10);
    }
}
