//! Verdicts on tokens, kept for a while: bounded, found by a seeded hash, compared in full.

use std::hash::BuildHasher;
use std::mem;
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
    token: String,
    verdict: T,
    ends: Timestamp,
    generation: u64,
    used: u64,
}

/// The place of a token, whose hash is computed once.
pub(super) struct Slot<'v, T> {
    token: &'v str,
    hash: u64,
    /// `None` where nothing is kept.
    set: Option<&'v Mutex<Set<T>>>,
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

    /// Where the verdict on a token is, if it is kept.
    pub(super) fn slot<'v>(&'v self, token: &'v str) -> Slot<'v, T> {
        let hash = self.hasher.hash_one(token);
        // The number of sets is a power of two, or zero.
        let last = self.sets.len().checked_sub(1);
        let at = last.map(|last| usize::try_from(hash >> 32).unwrap_or(0) & last);
        Slot { token, hash, set: at.and_then(|at| self.sets.get(at)) }
    }
}

impl<T: Clone> Slot<'_, T> {
    /// The token whose place it is: what is put there is a verdict on this one.
    #[cfg(feature = "jwt")]
    pub(super) fn token(&self) -> &str {
        self.token
    }

    pub(super) fn get(&self, now: Timestamp, generation: u64) -> Option<T> {
        let mut set = self.lock()?;
        set.tick += 1;
        let tick = set.tick;
        let found = set.entries.iter_mut().find(|entry| self.has(entry))?;
        if found.ends <= now || found.generation != generation {
            return None;
        }
        found.used = tick;
        Some(found.verdict.clone())
    }

    pub(super) fn insert(&self, verdict: T, ends: Timestamp, generation: u64, now: Timestamp) {
        let Some(mut set) = self.lock() else { return };
        set.tick += 1;
        let used = set.tick;
        let dead = |old: &Entry<T>| old.ends <= now || old.generation != generation;
        let oldest = |entries: &[Entry<T>]| {
            entries.iter().enumerate().min_by_key(|(_, old)| (!dead(old), old.used)).map(|(at, _)| at)
        };
        let taken = match set.entries.iter().position(|old| self.has(old)) {
            None if set.entries.len() >= WAYS => oldest(&set.entries),
            found => found,
        };
        let Some(entry) = taken.and_then(|at| set.entries.get_mut(at)) else {
            let token = self.token.to_owned();
            set.entries.push(Entry { hash: self.hash, token, verdict, ends, generation, used });
            return;
        };
        // Tokens are about equally long: the next one fits where the last one was, unless that was a giant.
        if entry.token.capacity() > 2 * self.token.len() {
            entry.token = self.token.to_owned();
        } else {
            entry.token.clear();
            entry.token.push_str(self.token);
        }
        let last = mem::replace(&mut entry.verdict, verdict);
        (entry.hash, entry.ends, entry.generation, entry.used) = (self.hash, ends, generation, used);
        drop(set);
        // What gives way is taken down when others can go on.
        drop(last);
    }

    fn lock(&self) -> Option<MutexGuard<'_, Set<T>>> {
        self.set.map(|set| set.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn has(&self, entry: &Entry<T>) -> bool {
        entry.hash == self.hash && entry.token == self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(100);

    #[test]
    fn an_entry_ends() {
        let verdicts = Verdicts::new(64);
        verdicts.slot("a").insert(1, Timestamp::from_secs(110), 0, NOW);
        assert_eq!(verdicts.slot("a").get(NOW, 0), Some(1));
        assert_eq!(verdicts.slot("a").get(Timestamp::from_millis(109_999), 0), Some(1));
        assert_eq!(verdicts.slot("a").get(Timestamp::from_secs(110), 0), None);
        assert_eq!(verdicts.slot("a").get(NOW, 1), None);
        assert_eq!(verdicts.slot("b").get(NOW, 0), None);
        verdicts.slot("a").insert(2, Timestamp::from_secs(110), 1, NOW);
        assert_eq!(verdicts.slot("a").get(NOW, 1), Some(2));
    }

    #[test]
    fn room_is_bounded_and_what_is_used_stays() {
        let verdicts = Verdicts::new(8);
        for round in 0..1_000 {
            verdicts.slot("kept").insert(0, Timestamp::MAX, 0, NOW);
            verdicts.slot(&format!("token {round}")).insert(round, Timestamp::MAX, 0, NOW);
            assert_eq!(verdicts.slot("kept").get(NOW, 0), Some(0));
        }
        let kept = (0..1_000).filter(|round| verdicts.slot(&format!("token {round}")).get(NOW, 0).is_some());
        assert_eq!(kept.count(), 7);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let verdicts = Verdicts::new(0);
        verdicts.slot("a").insert(1, Timestamp::MAX, 0, NOW);
        assert_eq!(verdicts.slot("a").get(NOW, 0), None);
    }
}
