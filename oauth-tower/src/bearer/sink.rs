//! Telling an audit log about refusals.

use std::fmt::Debug;

use oauth_core::clock::Timestamp;
use oauth_core::handle::GrantId;

use super::Cause;

/// Hears of every refused request, for an audit log or an alarm. The same is told to `tracing`, as event `bearer_refused`.
///
/// It is called in the middle of the request: what takes long belongs into a queue. A sink that panics fails no request; it is
/// reported as the event `refusal_sink_panicked`, where the program unwinds.
pub trait RefusalSink: Debug + Send + Sync + 'static {
    /// A request was refused, or would have been.
    fn refused(&self, event: &Refused<'_>);
}

/// A refused request. No member is a secret, and none is text of the request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refused<'a> {
    /// Why.
    pub cause: Cause,
    /// Why, in the operator's words.
    pub reason: &'a str,
    /// The client, where a token was good and not enough here, or is known although the token could not be checked.
    pub client_id: Option<&'a str>,
    /// The resource owner, where a token was good and not enough here.
    pub subject: Option<&'a str>,
    /// The grant, where a token was good and not enough here, and was issued by a server in the same process.
    pub grant_id: Option<GrantId>,
    /// When.
    pub at: Timestamp,
    /// Whether the request passed nevertheless; see [`BearerLayer::observe`](super::BearerLayer::observe).
    pub passed: bool,
}
