//! Verdicts on tokens, kept for a while: bounded, found by a seeded hash, compared in full.

use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::DefaultHashBuilder;
use oauth_core::clock::Timestamp;

/// How many entries share a lock and compete for room.
const WAYS: usize = 8;

/// A map of fixed size from token to verdict. Nothing is answered at or after its end, nor what an older generation has put in.
///
/// Where there is no room, the least recently used of eight neighbours gives way. Neighbours are told by a hash that is seeded
/// anew in each process, so that nobody can aim.
pub(super) struct Verdicts<T> {
    hasher: DefaultHashBuilder,
    sets: Box<[Mutex<Set<T>>]>,
}

struct Set<T> {
    entries: Vec<Entry<T>>,
    tick: u64,
}

struct Entry<T> {
    hash: u64,
    token: Box<str>,
    verdict: T,
    ends: Timestamp,
    generation: u64,
    used: u64,
}

impl<T: Clone> Verdicts<T> {
    /// Room for about so many entries; none keeps nothing.
    pub(super) fn new(entries: usize) -> Self {
        let sets = match entries {
            0 => 0,
            _ => entries.div_ceil(WAYS).next_power_of_two(),
        };
        let set = || Mutex::new(Set { entries: Vec::new(), tick: 0 });
        Self { hasher: DefaultHashBuilder::default(), sets: (0..sets).map(|_| set()).collect() }
    }

    pub(super) fn get(&self, token: &str, now: Timestamp, generation: u64) -> Option<T> {
        let (hash, mut set) = self.set(token)?;
        set.tick += 1;
        let tick = set.tick;
        let found = set.entries.iter_mut().find(|entry| entry.hash == hash && *entry.token == *token)?;
        if found.ends <= now || found.generation != generation {
            return None;
        }
        found.used = tick;
        Some(found.verdict.clone())
    }

    pub(super) fn insert(&self, token: &str, verdict: T, ends: Timestamp, generation: u64, now: Timestamp) {
        let Some((hash, mut set)) = self.set(token) else { return };
        set.tick += 1;
        let entry = Entry { hash, token: token.into(), verdict, ends, generation, used: set.tick };
        let same = |old: &Entry<T>| old.hash == hash && *old.token == *token;
        if let Some(old) = set.entries.iter_mut().find(|old| same(old)) {
            *old = entry;
        } else if set.entries.len() < WAYS {
            set.entries.push(entry);
        } else {
            let dead = |old: &Entry<T>| old.ends <= now || old.generation != generation;
            let oldest = set.entries.iter_mut().min_by_key(|old| (!dead(old), old.used));
            if let Some(oldest) = oldest {
                *oldest = entry;
            }
        }
    }

    fn set(&self, token: &str) -> Option<(u64, MutexGuard<'_, Set<T>>)> {
        let hash = self.hasher.hash_one(token);
        // The number of sets is a power of two, or zero.
        let at = usize::try_from(hash >> 32).unwrap_or(0) & self.sets.len().checked_sub(1)?;
        Some((hash, lock(self.sets.get(at)?)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(100);

    #[test]
    fn an_entry_ends() {
        let verdicts = Verdicts::new(64);
        verdicts.insert("a", 1, Timestamp::from_secs(110), 0, NOW);
        assert_eq!(verdicts.get("a", NOW, 0), Some(1));
        assert_eq!(verdicts.get("a", Timestamp::from_millis(109_999), 0), Some(1));
        assert_eq!(verdicts.get("a", Timestamp::from_secs(110), 0), None);
        assert_eq!(verdicts.get("a", NOW, 1), None);
        assert_eq!(verdicts.get("b", NOW, 0), None);
        verdicts.insert("a", 2, Timestamp::from_secs(110), 1, NOW);
        assert_eq!(verdicts.get("a", NOW, 1), Some(2));
    }

    #[test]
    fn room_is_bounded_and_what_is_used_stays() {
        let verdicts = Verdicts::new(8);
        for round in 0..1_000 {
            verdicts.insert("kept", 0, Timestamp::MAX, 0, NOW);
            verdicts.insert(&format!("token {round}"), round, Timestamp::MAX, 0, NOW);
            assert_eq!(verdicts.get("kept", NOW, 0), Some(0));
        }
        let kept = (0..1_000).filter(|round| verdicts.get(&format!("token {round}"), NOW, 0).is_some());
        assert_eq!(kept.count(), 7);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let verdicts = Verdicts::new(0);
        verdicts.insert("a", 1, Timestamp::MAX, 0, NOW);
        assert_eq!(verdicts.get("a", NOW, 0), None);
    }
}
