//! Fences: how a whole set of grants ends at once, however many approvals are in flight.
//!
//! `revoke_all` raises the fence of the set, then lists and revokes what is there. Every insert reads its fences afterwards
//! and revokes itself when caught. So each grant is either listed, or reads the raised fence.

use super::{Grant, Refusal};
use crate::clock::Timestamp;
use crate::handle::derived_id;
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
    let id = derived_id("oauth-core v1 fence", &[issuer.as_bytes(), kind.label(), value.as_bytes()]);
    Key::new(Namespace::Fence, id)
}

impl Grant {
    /// The keys of all fences that stand around this grant.
    pub fn fences(&self) -> impl Iterator<Item = Key> + '_ {
        let sets = [
            Some((FenceKind::Client, &*self.client_id)),
            self.subject.as_deref().map(|subject| (FenceKind::Subject, subject)),
            self.session.as_deref().map(|session| (FenceKind::Session, session)),
        ];
        sets.into_iter().flatten().map(|(kind, value)| fence_key(&self.issuer, kind, value))
    }

    /// Whether a fence catches this grant.
    ///
    /// # Errors
    ///
    /// [`Refusal::Revoked`] when the grant began at or before the fence.
    pub fn check_fence(&self, fence: &Fence) -> Result<(), Refusal> {
        if self.created_at <= fence.not_before { Err(Refusal::Revoked) } else { Ok(()) }
    }
}

impl Fence {
    /// The fence raised to `now`; a fence never falls.
    pub fn raised(self, now: Timestamp) -> Self {
        Self { not_before: self.not_before.max(now) }
    }
}
