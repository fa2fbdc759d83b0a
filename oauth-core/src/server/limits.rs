//! The server's door to its limiter.

use std::time::Duration;

use super::Server;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::limit::{Bucket, LimitBy, Quota, Rule, Spend, Verdict};

/// The limits of a server. Made by [`Server::limits`].
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a>(&'a Server);

/// There were too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts ({rule:?})")]
pub struct RateLimited {
    /// What was counted.
    pub rule: Rule,
    /// How long to wait.
    pub retry_after: Duration,
}

impl From<RateLimited> for Error {
    fn from(limited: RateLimited) -> Self {
        Self::new(ErrorCode::TooManyRequests, "too many attempts, please wait")
            .limited_by(limited.rule)
            .retry_in(limited.retry_after)
    }
}

impl Server {
    /// The limits on attempts, for endpoints of the host's own as well.
    pub fn limits(&self) -> Limits<'_> {
        Limits(self)
    }
}

impl Limits<'_> {
    /// Takes an attempt under each rule, or none at all.
    ///
    /// # Errors
    ///
    /// The first that has none left.
    pub async fn take(&self, counted: &[(Rule, LimitBy<'_>)]) -> Result<(), RateLimited> {
        let now = self.0.now();
        for (done, (rule, by)) in counted.iter().enumerate() {
            if let Err(limited) = self.take_one(*rule, by, self.0.quotas.get(*rule), now).await {
                self.put_back(&counted[..done]).await;
                return Err(limited);
            }
        }
        Ok(())
    }

    /// Takes an attempt from a bucket with a quota of its own.
    pub(super) async fn take_within(
        &self,
        rule: Rule,
        by: &LimitBy<'_>,
        quota: Quota,
    ) -> Result<(), RateLimited> {
        self.take_one(rule, by, quota, self.0.now()).await
    }

    /// Whether an attempt is left under each rule.
    ///
    /// # Errors
    ///
    /// The first that has none left.
    pub async fn ask(&self, counted: &[(Rule, LimitBy<'_>)]) -> Result<(), RateLimited> {
        let now = self.0.now();
        for (rule, by) in counted {
            for bucket in Bucket::of(*rule, by, self.0.quotas.get(*rule)) {
                let verdict = self.0.limiter.spend(&bucket, Spend::Nothing, now).await;
                check(*rule, verdict)?;
            }
        }
        Ok(())
    }

    /// Gives back what [`Limits::take`] has taken: the attempt turned out not to count.
    pub async fn put_back(&self, counted: &[(Rule, LimitBy<'_>)]) {
        let now = self.0.now();
        for (rule, by) in counted {
            for bucket in Bucket::of(*rule, by, self.0.quotas.get(*rule)) {
                // Giving back is always allowed.
                let _ = self.0.limiter.spend(&bucket, Spend::Back, now).await;
            }
        }
    }

    async fn take_one(
        &self,
        rule: Rule,
        by: &LimitBy<'_>,
        quota: Quota,
        now: Timestamp,
    ) -> Result<(), RateLimited> {
        let buckets = Bucket::of(rule, by, quota);
        for (done, bucket) in buckets.iter().enumerate() {
            let verdict = self.0.limiter.spend(bucket, Spend::One, now).await;
            if let Err(limited) = check(rule, verdict) {
                for before in &buckets[..done] {
                    let _ = self.0.limiter.spend(before, Spend::Back, now).await;
                }
                return Err(limited);
            }
        }
        Ok(())
    }
}

fn check(rule: Rule, verdict: Verdict) -> Result<(), RateLimited> {
    match verdict {
        Verdict::Allowed => Ok(()),
        Verdict::RetryAfter(retry_after) => Err(RateLimited { rule, retry_after }),
    }
}
