//! Telling the host what happens: for an audit log, an alarm, a page of recent activity.
//!
//! Install an [`AuditSink`] with [`ServerBuilder::audit`](crate::server::ServerBuilder::audit). It hears of every change and of
//! every refusal, each as one [`Event`]; the same is told to `tracing`, without subjects. Where nobody listens nothing is made.
//!
//! 1. A change is told once it is stored, by the request that stored it, and not before. It goes untold where that request ends
//!    in between: by its deadline, by a caller who hangs up, with the process. What must not be missed is in the store.
//! 2. A refused request is one event: [`RequestRefused`](EventKind::RequestRefused),
//!    [`ClientAuthenticationFailed`](EventKind::ClientAuthenticationFailed) or [`LimitReached`](EventKind::LimitReached). What it
//!    changed, such as a grant that ended because its token was replayed, is told besides.
//! 3. No event contains a secret: no code, token, password, assertion, verifier, ticket or user code. Identifiers are there as
//!    they are, and what a request claims may be anything: escape it where lines are written.
//!
//! ```
//! use std::sync::mpsc::SyncSender;
//!
//! use oauth_core::audit::{AuditSink, Event, EventKind};
//!
//! /// Hands lines to a thread that writes them, and drops them when that thread does not keep up.
//! #[derive(Debug)]
//! struct Queue(SyncSender<String>);
//!
//! impl AuditSink for Queue {
//!     fn told(&self, event: &Event<'_>) {
//!         let line = match event.kind {
//!             EventKind::TokenIssued { scope, .. } => format!("{} {:?} got {scope}", event.at.as_secs(), event.client_id),
//!             _ => format!("{} {:?} {}", event.at.as_secs(), event.client_id, event.kind.name()),
//!         };
//!         let _ = self.0.try_send(line);
//!     }
//! }
//! ```

mod event;
mod refused;

use std::fmt::Debug;
use std::sync::Arc;

pub use event::{Event, EventKind};
pub use refused::Refused;

/// Hears what an authorization server does.
///
/// # Correctness
///
/// * It is called in the middle of a request, on the task that answers it: it must neither block nor wait. What takes long
///   belongs into a queue of bounded length.
/// * It is called by many threads at once.
/// * A sink that panics fails no request: what it would have heard has happened already. The panic is caught and reported as the
///   event `audit_sink_panicked`, where the program unwinds.
pub trait AuditSink: Debug + Send + Sync + 'static {
    /// Something happened.
    fn told(&self, event: &Event<'_>);
}

impl<S: AuditSink + ?Sized> AuditSink for Arc<S> {
    fn told(&self, event: &Event<'_>) {
        (**self).told(event);
    }
}
