//! Whether a concurrent history of compare-and-swap registers is linearizable.
//!
//! Versions are unique, so the successful writes of a key form one chain, and every answer has a place on it: the Nth write at
//! 2N, a load of what it wrote at 2N + 1. A history is linearizable when whatever ended before something else began has no later
//! place than that, and when no write was refused while the version that it expected was stored all the time.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A load saw this version, or absence.
    Load(Option<u128>),
    /// A write happened.
    Swapped {
        /// What it expected.
        expected: Option<u128>,
        /// What it wrote.
        next: u128,
    },
    /// A write was refused as stale.
    Stale {
        /// What it expected.
        expected: Option<u128>,
    },
    /// A write of which nobody knows.
    Unknown {
        /// What it expected.
        expected: Option<u128>,
        /// What it would have written.
        next: u128,
    },
}

/// One operation with the ticks between which it took place.
#[derive(Clone, Debug)]
pub struct Event {
    key: u128,
    start: u64,
    end: u64,
    operation: Operation,
}

/// Why a history is not linearizable.
#[derive(Clone, Debug)]
pub struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Records what happens.
#[derive(Debug, Default)]
pub struct History {
    ticks: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl History {
    /// The present, to begin an operation with.
    pub fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// An operation on a key that began at `start` has ended.
    pub fn record(&self, key: u128, start: u64, operation: Operation) {
        // What nobody knows of may still happen.
        let end = if matches!(operation, Operation::Unknown { .. }) { u64::MAX } else { self.tick() };
        let event = Event { key, start, end, operation };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// How many operations were recorded.
    pub fn len(&self) -> usize {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many of them had an answer.
    pub fn answered(&self) -> usize {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(|event| !matches!(event.operation, Operation::Unknown { .. })).count()
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks every key.
    ///
    /// # Errors
    ///
    /// The first [`Violation`].
    pub fn check(&self) -> Result<(), Violation> {
        let mut keys: HashMap<u128, Vec<Event>> = HashMap::new();
        for event in self.events.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            keys.entry(event.key).or_default().push(event.clone());
        }
        keys.values_mut().try_for_each(|events| check(events))
    }
}

fn check(events: &mut [Event]) -> Result<(), Violation> {
    let chain = chain(events)?;
    let place = |version: &Option<u128>| {
        version.map_or(Some(0), |version| {
            chain.iter().position(|write| write.version == version).map(|at| at + 1)
        })
    };
    let mut placed: Vec<(u64, u64, usize, &Event)> = Vec::new();
    for event in events.iter() {
        let at = match &event.operation {
            Operation::Load(seen) => {
                place(seen).ok_or_else(|| Violation(format!("{event:?} saw what nobody wrote")))? * 2 + 1
            }
            Operation::Swapped { next, .. } | Operation::Unknown { next, .. } => match place(&Some(*next)) {
                Some(at) => at * 2,
                None => continue,
            },
            Operation::Stale { expected } => {
                refused_rightly(event, *expected, place(expected), &chain, events)?;
                continue;
            }
        };
        placed.push((event.start, event.end, at, event));
    }
    placed.sort_by_key(|(start, ..)| *start);
    let mut by_end = placed.clone();
    by_end.sort_by_key(|(_, end, ..)| *end);
    let mut ended = by_end.iter().peekable();
    let mut latest: Option<(usize, &Event)> = None;
    for (start, _, at, event) in &placed {
        while let Some((_, _, before, earlier)) = ended.next_if(|(_, end, ..)| end < start) {
            if latest.is_none_or(|(place, _)| place < *before) {
                latest = Some((*before, earlier));
            }
        }
        if let Some((before, earlier)) = latest
            && before > *at
        {
            return Err(Violation(format!("{event:?} began after the end of {earlier:?} and is older")));
        }
    }
    Ok(())
}

/// A write that happened.
struct Write {
    version: u128,
    start: u64,
    end: u64,
}

/// The writes in their order. Of unknown ones those count that somebody has seen.
fn chain(events: &[Event]) -> Result<Vec<Write>, Violation> {
    let mut seen: HashSet<u128> = HashSet::new();
    for event in events {
        match event.operation {
            Operation::Load(Some(version)) => seen.insert(version),
            Operation::Swapped { expected: Some(expected), .. } => seen.insert(expected),
            _ => false,
        };
    }
    // An unknown write that was seen has itself seen what it replaced.
    loop {
        let grown = events.iter().any(|event| match event.operation {
            Operation::Unknown { expected: Some(expected), next } => {
                seen.contains(&next) && seen.insert(expected)
            }
            _ => false,
        });
        if !grown {
            break;
        }
    }
    let mut after: HashMap<Option<u128>, Write> = HashMap::new();
    let mut count = 0;
    for event in events {
        let (expected, version) = match event.operation {
            Operation::Swapped { expected, next } => (expected, next),
            Operation::Unknown { expected, next } if seen.contains(&next) => (expected, next),
            _ => continue,
        };
        count += 1;
        if after.insert(expected, Write { version, start: event.start, end: event.end }).is_some() {
            return Err(Violation(format!("two writes replaced {expected:?}; one of them: {event:?}")));
        }
    }
    let mut chain: Vec<Write> = Vec::new();
    while let Some(write) = after.remove(&chain.last().map(|write| write.version)) {
        chain.push(write);
    }
    match chain.len() == count {
        true => Ok(chain),
        false => Err(Violation("a write replaced what was never stored".to_owned())),
    }
}

fn refused_rightly(
    event: &Event,
    expected: Option<u128>,
    place: Option<usize>,
    chain: &[Write],
    events: &[Event],
) -> Result<(), Violation> {
    let Some(place) = place else { return Ok(()) };
    let was_there = place == 0 || chain[place - 1].end < event.start;
    let stayed = chain.get(place).is_none_or(|next| next.start > event.end);
    let maybe_replaced = events.iter().any(|other| {
        matches!(other.operation, Operation::Unknown { expected: own, .. } if own == expected)
            && other.start < event.end
    });
    if was_there && stayed && !maybe_replaced {
        return Err(Violation(format!("{event:?} was refused although that version was stored")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(start: u64, end: u64, operation: Operation) -> Event {
        Event { key: 1, start, end, operation }
    }

    fn swapped(expected: Option<u128>, next: u128) -> Operation {
        Operation::Swapped { expected, next }
    }

    fn verdict(events: impl Into<Vec<Event>>) -> Result<(), String> {
        check(&mut events.into()).map_err(|violation| violation.to_string())
    }

    #[test]
    fn concurrent_operations_may_take_any_order() {
        let good = [
            event(0, 5, swapped(None, 1)),
            event(1, 6, Operation::Load(None)),
            event(2, 4, Operation::Load(Some(1))),
            event(3, 9, swapped(Some(1), 2)),
            event(7, 8, Operation::Load(Some(1))),
            event(10, 11, Operation::Stale { expected: Some(1) }),
            event(10, 12, Operation::Load(Some(2))),
        ];
        assert_eq!(verdict(good), Ok(()));
    }

    #[test]
    fn a_read_of_the_past_is_found() {
        let stale = [event(0, 1, swapped(None, 1)), event(2, 3, Operation::Load(None))];
        assert!(verdict(stale).unwrap_err().contains("is older"));
        let back = [
            event(0, 9, swapped(None, 1)),
            event(1, 2, Operation::Load(Some(1))),
            event(3, 4, Operation::Load(None)),
        ];
        assert!(verdict(back).unwrap_err().contains("is older"));
    }

    #[test]
    fn two_winners_and_lost_writes_are_found() {
        let twice = [event(0, 9, swapped(None, 1)), event(1, 8, swapped(None, 2))];
        assert!(verdict(twice).unwrap_err().contains("two writes"));
        let lost = [event(0, 1, swapped(None, 1)), event(2, 3, swapped(Some(7), 8))];
        assert!(verdict(lost).unwrap_err().contains("never stored"));
        let unwritten = [event(0, 1, Operation::Load(Some(3)))];
        assert!(verdict(unwritten).unwrap_err().contains("nobody wrote"));
    }

    #[test]
    fn a_refusal_needs_a_reason() {
        let wrong = [event(0, 1, swapped(None, 1)), event(2, 3, Operation::Stale { expected: Some(1) })];
        assert!(verdict(wrong).unwrap_err().contains("was refused"));
        let racing = [
            event(0, 1, swapped(None, 1)),
            event(2, 9, swapped(Some(1), 2)),
            event(3, 4, Operation::Stale { expected: Some(1) }),
        ];
        assert_eq!(verdict(racing), Ok(()));
    }

    #[test]
    fn what_nobody_knows_of_may_have_happened_or_not() {
        let unknown = |start| event(start, u64::MAX, Operation::Unknown { expected: Some(1), next: 2 });
        let first = event(0, 1, swapped(None, 1));
        for seen in [1, 2] {
            assert_eq!(
                verdict([first.clone(), unknown(2), event(5, 6, Operation::Load(Some(seen)))]),
                Ok(())
            );
        }
        let back =
            [first, unknown(2), event(5, 6, Operation::Load(Some(2))), event(7, 8, Operation::Load(Some(1)))];
        assert!(verdict(back).unwrap_err().contains("is older"));
    }
}
