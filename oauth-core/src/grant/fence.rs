//! Fences: how a whole set of grants ends at once, however many approvals are in flight.
//!
//! `revoke_all` raises the fence of the set, then lists and revokes what is there. Every insert reads its fences afterwards
//! and revokes itself when caught. So each grant is either listed, or reads the raised fence.

use super::Grant;
use crate::clock::Timestamp;
use crate::handle::IdContext;
use crate::storage::{Fence, Key, Namespace};

/// Which set a fence stands around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FenceKind {
    /// All grants of a client.
    Client,
    /// All grants of a subject.
    Subject,
    /// All grants of a session.
    Session,
}

impl FenceKind {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Client => b"client",
            Self::Subject => b"subject",
            Self::Session => b"session",
        }
    }
}

/// The key of the fence around one set.
pub fn fence_key(issuer: &str, kind: FenceKind, value: &str) -> Key {
    static FENCE: IdContext = IdContext::new("oauth-core v1 fence");
    Key::new(Namespace::Fence, FENCE.id(&[issuer.as_bytes(), kind.label(), value.as_bytes()]))
}

impl Grant {
    /// The keys of all fences that stand around this grant: client, subject, session. That of the client may be known.
    pub(crate) fn fences(&self, client: Option<Key>) -> [Option<Key>; 3] {
        let key = |kind, value: &str| fence_key(&self.issuer, kind, value);
        [
            Some(client.unwrap_or_else(|| key(FenceKind::Client, &self.client_id))),
            self.subject.as_deref().map(|subject| key(FenceKind::Subject, subject)),
            self.session.as_deref().map(|session| key(FenceKind::Session, session)),
        ]
    }
}

impl Fence {
    /// Whether the fence catches a grant that began at `created_at`.
    pub fn catches(&self, created_at: Timestamp) -> bool {
        created_at <= self.not_before
    }

    /// The fence raised to `now`; a fence never falls.
    pub fn raised(self, now: Timestamp) -> Self {
        Self { not_before: self.not_before.max(now) }
    }
}
