//! An audit sink that remembers what it has heard.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use oauth_core::audit::{AuditSink, Event};

/// Remembers each event as text. Clones share what they have heard.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<Line>>>);

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The name of its kind, its client and its subject, with `-` for none.
    pub who: String,
    /// The grant.
    pub grant_id: Option<String>,
    /// All of it, as `Debug` shows it.
    pub all: String,
}

impl Heard {
    /// What was heard since this was last asked.
    pub fn take(&self) -> Vec<Line> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, by kind, client and subject only.
    pub fn who(&self) -> Vec<String> {
        self.take().into_iter().map(|line| line.who).collect()
    }
}

impl AuditSink for Heard {
    fn told(&self, event: &Event<'_>) {
        let mut who = event.kind.name().to_owned();
        for name in [event.client_id, event.subject] {
            write!(who, " {}", name.unwrap_or("-")).expect("memory");
        }
        let line = Line { who, grant_id: event.grant_id.map(|id| id.to_string()), all: format!("{event:?}") };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}
