//! The server's door to its audit sink, and what `tracing` hears.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use super::Server;
use crate::audit::{Event, EventKind, Refused};
use crate::handle::GrantId;

/// Who is concerned by an event.
#[derive(Clone, Copy, Default)]
pub(in crate::server) struct Concerned<'a> {
    pub(in crate::server) client_id: Option<&'a str>,
    pub(in crate::server) subject: Option<&'a str>,
    pub(in crate::server) grant_id: Option<GrantId>,
}

/// The door to the audit sink, for endpoints of the host's own. Made by [`Server::audit`].
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(&'a Server);

impl Server {
    /// What tells the [`AuditSink`](crate::audit::AuditSink) of refusals. The endpoints of `oauth-tower` do it by themselves.
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }

    /// Whether anybody listens: otherwise nothing needs to be made for an event.
    #[inline]
    pub(super) fn is_heard(&self) -> bool {
        self.audit.is_some() || LevelFilter::current() != LevelFilter::OFF
    }

    /// Tells of a change.
    #[inline]
    pub(super) fn tell(&self, concerned: Concerned<'_>, kind: EventKind<'_>) {
        if !self.is_heard() {
            return;
        }
        self.tell_heard(concerned, kind);
    }

    #[cold]
    fn tell_heard(&self, concerned: Concerned<'_>, kind: EventKind<'_>) {
        note(concerned);
        let name = kind.name();
        let client_id = concerned.client_id.map(|id| tracing::field::display(id.escape_debug()));
        let grant_id = concerned.grant_id.map(tracing::field::display);
        let reason = match kind {
            EventKind::GrantRevoked { reason } => Some(tracing::field::debug(reason)),
            _ => None,
        };
        match kind.level() {
            Level::DEBUG => tracing::debug!(client_id, grant_id, reason, "{name}"),
            Level::INFO => tracing::info!(client_id, grant_id, reason, "{name}"),
            _ => tracing::warn!(client_id, grant_id, reason, "{name}"),
        }
        self.tell_sink(concerned, kind);
    }

    /// Tells of a change to a client.
    pub(super) fn tell_of(&self, client_id: &str, kind: EventKind<'_>) {
        self.tell(Concerned { client_id: Some(client_id), ..Concerned::default() }, kind);
    }

    fn tell_sink(&self, concerned: Concerned<'_>, kind: EventKind<'_>) {
        let Some(sink) = &self.audit else { return };
        let Concerned { client_id, subject, grant_id } = concerned;
        let event = Event { at: self.now(), issuer: &self.issuer_text, client_id, subject, grant_id, kind };
        // What is told has happened: an answer must not be lost over it.
        if catch_unwind(AssertUnwindSafe(|| sink.told(&event))).is_err() {
            tracing::error!(event = kind.name(), "audit_sink_panicked");
        }
    }
}

impl Audit<'_> {
    /// Tells that somebody has signed in. The built-in pages do so by themselves; this is for a sign-in page of the host's own.
    pub fn signed_in(&self, subject: &str) {
        self.0.tell(Concerned { subject: Some(subject), ..Concerned::default() }, EventKind::SignedIn);
    }

    /// Tells that a password was wrong. Who it was meant to be is not said: people type passwords into the wrong field.
    pub fn sign_in_failed(&self) {
        self.0.tell(Concerned::default(), EventKind::SignInFailed);
    }

    /// Tells, once, that an endpoint refuses a request: the sink, and `tracing` as event `request_refused`. `endpoint` is a name
    /// for logs.
    ///
    /// ```
    /// # use oauth_core::{error::Error, server::Server};
    /// # fn refuse(server: &Server, error: &Error) {
    /// server.audit().refused("my_endpoint", error);
    /// # }
    /// ```
    pub fn refused<'a>(&self, endpoint: &'static str, refused: impl Into<Refused<'a>>) {
        if !self.0.is_heard() {
            return;
        }
        let refused = refused.into();
        let Refused { client_id, grant_id, alarming, .. } = refused;
        let concerned = Concerned { client_id, grant_id, subject: None };
        note(concerned);
        let error = refused.error.as_str();
        let reason = tracing::field::display(refused.reason.escape_debug());
        let client_id = client_id.map(|id| tracing::field::display(id.escape_debug()));
        let grant_id = grant_id.map(tracing::field::display);
        if alarming {
            tracing::warn!(endpoint, error, reason, client_id, grant_id, "request_refused");
        } else {
            tracing::info!(endpoint, error, reason, client_id, grant_id, "request_refused");
        }
        self.0.tell_sink(concerned, refused.kind(endpoint));
    }
}

/// Notes in the span of the request whose it is; a span without such fields stays as it is.
#[inline]
pub(super) fn note(concerned: Concerned<'_>) {
    if LevelFilter::current() == LevelFilter::OFF {
        return;
    }
    note_in(&Span::current(), concerned);
}

#[cold]
fn note_in(span: &Span, concerned: Concerned<'_>) {
    if let Some(client_id) = concerned.client_id {
        span.record("client_id", tracing::field::display(client_id.escape_debug()));
    }
    if let Some(grant_id) = concerned.grant_id {
        span.record("grant_id", tracing::field::display(grant_id));
    }
}
