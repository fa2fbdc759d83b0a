//! A device polls (RFC 8628 §3.4, §3.5).
//!
//! | the owner | the device hears |
//! | --- | --- |
//! | has not decided | `authorization_pending`; `slow_down` where it comes too early |
//! | has said yes | its tokens, once |
//! | has said no | `access_denied` |
//! | has let the time pass | `expired_token` |
//!
//! The time of the last poll is in the limiter, so that a poll is one load and no write. An early one raises the interval in the
//! record, up to a minute.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::grant::{Grant, Plan, Refusal};
use crate::handle::GrantId;
use crate::limit::{LimitBy, Quota, Rule};
use crate::server::redeem::RedeemStep;
use crate::server::{Server, Step};
use crate::token::{TokenRequest, TokenResponse};

/// For how long after the redemption another poll is refused without ending the grant: polls may overtake each other. Far less
/// than the shortest interval, so a device that asks again since it got no answer finds a clean end, and no orphaned tokens.
pub(in crate::server) const SENT_TWICE: Duration = Duration::from_secs(2);

/// How much earlier than told a device may come: networks are no clocks.
const EARLY: Duration = Duration::from_secs(1);

impl Server {
    pub(in crate::server) async fn poll(&self, request: &TokenRequest<'_>) -> Result<TokenResponse, Error> {
        self.catch_up(request.now).await?;
        let step = RedeemStep::for_device(self, request)?;
        let id = step.handle.grant;
        match self.advance(id, &step, request.now).await {
            Ok((redemption, jwt)) => Ok(step.answer(redemption, jwt)),
            Err(error) => match error.refusal() {
                Some(Refusal::AuthorizationPending { interval }) => {
                    Err(self.wait(id, interval, error).await?)
                }
                _ => Err(error),
            },
        }
        .map_err(|error| error.for_grant(id))
    }

    /// What a device hears while nobody has decided.
    async fn wait(&self, id: GrantId, interval: u32, pending: Error) -> Result<Error, Error> {
        let every = Duration::from_secs(u64::from(interval)).saturating_sub(EARLY).max(EARLY);
        let counted = LimitBy::Credential(id.as_bytes());
        if self.limits().take_within(Rule::DevicePoll, &counted, Quota::new(1, every)).await.is_ok() {
            return Ok(pending);
        }
        // Whatever became of the grant meanwhile, the next poll will hear it.
        match self.advance(id, &SlowDown(interval), self.now()).await {
            Err(error) if error.refusal().is_none() => Err(error),
            _ => Ok(Error::new(ErrorCode::SlowDown, "please poll less often")),
        }
    }
}

/// Raises the interval that a poll was judged by.
struct SlowDown(u32);

impl Step for SlowDown {
    type Outcome = ();

    fn plan(&self, grant: &Grant, _now: Timestamp) -> Result<Plan<()>, Refusal> {
        Ok(grant.slow_down(self.0))
    }
}
