//! What subjects have allowed clients before, so that the same question is not asked twice.

use std::time::Duration;

use super::Server;
use crate::client::Client;
use crate::error::Error;
use crate::grant::Resources;
use crate::handle::IdContext;
use crate::scope::Scope;
use crate::storage::{Body, Consent, Key, Namespace};

/// The most resources that one consent remembers; beyond that, the question is asked again.
const MAX_RESOURCES: usize = 64;

/// The host's door to remembered consent. Made by [`Server::consents`].
#[derive(Debug)]
pub struct Consents<'a>(&'a Server);

static CONSENT: IdContext = IdContext::new("oauth-core v1 consent");

impl Server {
    /// The host's door to remembered consent: see it, forget it.
    pub fn consents(&self) -> Consents<'_> {
        Consents(self)
    }

    pub(super) async fn remembered(&self, client_id: &str, subject: &str) -> Result<Option<Consent>, Error> {
        let record = self.store().load(&self.consent_key(client_id, subject)).await?;
        Ok(record.and_then(|record| match &record.body {
            // A store may lie: what another person allowed, or another client, counts for nothing.
            Body::Consent(consent)
                if *consent.issuer == *self.issuer().as_str()
                    && *consent.client_id == *client_id
                    && *consent.subject == *subject
                    && !self.live.is_fenced(consent.given_at) =>
            {
                Some((**consent).clone())
            }
            _ => None,
        }))
    }

    /// Adds to what is remembered.
    pub(super) async fn remember(
        &self,
        client: &Client,
        subject: &str,
        scope: &Scope,
        resources: &Resources,
        keep: Duration,
    ) -> Result<(), Error> {
        let now = self.now();
        let fresh = Consent {
            issuer: self.issuer().shared(),
            client_id: client.shared_id(),
            subject: subject.into(),
            scope: scope.clone(),
            resources: resources.iter().cloned().collect(),
            given_at: now,
            expires_at: now + keep,
        };
        let changed_at = client.origin().changed_at();
        self.update(self.consent_key(client.id(), subject), |stored| {
            let next = match stored {
                Some(Body::Consent(before))
                    if now < before.expires_at
                        && changed_at.is_none_or(|at| before.given_at >= at)
                        && !self.live.is_fenced(before.given_at) =>
                {
                    merge(before, &fresh)
                }
                _ => fresh.clone(),
            };
            let until = next.expires_at;
            Some((Body::Consent(Box::new(next)), until))
        })
        .await
    }

    fn consent_key(&self, client_id: &str, subject: &str) -> Key {
        let parts = [self.issuer().as_str(), client_id, subject].map(str::as_bytes);
        Key::new(Namespace::Consent, CONSENT.id(&parts))
    }
}

/// Both together where that allows no more than each alone: scope that was allowed for one resource is not allowed for
/// another. Otherwise the later one.
fn merge(before: &Consent, fresh: &Consent) -> Consent {
    let resources_within = |inner: &Consent, outer: &Consent| {
        inner.resources.is_empty() == outer.resources.is_empty()
            && inner.resources.iter().all(|own| outer.resources.contains(own))
    };
    let narrower_scope = fresh.scope.is_subset_of(&before.scope);
    let narrower_resources = resources_within(fresh, before);
    if narrower_resources && resources_within(before, fresh) {
        Consent { scope: before.scope.union(&fresh.scope), ..fresh.clone() }
    } else if narrower_resources && narrower_scope {
        Consent { scope: before.scope.clone(), resources: before.resources.clone(), ..fresh.clone() }
    } else if narrower_scope && before.scope.is_subset_of(&fresh.scope) && !fresh.resources.is_empty() {
        let more = before.resources.iter().filter(|own| !fresh.resources.contains(own));
        let room = MAX_RESOURCES.saturating_sub(fresh.resources.len());
        let resources = fresh.resources.iter().chain(more.take(room)).cloned().collect();
        Consent { resources, ..fresh.clone() }
    } else {
        fresh.clone()
    }
}

impl Consents<'_> {
    /// What a subject has allowed a client, if that is remembered and still counts.
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn get(&self, client_id: &str, subject: &str) -> Result<Option<Consent>, Error> {
        let consent = self.0.remembered(client_id, subject).await?;
        Ok(consent.filter(|consent| self.0.now() < consent.expires_at))
    }

    /// Forgets it: the next request asks again. Grants that were made with it live on; see [`Server::grants`].
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn forget(&self, client_id: &str, subject: &str) -> Result<(), Error> {
        let now = self.0.now();
        self.0
            .update(self.0.consent_key(client_id, subject), |stored| match stored {
                Some(Body::Consent(consent)) if now < consent.expires_at => {
                    let ended = Consent { expires_at: now, ..(**consent).clone() };
                    Some((Body::Consent(Box::new(ended)), now))
                }
                _ => None,
            })
            .await
    }
}
