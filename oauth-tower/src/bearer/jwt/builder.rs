//! Putting a JWT verifier together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::{Clock, SystemClock};

use super::super::RemoteIssuerError;
use super::super::verdicts::Verdicts;
use super::keys::Schedule;
use super::{Inner, JwtVerifier, TrustedIssuer};

/// The furthest that clocks may be apart.
const MAX_SKEW: Duration = Duration::from_secs(60);

/// How a [`JwtVerifier`] verifies. Made by [`JwtVerifier::builder`].
#[must_use = "a builder does nothing until it is built"]
pub struct JwtBuilder {
    issuers: Vec<TrustedIssuer>,
    clock: Arc<dyn Clock>,
    skew: Duration,
    entries: usize,
    schedule: Schedule,
}

impl Default for JwtBuilder {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            clock: Arc::new(SystemClock),
            skew: Duration::from_secs(10),
            entries: 4096,
            schedule: Schedule {
                refresh_every: Duration::from_secs(300),
                cool_down: Duration::from_secs(10),
                stale_for: Duration::from_secs(86_400),
                deadline: Duration::from_millis(1500),
            },
        }
    }
}

impl JwtBuilder {
    /// Trusts this issuer, too.
    pub fn issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// How far the clocks of the issuers may be off, in whole seconds: default 10 s, at most 60 s.
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew.min(MAX_SKEW);
        self
    }

    /// How many verified tokens are remembered; default 4096, zero for none.
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// How often keys are fetched again; default 5 min, sooner where the issuer's `Cache-Control` says so.
    pub fn refresh_every(mut self, interval: Duration) -> Self {
        self.schedule.refresh_every = interval;
        self
    }

    /// The shortest time between two fetches of an issuer's keys, however many tokens name keys that are not known; default 10 s.
    pub fn cool_down(mut self, pause: Duration) -> Self {
        self.schedule.cool_down = pause;
        self
    }

    /// How long keys are used while they cannot be fetched again; default 24 h. After that the answer is 503.
    pub fn stale_for(mut self, limit: Duration) -> Self {
        self.schedule.stale_for = limit;
        self
    }

    /// How long an issuer may take for one document; default 1.5 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.schedule.deadline = deadline;
        self
    }

    /// The clock; the machine's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// [`RemoteIssuerError`] names what is wrong.
    pub fn build(self) -> Result<JwtVerifier, RemoteIssuerError> {
        let mut names: Vec<&str> = self.issuers.iter().map(TrustedIssuer::name).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() || names.len() != self.issuers.len() {
            return Err(RemoteIssuerError::Issuers);
        }
        let generation = Arc::default();
        let issuers = self
            .issuers
            .into_iter()
            .map(|issuer| issuer.build(self.schedule, self.clock.clone(), Arc::clone(&generation)))
            .collect::<Result<_, _>>()?;
        Ok(JwtVerifier(Arc::new(Inner {
            issuers,
            clock: self.clock,
            skew: self.skew,
            verdicts: Verdicts::new(self.entries),
            generation,
        })))
    }
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}
