//! Wrong user codes, counted in the store by who is signed in: a guesser with many addresses is still one person.
//!
//! One record a subject, a single time: when all attempts will be there again. So it is one swap an attempt, whatever races.

use super::DeviceError;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::handle::IdContext;
use crate::limit::{Quota, Rule};
use crate::server::{RateLimited, Server};
use crate::storage::{Body, Key, Marker, Namespace};

static ATTEMPTS: IdContext = IdContext::new("oauth-core v1 wrong user codes");

impl Server {
    /// Takes one attempt before the code is looked at.
    pub(super) async fn take_user_code_attempt(&self, subject: &str) -> Result<(), DeviceError> {
        let quota = self.quotas.get(Rule::UserCodeSubject);
        let mut limited = None;
        self.spend_user_code(subject, |full_at, now| {
            let next = full_at.max(now) + quota.every;
            let most = now + span(quota);
            limited = (next > most)
                .then(|| RateLimited { rule: Rule::UserCodeSubject, retry_after: next.since(most) });
            limited.is_none().then_some(next)
        })
        .await?;
        limited.map_or(Ok(()), |limited| Err(limited.into()))
    }

    /// It was right.
    pub(super) async fn return_user_code_attempt(&self, subject: &str) -> Result<(), Error> {
        let quota = self.quotas.get(Rule::UserCodeSubject);
        self.spend_user_code(subject, |full_at, now| (full_at > now).then(|| full_at - quota.every)).await
    }

    async fn spend_user_code(
        &self,
        subject: &str,
        mut plan: impl FnMut(Timestamp, Timestamp) -> Option<Timestamp> + Send,
    ) -> Result<(), Error> {
        let quota = self.quotas.get(Rule::UserCodeSubject);
        if quota.every.is_zero() {
            return Ok(());
        }
        let key =
            Key::new(Namespace::Marker, ATTEMPTS.id(&[self.issuer.as_str().as_bytes(), subject.as_bytes()]));
        let now = self.now();
        self.update(key, |stored| {
            let full_at = match stored {
                // A clock that was set back must not make anybody wait for longer than no attempt at all does.
                Some(Body::Marker(marker)) => marker.used_at.min(now + span(quota)),
                _ => now,
            };
            plan(full_at, now).map(|next| (Body::Marker(Marker { used_at: next }), next.max(now)))
        })
        .await
    }
}

/// How long it takes until all attempts are there again.
fn span(quota: Quota) -> std::time::Duration {
    quota.every.saturating_mul(quota.burst)
}
