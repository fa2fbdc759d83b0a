//! What the times in the record mean: pure functions over the stored keys.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::storage::StoredKey;

/// A key that begins at a time and ends when the next one begins.
pub(super) trait Begins {
    fn begins(&self) -> Timestamp;
}

impl Begins for StoredKey {
    fn begins(&self) -> Timestamp {
        self.mints_from
    }
}

/// How long before it mints a key is published: far longer than any replica answers without another look.
pub(super) const PUBLISHED_AHEAD: Duration = Duration::from_secs(60);

/// The most keys that are kept; beyond that the oldest goes.
pub(super) const MAX_KEYS: usize = 32;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyPhase {
    /// Published, so that every replica can check what is going to be made with it.
    Next,
    /// What handles are minted and pages are sealed with, or JWTs are signed with.
    Current,
    /// Still checks and opens what was made with it, or is still published.
    Previous,
}

/// The place of the key that mints: the last that has begun to. Before any has, by a clock that is behind, it is the first.
pub(super) fn minting(ring: &[impl Begins], now: Timestamp) -> Option<usize> {
    let begun = ring.iter().rposition(|key| key.begins() <= now);
    begun.or(if ring.is_empty() { None } else { Some(0) })
}

pub(super) fn phase(place: usize, minting: Option<usize>) -> KeyPhase {
    match minting {
        Some(minting) if place < minting => KeyPhase::Previous,
        Some(minting) if place > minting => KeyPhase::Next,
        _ => KeyPhase::Current,
    }
}

/// Drops the keys whose successor has minted for longer than they are kept.
pub(super) fn drop_over<K: Begins>(ring: &mut Vec<K>, now: Timestamp, keep: Duration) {
    let over = |next: &K| next.begins() + keep <= now;
    let outlived = ring.iter().skip(1).take_while(|next| over(next)).count();
    ring.drain(..outlived);
}

/// As [`drop_over`], and the oldest of too many.
pub(super) fn prune<K: Begins>(ring: &mut Vec<K>, now: Timestamp, keep: Duration) {
    drop_over(ring, now, keep);
    ring.drain(..ring.len().saturating_sub(MAX_KEYS));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::KeyId;
    use crate::storage::KeyMaterial;

    fn key(mints_from: i64) -> StoredKey {
        let id = KeyId::from_bytes([0; 4]);
        StoredKey { id, mints_from: Timestamp::from_secs(mints_from), key: KeyMaterial::plain([0; 32]) }
    }

    fn at(now: i64) -> Timestamp {
        Timestamp::from_secs(now)
    }

    #[test]
    fn a_key_is_next_then_current_then_previous() {
        let ring = [key(10), key(20), key(30)];
        let phases = |now| {
            let minting = minting(&ring, at(now));
            [0, 1, 2].map(|place| phase(place, minting))
        };
        use KeyPhase::{Current, Next, Previous};
        assert_eq!(phases(9), [Current, Next, Next], "a clock that is behind");
        assert_eq!(phases(10), [Current, Next, Next]);
        assert_eq!(phases(19), [Current, Next, Next]);
        assert_eq!(phases(20), [Previous, Current, Next]);
        assert_eq!(phases(99), [Previous, Previous, Current]);
        assert_eq!(minting(&[] as &[StoredKey], at(10)), None);
    }

    #[test]
    fn a_key_goes_when_its_successor_has_minted_for_long_enough() {
        let left = |now| {
            let mut ring = vec![key(10), key(20), key(30)];
            prune(&mut ring, at(now), Duration::from_secs(100));
            ring.len()
        };
        assert_eq!([left(10), left(119), left(120), left(129), left(130), left(9999)], [3, 3, 2, 2, 1, 1]);
        let mut many: Vec<_> = (0..40).map(key).collect();
        prune(&mut many, at(40), Duration::from_secs(1000));
        assert_eq!((many.len(), many[0].mints_from), (MAX_KEYS, at(8)));
        let mut none: Vec<StoredKey> = Vec::new();
        prune(&mut none, at(40), Duration::ZERO);
        assert!(none.is_empty());
    }
}
