//! Time, passed in: the server asks a [`Clock`] once a request and hands the answer down as a value.

use std::fmt;
use std::num::NonZero;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

/// 1601-01-01 and 9999-12-31 in milliseconds: the range that every platform's [`SystemTime`] and `time` can hold.
const PORTABLE: (i64, i64) = (-11_644_473_600_000, 253_402_300_799_999);

/// Milliseconds since the Unix epoch (UTC).
///
/// Arithmetic saturates: a lifetime added to any instant never overflows, and [`Timestamp::MAX`] reads as "never".
/// A part of a [`Duration`] below a millisecond is dropped. Serialized as an integer.
///
/// Kept as the distance from an instant that is never reached, so that an `Option<Timestamp>` takes no more room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZero<u64>);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self::from_millis(0);
    /// Later than every other instant.
    pub const MAX: Self = Self::from_millis(i64::MAX);

    /// The instant that many milliseconds after the epoch. `i64::MIN` counts as the millisecond after it.
    pub const fn from_millis(millis: i64) -> Self {
        match NonZero::new(millis.cast_unsigned() ^ (1 << 63)) {
            Some(distance) => Self(distance),
            None => Self(NonZero::<u64>::MIN),
        }
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        (self.0.get() ^ (1 << 63)).cast_signed()
    }

    /// The instant that many seconds after the epoch (a `NumericDate` of RFC 7519 without fraction), saturating.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Whole seconds since the epoch, rounded down (also before the epoch).
    pub const fn as_secs(self) -> i64 {
        self.as_millis().div_euclid(1000)
    }

    /// The time that has passed since `earlier`; zero if `earlier` is in fact later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.get().saturating_sub(earlier.0.get()))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self::from_millis(self.as_millis().saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self::from_millis(self.as_millis().saturating_sub(millis(duration)))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.as_millis())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_millis().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_millis)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::EPOCH + after,
            Err(before) => {
                let before = before.duration();
                let floor = Self::EPOCH - before;
                let exact = before.subsec_nanos().is_multiple_of(1_000_000);
                if exact { floor } else { Self::from_millis(floor.as_millis().saturating_sub(1)) }
            }
        }
    }
}

/// Clamped to the years 1601 to 9999.
impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let millis = timestamp.as_millis().clamp(PORTABLE.0, PORTABLE.1);
        let distance = Duration::from_millis(millis.unsigned_abs());
        if millis < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(time: OffsetDateTime) -> Self {
        let millis = time.unix_timestamp_nanos().div_euclid(1_000_000);
        Self::from_millis(millis.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }
}

/// Clamped to the years 1601 to 9999.
impl From<Timestamp> for OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        let millis = timestamp.as_millis().clamp(PORTABLE.0, PORTABLE.1);
        Self::UNIX_EPOCH + time::Duration::milliseconds(millis)
    }
}

/// Tells the time.
///
/// # Correctness
/// Replicas that share a store must agree within a few seconds; lifetimes and the retry window are measured with it.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The operating system's wall clock: the only place that reads the ambient time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// A clock that moves when told to, for tests. Clones share the same time.
///
/// ```
/// use std::time::Duration;
/// use oauth_core::clock::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
/// let in_the_server = clock.clone();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(in_the_server.now().as_secs(), 1_700_000_060);
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_millis())))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let step = millis(by);
        // An `Err` would mean that the closure declined, which it never does.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(step)));
    }

    /// Puts the clock to `now`, also backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN) - Duration::MAX, Timestamp::from_millis(i64::MIN));
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::EPOCH.since(Timestamp::MAX), Duration::ZERO);
        let earliest = Timestamp::from_millis(i64::MIN);
        assert_eq!(earliest, Timestamp::from_millis(i64::MIN + 1));
        assert_eq!(Timestamp::MAX.since(earliest), Duration::from_millis(u64::MAX - 1));
        assert_eq!(size_of::<Option<Timestamp>>(), 8);
        assert!(Timestamp::from_millis(-1) < Timestamp::EPOCH);
    }

    #[test]
    fn seconds_round_down() {
        assert_eq!(Timestamp::from_millis(1999).as_secs(), 1);
        assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
    }

    #[test]
    fn converts_both_ways_and_clamps() {
        for millis in [0, 1, -1, 1_700_000_000_123, PORTABLE.0, PORTABLE.1] {
            let timestamp = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::from(SystemTime::from(timestamp)), timestamp);
            assert_eq!(Timestamp::from(OffsetDateTime::from(timestamp)), timestamp);
        }
        assert_eq!(Timestamp::from(SystemTime::from(Timestamp::MAX)).as_millis(), PORTABLE.1);
        assert_eq!(Timestamp::from(OffsetDateTime::from(Timestamp::MAX)).as_millis(), PORTABLE.1);
        let half = Duration::from_micros(500);
        assert_eq!(Timestamp::from(UNIX_EPOCH - half).as_millis(), -1);
        assert_eq!(Timestamp::from(UNIX_EPOCH + half).as_millis(), 0);
    }

    #[test]
    fn serialized_as_an_integer() {
        let timestamp = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(serde_json::to_string(&timestamp).unwrap(), "1700000000123");
        assert_eq!(serde_json::from_str::<Timestamp>("1700000000123").unwrap(), timestamp);
    }

    #[test]
    fn a_manual_clock_is_shared_by_its_clones() {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let other = clock.clone();
        clock.advance(Duration::from_secs(2));
        assert_eq!(other.now().as_secs(), 2);
        other.set(Timestamp::EPOCH);
        assert_eq!(clock.now(), Timestamp::EPOCH);
    }
}
