//! A sorted set in chunks that are nearly full: about 23 bytes an entry of 20, where a B-tree takes 36.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The hash of a listed value, and the id of a grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) hash: u32,
    pub(crate) id: [u8; 16],
}

impl Entry {
    /// As two numbers, which are compared in less time than arrays of bytes.
    fn rank(&self) -> (u32, u128) {
        (self.hash, u128::from_be_bytes(self.id))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The most entries of a chunk; one that grows past it is halved.
const MAX: usize = 64;
/// By how many entries a chunk grows, so that there is little room to spare.
const STEP: usize = 8;
/// A chunk that shrinks to this joins the one before it, if both fit into three quarters of a chunk.
const FEW: usize = MAX / 4;

/// Chunks by a lower bound of their entries; the first chunk's bound is below everything.
#[derive(Debug, Default)]
pub(crate) struct SortedSet {
    chunks: BTreeMap<Entry, Vec<Entry>>,
}

impl SortedSet {
    pub(crate) fn insert(&mut self, entry: Entry) {
        let Some((_, chunk)) = self.chunks.range_mut(..=entry).next_back() else {
            self.chunks.insert(Entry::default(), vec![entry]);
            return;
        };
        // Ids that begin with a time come in their order.
        let place = match chunk.last() {
            Some(last) if *last < entry => chunk.len(),
            _ => match chunk.binary_search(&entry) {
                Ok(_) => return,
                Err(place) => place,
            },
        };
        if chunk.len() == chunk.capacity() {
            chunk.reserve_exact(STEP);
        }
        chunk.insert(place, entry);
        if chunk.len() > MAX {
            let mut upper = chunk.split_off(MAX / 2);
            chunk.shrink_to_fit();
            upper.shrink_to_fit();
            self.chunks.insert(upper[0], upper);
        }
    }

    pub(crate) fn remove(&mut self, entry: Entry) {
        let Some((bound, chunk)) = self.chunks.range_mut(..=entry).next_back() else { return };
        let Ok(place) = chunk.binary_search(&entry) else { return };
        chunk.remove(place);
        let bound = *bound;
        if chunk.len() <= FEW {
            self.join(bound);
        } else if chunk.capacity() > chunk.len() + 2 * STEP {
            chunk.shrink_to_fit();
        }
    }

    /// Moves a small chunk into the one before it. The first has none before it, and goes when it is empty and alone.
    fn join(&mut self, bound: Entry) {
        let before = self.chunks.range(..bound).next_back().map(|(before, chunk)| (*before, chunk.len()));
        let len = self.chunks.get(&bound).map_or(0, Vec::len);
        match before {
            Some((before, filled)) if filled + len <= MAX / 4 * 3 => {
                let entries = self.chunks.remove(&bound).unwrap_or_default();
                let before = self.chunks.entry(before).or_default();
                before.reserve_exact(entries.len());
                before.extend(entries);
            }
            None if len == 0 && self.chunks.len() == 1 => self.chunks.clear(),
            _ => {}
        }
    }

    /// The entries from `first` to `last`, both included, in order.
    pub(crate) fn range(&self, first: Entry, last: Entry) -> impl Iterator<Item = Entry> + '_ {
        let bound = self.chunks.range(..=first).next_back().map_or(first, |(bound, _)| *bound);
        self.chunks
            .range(bound..)
            .flat_map(move |(_, chunk)| {
                chunk[chunk.partition_point(|entry| *entry < first)..].iter().copied()
            })
            .take_while(move |entry| *entry <= last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use oauth_core::secret::{SeededRandom, random_array};

    use super::*;

    const LAST: Entry = Entry { hash: u32::MAX, id: [0xff; 16] };

    fn entry(random: &SeededRandom) -> Entry {
        let [a, b, c] = random_array(random);
        let mut id = [0; 16];
        (id[0], id[15]) = (b, c % 4);
        Entry { hash: u32::from(a % 8), id }
    }

    #[test]
    fn it_holds_what_a_tree_holds_through_growth_and_decline() {
        let random = SeededRandom::new(7);
        let (mut set, mut tree) = (SortedSet::default(), BTreeSet::new());
        for round in 0..40_000 {
            let entry = entry(&random);
            // First it grows, then it shrinks to nothing.
            let grow = random_array::<1>(&random)[0] > if round < 20_000 { 60 } else { 200 };
            if grow {
                set.insert(entry);
                tree.insert(entry);
            } else {
                set.remove(entry);
                tree.remove(&entry);
            }
            if round % 97 == 0 {
                let (first, last) = (entry, Entry { hash: entry.hash + 1, ..entry });
                assert!(set.range(first, last).eq(tree.range(first..=last).copied()), "{round}");
            }
        }
        assert!(set.range(Entry::default(), LAST).eq(tree.iter().copied()));
        for entry in tree {
            set.remove(entry);
        }
        assert_eq!(set.range(Entry::default(), LAST).count(), 0);
        assert!(set.chunks.is_empty(), "{set:?}");
    }

    #[test]
    fn chunks_stay_full_whichever_way_entries_come() {
        let id = |number: u32| Entry { hash: 0, id: u128::from(number).to_be_bytes() };
        let mut up = SortedSet::default();
        (0..10_000).for_each(|number| up.insert(id(number)));
        let mut spread = SortedSet::default();
        (0..10_000).for_each(|number: u32| spread.insert(id(number.wrapping_mul(2_654_435_761))));
        for set in [up, spread] {
            let room: usize = set.chunks.values().map(Vec::capacity).sum();
            assert!(room < 11_500, "{room}");
            assert!(set.chunks.len() < 400, "{}", set.chunks.len());
        }
    }
}
