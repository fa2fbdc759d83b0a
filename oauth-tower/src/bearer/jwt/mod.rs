//! Verifying JWT access tokens (RFC 9068) of other issuers, by their public keys.

mod builder;
mod check;
mod discovery;
mod jwt_or;
mod keys;
mod repeated;
mod trusted_issuer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oauth_core::clock::{Clock, Timestamp};
use oauth_core::error::Error;
use oauth_core::server::{AccessToken, VerifyError};

pub use builder::JwtBuilder;
pub use jwt_or::{JwtOr, JwtOrVerification};
pub use trusted_issuer::TrustedIssuer;

use super::described::rejected;
use super::verdicts::{Slot, Verdicts};
use super::{RemoteVerification, Verification, Verifier};
use check::{Checked, Expectations};
use keys::IssuerKeys;

/// Verifies JWT access tokens of one or several issuers, each with keys of its own.
///
/// 1. Type (`at+jwt`), algorithm, signature, issuer, audience and times are checked, in this order; issuer and audience byte for
///    byte. An algorithm belongs to a key, never to a token.
/// 2. Keys that are fetched are read again every five minutes, when a token names a key that is not known (at most once in ten
///    seconds), and in the background: while the issuer does not answer, the keys that are there go on working for a day.
/// 3. A token that has been verified is found again by its text until it expires, and forgotten when any key is taken away.
/// 4. A token is given to the keys of the issuer that it names; one that is not configured is refused, and never asked.
///
/// ```no_run
/// # #[cfg(feature = "http-client")] {
/// use oauth_tower::bearer::{BearerLayer, JwtVerifier, TrustedIssuer};
/// use oauth_tower::http_client::HttpClient;
///
/// let http = HttpClient::with_public_roots();
/// let issuer = TrustedIssuer::discover("https://as.example", "https://notes.example", http);
/// let verifier = JwtVerifier::builder().issuer(issuer).build().expect("the addresses are https");
/// let layer = BearerLayer::new(verifier).require_scope("notes:read");
/// # }
/// ```
///
/// # Security
///
/// A JWT works until it expires, whatever happens to its grant. Tokens that have been verified are kept in memory.
#[derive(Clone)]
pub struct JwtVerifier(Arc<Inner>);

struct Inner {
    issuers: Vec<Issuer>,
    clock: Arc<dyn Clock>,
    skew: Duration,
    verdicts: Verdicts<Arc<AccessToken>>,
    /// Counts the times that a key was taken away.
    generation: Arc<AtomicU64>,
}

struct Issuer {
    expectations: Expectations,
    keys: Arc<IssuerKeys>,
}

impl JwtVerifier {
    /// A verifier that trusts nobody yet.
    pub fn builder() -> JwtBuilder {
        JwtBuilder::default()
    }

    /// This verifier for JWTs of its issuers, and another, such as an
    /// [`IntrospectionVerifier`](super::IntrospectionVerifier), for all other tokens.
    pub fn or<V: Verifier>(self, other: V) -> JwtOr<V> {
        JwtOr::new(self, other)
    }

    fn remembered(&self, token: &str) -> Option<Arc<AccessToken>> {
        let (now, generation) = self.0.begin();
        self.0.verdicts.slot(token).get(now, generation)
    }

    /// Whether a token says that it is of an issuer that is trusted here. It may be lying.
    pub fn is_for(&self, token: &str) -> bool {
        check::named_issuer(token).is_some_and(|name| self.0.issuer(&name).is_some())
    }
}

impl Verifier for JwtVerifier {
    type Future = RemoteVerification;

    fn verify_token(&self, token: &str) -> Verification<RemoteVerification> {
        let inner = &self.0;
        let (now, generation) = inner.begin();
        let slot = inner.verdicts.slot(token);
        if let Some(verified) = slot.get(now, generation) {
            return Verification::Now(Ok(verified));
        }
        let at = match inner.find(token) {
            Ok(at) => at,
            Err(error) => return Verification::Now(Err(error)),
        };
        match inner.verify(at, &slot, now, generation) {
            Checked::Verdict(verdict) => Verification::Now(verdict),
            Checked::KeyMissing => inner.verify_with_new_keys(at, token, now),
        }
    }
}

impl Inner {
    /// The time, and the generation of keys: read before the keys are, so that a verdict by a key that is taken away meanwhile
    /// is not kept.
    fn begin(&self) -> (Timestamp, u64) {
        let now = self.clock.now();
        for issuer in &self.issuers {
            issuer.keys.refresh_in_time(now);
        }
        (now, self.generation.load(Ordering::Acquire))
    }

    fn issuer(&self, name: &str) -> Option<usize> {
        self.issuers.iter().position(|issuer| **issuer.expectations.issuer() == *name)
    }

    /// The issuer whose keys are asked. Where there is one, the claims say later whether it is the right one.
    fn find(&self, token: &str) -> Result<usize, VerifyError> {
        if self.issuers.len() == 1 {
            return Ok(0);
        }
        let Some(name) = check::named_issuer(token) else {
            return rejected("not a JWT that names its issuer");
        };
        self.issuer(&name).map_or_else(|| rejected("the token is of an issuer that is not trusted"), Ok)
    }

    fn verify(
        &self,
        at: usize,
        slot: &Slot<'_, Arc<AccessToken>>,
        now: Timestamp,
        generation: u64,
    ) -> Checked {
        let Some(issuer) = self.issuers.get(at) else { return Checked::KeyMissing };
        let Some(keys) = issuer.keys.current(now) else { return Checked::KeyMissing };
        let checked = issuer.expectations.check(&keys.keys, slot.token(), now, self.skew);
        if let Checked::Verdict(Ok(verified)) = &checked {
            let ends = verified.expires_at.min(keys.good_until);
            slot.insert(verified.clone(), ends, generation, now);
        }
        checked
    }

    /// Reads the keys again, if it is not too early, and tries once more.
    fn verify_with_new_keys(
        self: &Arc<Self>,
        at: usize,
        token: &str,
        now: Timestamp,
    ) -> Verification<RemoteVerification> {
        let Some(issuer) = self.issuers.get(at) else { return Verification::Now(rejected("no issuer")) };
        let Some(flight) = issuer.keys.refresh(now) else {
            return Verification::Now(issuer.without_key(now));
        };
        let (inner, token) = (self.clone(), Box::<str>::from(token));
        Verification::Later(RemoteVerification::new(async move {
            flight.land().await;
            let (now, generation) = inner.begin();
            match inner.verify(at, &inner.verdicts.slot(&token), now, generation) {
                Checked::Verdict(verdict) => verdict,
                Checked::KeyMissing => {
                    inner.issuers.get(at).map_or_else(|| rejected("no issuer"), |i| i.without_key(now))
                }
            }
        }))
    }
}

impl Issuer {
    /// No key fits. Where there are keys, that is the token's fault.
    fn without_key(&self, now: Timestamp) -> Result<Arc<AccessToken>, VerifyError> {
        if self.keys.current(now).is_some() {
            return rejected("the token is signed with a key that is not known");
        }
        Err(VerifyError::Unavailable(Error::unavailable("the keys of the issuer could not be read")))
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.0.issuers.iter().map(|issuer| issuer.expectations.issuer()).collect();
        f.debug_struct("JwtVerifier").field("issuers", &issuers).finish_non_exhaustive()
    }
}
