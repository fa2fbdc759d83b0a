//! Rate limits: how often somebody may try, and how long they wait after that.
//!
//! 1. A limiter only ever says "not now": it changes no grant, and what it refuses has consumed nothing.
//! 2. What is counted is named by a [`Rule`]; each has a [`Quota`], which the host may change. Attempts are counted by where
//!    they come from, or by what they guess at, and never in a way that lets a stranger lock the owner out: see each rule.
//! 3. Addresses are counted by prefix ([`AddressPrefix`]), since one subscriber has many of them.
//! 4. A limiter sees the digest of what is counted, never the value.
//!
//! The default, [`MemoryLimiter`], counts in this process. A host with several replicas may share one by implementing
//! [`Limiter`] over its own engine; without that, each replica gives the whole quota.
//!
//! ```
//! use oauth_core::clock::Timestamp;
//! use oauth_core::limit::{Bucket, LimitBy, Limiter, MemoryLimiter, Quota, Rule, Spend, Verdict};
//! # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}, time::Duration};
//! # fn at_once<F: Future>(future: F) -> F::Output {
//! #     match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
//! #         Poll::Ready(answer) => answer,
//! #         Poll::Pending => unreachable!("counting in memory waits for nothing"),
//! #     }
//! # }
//!
//! let limiter = MemoryLimiter::new();
//! let quota = Quota::new(2, Duration::from_secs(10));
//! let bucket = &Bucket::of(Rule::DeviceClient, &LimitBy::Client("tv"), quota)[0];
//! let take = |second| at_once(limiter.spend(bucket, Spend::One, Timestamp::from_secs(second)));
//! assert_eq!([take(0), take(0)], [Verdict::Allowed, Verdict::Allowed]);
//! assert_eq!(take(1), Verdict::RetryAfter(Duration::from_secs(9)));
//! assert_eq!(take(10), Verdict::Allowed);
//! ```

mod address;
mod bucket;
mod memory;
mod rule;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use address::{AddressPrefix, RequestAddress};
pub use bucket::{Bucket, LimitBy};
pub use memory::MemoryLimiter;
pub use rule::{Quota, Rule};

pub(crate) use rule::Quotas;

use crate::clock::Timestamp;

/// What to do with a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spend {
    /// Only say what [`Spend::One`] would be answered.
    Nothing,
    /// Take one attempt out, if one is left.
    One,
    /// Give one attempt back: it turned out not to count. Always allowed.
    Back,
}

/// What a limiter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// Not before this has passed.
    RetryAfter(Duration),
}

/// Counts attempts.
///
/// # Correctness
///
/// * Of N concurrent [`Spend::One`] on a bucket with M attempts left, at most M are allowed.
/// * Memory is bounded, whatever ids come.
/// * A limiter that cannot reach its engine decides by itself, and fast: allowing keeps everybody working and guessing.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rate limiter",
    note = "implement `oauth_core::limit::Limiter`, or take `MemoryLimiter` or `Unlimited`"
)]
pub trait Limiter: fmt::Debug + Send + Sync + 'static {
    /// Spends from one bucket.
    async fn spend(&self, bucket: &Bucket, spend: Spend, now: Timestamp) -> Verdict;
}

/// No limits at all: for hosts that limit in front of the server, and for tests.
///
/// # Security
///
/// Passwords and user codes can then be guessed as fast as the server answers, and devices are never told to slow down.
#[derive(Clone, Copy, Debug)]
pub struct Unlimited;

#[async_trait]
impl Limiter for Unlimited {
    async fn spend(&self, _bucket: &Bucket, _spend: Spend, _now: Timestamp) -> Verdict {
        Verdict::Allowed
    }
}
