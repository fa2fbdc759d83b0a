//! The host's door: what is granted, and how to end it.

use std::sync::Arc;

use super::advance::Revoke;
use super::{Concerned, Server};
use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{Active, FenceKind, Format, Grant, Refusal, Resources, RevokeReason, State, fence_key};
use crate::handle::GrantId;
use crate::scope::Scope;
use crate::storage::{Body, Fence, Index, Key, Namespace, Page, Record};

/// How many keys are asked for at a time.
const PAGE: usize = 256;

/// The host's door to grants. Made by [`Server::grants`].
#[derive(Debug)]
pub struct Grants<'a>(&'a Server);

/// What a host may show of a grant, on an account page or for support.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GrantSummary {
    /// Its id.
    pub id: GrantId,
    /// The client.
    pub client_id: Arc<str>,
    /// The resource owner.
    pub subject: Option<Arc<str>>,
    /// The host's session in which it was approved.
    pub session: Option<Arc<str>>,
    /// What was allowed.
    pub scope: Scope,
    /// For which resources.
    pub resources: Resources,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The name of its state: `approved`, `active`, `revoked`.
    pub state: &'static str,
    /// Whether anything of it can still be used.
    pub live: bool,
}

impl Server {
    /// The host's door to grants: list them, revoke one, revoke all of a set.
    pub fn grants(&self) -> Grants<'_> {
        Grants(self)
    }
}

impl Grants<'_> {
    /// All grants of a client, subject or session that are stored, ended ones included.
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn list(&self, index: Index<'_>) -> Result<Vec<GrantSummary>, Error> {
        let now = self.0.now();
        self.0.catch_up(now).await?;
        let mut found = Vec::new();
        let mut page = Some(Page::first(PAGE));
        while let Some(current) = page {
            let listing = self.0.store().list(index, current).await?;
            for key in &listing.keys {
                let Some(record) = self.listed(key).await? else { continue };
                if index.matches(&record)
                    && let Some(grant) = record.grant()
                {
                    let live = !self.0.live.is_fenced(grant.created_at) && self.0.is_live(grant, now);
                    found.push(GrantSummary::of(GrantId::from_bytes(*key.id()), grant, live));
                }
            }
            page = listing.next.map(|next| Page::after(next, PAGE));
        }
        Ok(found)
    }

    /// Ends one grant; `false` if there is none of that id. When this has returned nothing of the grant works any more.
    ///
    /// # Errors
    ///
    /// 503 when the store fails; nothing may have ended then.
    pub async fn revoke(&self, id: GrantId) -> Result<bool, Error> {
        match self.0.advance(id, &Revoke(RevokeReason::Host), self.0.now()).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.refusal(), Some(Refusal::UnknownGrant | Refusal::Mismatch)) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends all grants of a client, subject or session: those that are stored, and those whose approval is in flight. Says
    /// how many stored ones were named.
    ///
    /// # Errors
    ///
    /// 503 when the store fails: the fence may stand already, call it again to end the rest.
    pub async fn revoke_all(&self, index: Index<'_>) -> Result<usize, Error> {
        let (kind, value) = match index {
            Index::Client(client) => (FenceKind::Client, client),
            Index::Subject(subject) => (FenceKind::Subject, subject),
            Index::Session(session) => (FenceKind::Session, session),
        };
        let now = self.0.now();
        let key = fence_key(self.0.issuer().as_str(), kind, value);
        // Kept for as long as anything that began before it could live.
        let retain_until = now + self.0.longest_approval();
        self.0
            .update(key, |stored| {
                let fence = match stored {
                    Some(Body::Fence(fence)) => fence.raised(now),
                    _ => Fence { not_before: now },
                };
                Some((Body::Fence(fence), retain_until))
            })
            .await?;
        let around = Some(index);
        self.0.tell(Concerned::default(), EventKind::FenceRaised { around, not_before: now });
        let mut revoked = 0;
        let mut page = Some(Page::first(PAGE));
        while let Some(current) = page {
            let listing = self.0.store().list(index, current).await?;
            for key in listing.keys.iter().filter(|key| key.namespace() == Namespace::Grant) {
                let Some(record) = self.listed(key).await? else { continue };
                if index.matches(&record) && self.revoke(GrantId::from_bytes(*key.id())).await? {
                    revoked += 1;
                }
            }
            page = listing.next.map(|next| Page::after(next, PAGE));
        }
        Ok(revoked)
    }
}

impl Grants<'_> {
    /// Ends everything that this issuer has issued until now: every grant, every page that waits for an answer, every
    /// remembered consent, every sign-in of the built-in pages. For use after a backup was restored, in which codes and
    /// tokens that had been used or revoked would be alive again. Answers the time of the fence.
    ///
    /// It is one write; nothing is listed. This server sees it at once, other replicas after twice their
    /// [`reload_every`](super::ServerBuilder::reload_every) at the latest (4 s unless set), those that start later at once.
    ///
    /// # Errors
    ///
    /// 503 when the store fails; call it again then.
    pub async fn raise_fence_all(&self) -> Result<Timestamp, Error> {
        self.raise_fence(self.0.now()).await
    }

    /// As [`Grants::raise_fence_all`], for what was issued at `at` or earlier: a time in the future counts as now. A fence
    /// never falls; the answer is where it stands.
    ///
    /// # Errors
    ///
    /// 503 when the store fails; call it again then.
    pub async fn raise_fence(&self, at: Timestamp) -> Result<Timestamp, Error> {
        self.0.raise_issuer_fence(at.min(self.0.now())).await
    }

    /// A grant that was listed. Issuers may share a store: another one's grants are named too, and are not ours.
    async fn listed(&self, key: &Key) -> Result<Option<Arc<Record>>, Error> {
        match self.0.load_grant(key).await {
            Err(error) if error.refusal() == Some(Refusal::Mismatch) => Ok(None),
            answer => answer,
        }
    }
}

impl Server {
    /// For how long an approval that has begun may take to be stored: far longer than any request lives.
    fn longest_approval(&self) -> std::time::Duration {
        self.config.ticket_lifetime + std::time::Duration::from_secs(24 * 3600)
    }
}

impl Server {
    /// Whether anything of a grant can still be used.
    fn is_live(&self, grant: &Grant, now: Timestamp) -> bool {
        match &grant.state {
            State::Approved => grant.code.as_ref().is_some_and(|code| now < code.expires_at),
            State::Active(active) => {
                let access = active.access.iter().map(|entry| entry.expires_at);
                let ends = access.chain(active.refresh.as_ref().map(|refresh| refresh.expires_at));
                now < grant.expires_at
                    && (ends.max().is_some_and(|end| now < end) || self.is_jwt_alone(grant))
            }
            _ => false,
        }
    }

    /// Whether the grant is that of one JWT, which ends with it and has no entry.
    fn is_jwt_alone(&self, grant: &Grant) -> bool {
        let State::Active(Active { access, refresh: None }) = &grant.state else { return false };
        let ended = grant.details.as_ref().is_some_and(|details| !details.ended_jwts.is_empty());
        access.is_empty() && !ended && self.signing.formats.of(&grant.resources) == Ok(Format::Jwt)
    }
}

impl GrantSummary {
    fn of(id: GrantId, grant: &Grant, live: bool) -> Self {
        Self {
            id,
            client_id: grant.client_id.clone(),
            subject: grant.subject.clone(),
            session: grant.session.clone(),
            scope: grant.scope.clone(),
            resources: grant.resources.clone(),
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            state: grant.state.name(),
            live,
        }
    }
}
