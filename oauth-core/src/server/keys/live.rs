//! What a server knows at the moment: its ring and its fence, swapped while requests run.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::StoredKeys;
use crate::clock::Timestamp;
use crate::handle::{Handles, KeyId, Prefixes};
use crate::storage::{Key, Version};

/// How often at most a look is tried while the last one still counts, and for a key that is not known.
const PAUSE: Duration = Duration::from_secs(1);

/// "Never", as a time.
const NEVER: i64 = i64::MIN;

pub(in crate::server) struct Live {
    handles: ArcSwap<Handles>,
    fence: AtomicI64,
    seen_at: AtomicI64,
    tried_at: AtomicI64,
    asked_at: AtomicI64,
    /// What the ring was made from.
    shown: Mutex<Option<(Version, KeyId)>>,
    pub(super) key: Key,
    pub(super) stored: Option<StoredKeys>,
    pub(super) prefixes: Prefixes,
    every: Duration,
}

impl Live {
    pub(in crate::server) fn new(
        handles: Handles,
        key: Key,
        stored: Option<StoredKeys>,
        prefixes: Prefixes,
        every: Duration,
    ) -> Self {
        Self {
            handles: ArcSwap::from_pointee(handles),
            fence: AtomicI64::new(NEVER),
            seen_at: AtomicI64::new(NEVER),
            tried_at: AtomicI64::new(NEVER),
            asked_at: AtomicI64::new(NEVER),
            shown: Mutex::default(),
            key,
            stored,
            prefixes,
            every,
        }
    }

    pub(in crate::server) fn handles(&self) -> Arc<Handles> {
        self.handles.load_full()
    }

    /// For one call: spares the count of references.
    pub(in crate::server) fn with_handles<T>(&self, call: impl FnOnce(&Handles) -> T) -> T {
        call(&self.handles.load())
    }

    pub(in crate::server) fn fence(&self) -> Option<Timestamp> {
        let fence = self.fence.load(Ordering::Acquire);
        (fence != NEVER).then(|| Timestamp::from_millis(fence))
    }

    /// Whether what began then is over.
    pub(in crate::server) fn is_fenced(&self, began: Timestamp) -> bool {
        began.as_millis() <= self.fence.load(Ordering::Acquire)
    }

    /// A fence never falls, also when the store has gone back in time.
    pub(super) fn raise(&self, fence: Timestamp) {
        self.fence.fetch_max(fence.as_millis(), Ordering::AcqRel);
    }

    pub(super) fn seen(&self, now: Timestamp) {
        self.seen_at.store(now.as_millis(), Ordering::Release);
    }

    /// Whether somebody has to look now, and whether the answer can do without.
    pub(super) fn due(&self, now: Timestamp) -> Option<Due> {
        let age = age(&self.seen_at, now);
        if age < self.every {
            None
        } else if age >= 2 * self.every {
            Some(Due::Must)
        } else {
            claim(&self.tried_at, now, PAUSE.min(self.every)).then_some(Due::May)
        }
    }

    /// Whether a key that is not known is worth a look.
    pub(super) fn may_ask(&self, now: Timestamp) -> bool {
        self.stored.is_some() && claim(&self.asked_at, now, PAUSE)
    }

    /// Takes the ring into use unless it was made from that version, with that key minting; says whether it did. In one step,
    /// so that of two that look at once neither notes down another ring than the one in use.
    pub(super) fn show<E>(
        &self,
        version: Version,
        minting: KeyId,
        make: impl FnOnce() -> Result<Handles, E>,
    ) -> Result<bool, E> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown == Some((version, minting)) {
            return Ok(false);
        }
        self.handles.store(Arc::new(make()?));
        *shown = Some((version, minting));
        Ok(true)
    }
}

/// How urgent another look is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// What is known still counts: this request tries, the others go on.
    May,
    /// What is known is too old to answer by.
    Must,
}

/// A clock that was set back makes old what lies in its future.
fn age(then: &AtomicI64, now: Timestamp) -> Duration {
    Duration::from_millis(now.as_millis().abs_diff(then.load(Ordering::Acquire)))
}

/// One caller at a time gets `true`, and none within the pause.
fn claim(last: &AtomicI64, now: Timestamp, pause: Duration) -> bool {
    let before = last.load(Ordering::Acquire);
    let age = Duration::from_millis(now.as_millis().abs_diff(before));
    age >= pause
        && last.compare_exchange(before, now.as_millis(), Ordering::AcqRel, Ordering::Acquire).is_ok()
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("handles", &*self.handles.load())
            .field("fence", &self.fence())
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Barrier;

    use super::*;
    use crate::handle::KeyRing;
    use crate::server::keys::keys_key;

    const ISSUER: &str = "https://auth.example";

    fn handles(key: u8) -> Handles {
        Handles::new(ISSUER, KeyRing::new([key; 32]), Prefixes::default())
    }

    #[test]
    fn what_is_noted_down_is_in_use() {
        for _ in 0..200 {
            let live =
                Live::new(handles(0), keys_key(ISSUER), None, Prefixes::default(), Duration::from_secs(2));
            let begin = Barrier::new(2);
            let show = |key: u8| {
                let made = handles(key);
                begin.wait();
                live.show(Version::from_bytes([key; 16]), made.current_key(), || Ok::<_, Infallible>(made))
            };
            std::thread::scope(|scope| {
                scope.spawn(|| show(1));
                scope.spawn(|| show(2));
            });
            let used = live.handles().current_key();
            let key = if used == handles(1).current_key() { 1 } else { 2 };
            let again = live.show(Version::from_bytes([key; 16]), used, || Ok::<_, Infallible>(handles(key)));
            assert_eq!(again, Ok(false), "another ring is noted down than the one in use");
        }
    }
}
