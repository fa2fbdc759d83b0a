//! The keys of one issuer: fixed, or fetched and kept fresh.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use oauth_core::clock::{Clock, Timestamp};
use oauth_jose::VerifyingKeys;

use super::super::count;
use super::super::flight::Flight;
use super::discovery::Source;

/// Keys, and how long they may be used.
pub(super) struct Current {
    pub(super) keys: VerifyingKeys,
    pub(super) good_until: Timestamp,
}

/// How often keys are fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) refresh_every: Duration,
    pub(super) cool_down: Duration,
    pub(super) stale_for: Duration,
    pub(super) deadline: Duration,
}

/// The keys of one issuer.
pub(super) struct IssuerKeys {
    issuer: Arc<str>,
    current: RwLock<Option<Arc<Current>>>,
    remote: Option<Remote>,
    clock: Arc<dyn Clock>,
    /// Of the verifier, which forgets its verdicts when it changes.
    generation: Arc<AtomicU64>,
}

struct Remote {
    source: Source,
    schedule: Schedule,
    /// When the keys should be fetched again, in milliseconds: read by every request.
    refresh_at: AtomicI64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    flight: Option<Flight<()>>,
    begun_at: Option<Timestamp>,
    failed: bool,
}

/// How soon keys are asked for again while there are none.
const FIRST_RETRY: Duration = Duration::from_secs(1);

impl IssuerKeys {
    pub(super) fn fixed(
        issuer: Arc<str>,
        keys: VerifyingKeys,
        clock: Arc<dyn Clock>,
        generation: Arc<AtomicU64>,
    ) -> Self {
        let current = Current { keys, good_until: Timestamp::MAX };
        Self { issuer, current: RwLock::new(Some(Arc::new(current))), remote: None, clock, generation }
    }

    pub(super) fn remote(
        issuer: Arc<str>,
        source: Source,
        schedule: Schedule,
        clock: Arc<dyn Clock>,
        generation: Arc<AtomicU64>,
    ) -> Self {
        let refresh_at = AtomicI64::new(i64::MIN);
        let remote = Remote { source, schedule, refresh_at, state: Mutex::default() };
        Self { issuer, current: RwLock::new(None), remote: Some(remote), clock, generation }
    }

    /// The keys, unless there are none or they have not been confirmed for too long.
    pub(super) fn current(&self, now: Timestamp) -> Option<Arc<Current>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        current.filter(|current| now < current.good_until)
    }

    /// Begins to fetch the keys again when it is time, and waits for nothing.
    pub(super) fn refresh_in_time(self: &Arc<Self>, now: Timestamp) {
        if let Some(remote) = &self.remote
            && now.as_millis() >= remote.refresh_at.load(Ordering::Relaxed)
        {
            self.refresh(now);
        }
    }

    /// The fetch under way, or a new one; none if the last one is too short a while ago.
    pub(super) fn refresh(self: &Arc<Self>, now: Timestamp) -> Option<Flight<()>> {
        let remote = self.remote.as_ref()?;
        let mut state = remote.lock();
        if let Some(flight) = &state.flight {
            return Some(flight.clone());
        }
        let has_keys = self.current(now).is_some();
        let pause =
            if has_keys { remote.schedule.cool_down } else { FIRST_RETRY.min(remote.schedule.cool_down) };
        // A clock that was set back counts as time that has passed.
        if state.begun_at.is_some_and(|begun_at| begun_at <= now && now.since(begun_at) < pause) {
            return None;
        }
        let (takeoff, flight) = Flight::prepare()?;
        state.begun_at = Some(now);
        state.flight = Some(flight.clone());
        // Whatever becomes of it, the next attempt is not before the pause is over.
        remote.refresh_at.store((now + pause).as_millis(), Ordering::Relaxed);
        drop(state);
        let landing = Landing(self.clone());
        takeoff.begin(async move { landing.0.fetch().await });
        Some(flight)
    }

    async fn fetch(&self) {
        let Some(remote) = &self.remote else { return };
        let issuer = &*self.issuer;
        let failed_before = std::mem::replace(&mut remote.lock().failed, true);
        let fetched = remote.source.fetch(issuer, remote.schedule.deadline, failed_before).await;
        count::keys_fetched(fetched.is_ok());
        match fetched {
            Ok((keys, max_age)) => {
                remote.lock().failed = false;
                let now = self.clock.now();
                let every = remote.schedule.refresh_every;
                // What the issuer says counts where it is sooner, within reason.
                let every =
                    max_age.map_or(every, |max_age| every.min(max_age.max(remote.schedule.cool_down)));
                remote.refresh_at.store((now + every).as_millis(), Ordering::Relaxed);
                self.replace(Current { keys, good_until: now + remote.schedule.stale_for });
            }
            Err(reason) => tracing::warn!(issuer, reason, "jwks_failed"),
        }
    }

    fn replace(&self, next: Current) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let has =
            |key: &oauth_jose::VerifyingKey| next.keys.keys().iter().any(|other| other.jwk() == key.jwk());
        let removed = current.as_ref().is_some_and(|old| !old.keys.keys().iter().all(has));
        let keys = next.keys.keys().len();
        *current = Some(Arc::new(next));
        if removed {
            self.generation.fetch_add(1, Ordering::Release);
        }
        tracing::debug!(issuer = &*self.issuer, keys, removed, "jwks_read");
    }
}

impl Remote {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the fetch, also when it panics.
struct Landing(Arc<IssuerKeys>);

impl Drop for Landing {
    fn drop(&mut self) {
        if let Some(remote) = &self.0.remote {
            remote.lock().flight = None;
        }
    }
}
