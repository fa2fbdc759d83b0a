//! Finding clients, and the host's door to those in the store.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::documents::Documents;
use super::registration::{may_be_registered, retained};
use super::{BuildError, DeviceFlow, Server};
use crate::audit::EventKind;
use crate::client::{Client, ClientCache, ClientSource, client_key, looks_like_url};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{FenceKind, fence_key};
use crate::soon::Soon;
use crate::storage::{Body, Index, Key};
use crate::token::GrantType;

/// Clients in the program first, then those of the host's table or of the store.
#[derive(Debug)]
pub(super) struct Registry {
    /// Each with the key of its fence, so that it is computed once.
    fixed: HashMap<Arc<str>, (Arc<Client>, Key)>,
    source: Option<Arc<dyn ClientSource>>,
    cache: ClientCache,
    pub(super) documents: Option<Documents>,
}

impl Registry {
    pub(super) fn new(
        issuer: &str,
        clients: Vec<Client>,
        source: Option<Arc<dyn ClientSource>>,
        keep: Duration,
        grant_types: &[Arc<dyn GrantType>],
        device_flow: bool,
        documents: Option<Documents>,
    ) -> Result<Self, BuildError> {
        let mut fixed = HashMap::with_capacity(clients.len());
        for client in clients {
            let known = |name: &str| {
                ["authorization_code", "refresh_token"].contains(&name)
                    || (device_flow && name == DeviceFlow::GRANT_TYPE)
                    || grant_types.iter().any(|own| own.name() == name)
            };
            if let Some(unknown) = client.grant_types.iter().find(|name| !known(name)) {
                return Err(BuildError::UnknownGrantType {
                    client: client.shared_id(),
                    grant_type: unknown.clone(),
                });
            }
            let id = client.shared_id();
            let fence = fence_key(issuer, FenceKind::Client, &id);
            if fixed.insert(id.clone(), (Arc::new(client), fence)).is_some() {
                return Err(BuildError::DuplicateClient(id));
            }
        }
        Ok(Self { fixed, source, cache: ClientCache::new(keep), documents })
    }

    /// Forgets what is past its time.
    pub(super) fn sweep(&self, now: Timestamp) {
        self.cache.sweep(now);
        if let Some(documents) = &self.documents {
            documents.sweep(now);
        }
    }

    /// The longest lifetime of a grant that a client in the program has of its own.
    pub(super) fn longest_grant(&self) -> Duration {
        let own = self.fixed.values().filter_map(|(client, _)| client.lifetimes().grant);
        own.max().unwrap_or_default()
    }

    /// Forgets what is remembered of a client that has changed.
    pub(super) fn forget(&self, client_id: &str) {
        self.cache.forget(client_id);
    }
}

impl Server {
    /// The client of that id, if there is one; a disabled client is found too.
    ///
    /// # Errors
    ///
    /// 503 when clients cannot be loaded.
    pub async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, Error> {
        self.client_for(client_id, None).await
    }

    /// The same for a request that comes from an address.
    pub(super) async fn client_for(
        &self,
        client_id: &str,
        from: Option<IpAddr>,
    ) -> Result<Option<Arc<Client>>, Error> {
        let now = self.now();
        let found = match self.remembered_client(client_id, now) {
            Some(found) => Some(found),
            None => self.find_client(client_id, from, now).await?,
        };
        Ok(found.map(|(client, _)| client))
    }

    /// Whether client identifiers may be the URLs of metadata documents.
    pub(crate) fn takes_documents(&self) -> bool {
        self.clients.documents.is_some()
    }

    /// The client with the key of its fence, where it is at hand.
    pub(super) fn remembered_client(&self, client_id: &str, now: Timestamp) -> Option<(Arc<Client>, Key)> {
        match self.clients.fixed.get(client_id) {
            Some(found) => Some(found.clone()),
            None => self.clients.cache.get(client_id, now).or_else(|| {
                let documents = self.clients.documents.as_ref().filter(|_| looks_like_url(client_id))?;
                documents.remembered(client_id, now)
            }),
        }
    }

    /// The client with the key of its fence, from where clients are kept.
    pub(super) async fn find_client(
        &self,
        client_id: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<(Arc<Client>, Key)>, Error> {
        if client_id.len() > 2048 {
            return Ok(None);
        }
        match self.kept_client(client_id, now).await? {
            Some(found) => Ok(Some(found)),
            None => self.documented_client(client_id, from, now).await,
        }
    }

    /// Whether a client that has tokens is still one. Nothing is fetched for that: a document that cannot be fetched now, or
    /// that is gone, ends no token before its time.
    pub(super) fn may_act<'a>(&'a self, client_id: &'a str, now: Timestamp) -> Soon<'a, Result<bool, Error>> {
        let may = |(client, _): (Arc<Client>, Key)| !client.is_disabled();
        if let Some(found) = self.remembered_client(client_id, now) {
            return Soon::now(Ok(may(found)));
        }
        Soon::later(async move {
            if self.clients.documents.as_ref().is_some_and(|own| own.covers(client_id)) {
                return Ok(self.kept_client(client_id, now).await?.is_none_or(may));
            }
            Ok(self.find_client(client_id, None, now).await?.is_some_and(may))
        })
    }

    /// The client from where clients are kept, which a document is not.
    async fn kept_client(
        &self,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<(Arc<Client>, Key)>, Error> {
        let found = match &self.clients.source {
            Some(source) => match source.client(client_id).await? {
                // Those that registered themselves are in the store, whatever else the host keeps elsewhere.
                None if may_be_registered(client_id) => self.stored_client(client_id).await?,
                found => found,
            },
            None => self.stored_client(client_id).await?,
        };
        let Some(client) = found.filter(|client| client.id() == client_id) else { return Ok(None) };
        let client = client.shared_at(&self.resources.indicators);
        let fence = fence_key(self.issuer.as_str(), FenceKind::Client, client_id);
        self.clients.cache.put(&client, fence, now);
        Ok(Some((client, fence)))
    }

    async fn stored_client(&self, client_id: &str) -> Result<Option<Arc<Client>>, Error> {
        let record = self.store.load(&client_key(self.issuer.as_str(), client_id)).await?;
        Ok(record.and_then(|record| match &record.body {
            Body::Client(client) => {
                let mut client = (**client).clone();
                if let Some(own) = client.origin().registration() {
                    // What has run out does not wait for a purge.
                    if own.expires_at <= self.now() {
                        return None;
                    }
                    if let Some(registrar) = &self.registrar {
                        registrar.terms.bound(&mut client);
                    }
                }
                Some(Arc::new(client))
            }
            _ => None,
        }))
    }

    /// The host's door to the clients in the store.
    pub fn clients(&self) -> Clients<'_> {
        Clients(self)
    }
}

/// The clients in the store. Clients given to the builder, or kept in the host's own table, are not among them.
#[derive(Debug)]
pub struct Clients<'a>(&'a Server);

impl Clients<'_> {
    /// Stores a client, or replaces it. Other replicas see a change when their cached copy has expired.
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn put(&self, client: Client) -> Result<(), Error> {
        let key = client_key(self.0.issuer.as_str(), client.id());
        let (stored, until) = (Body::Client(Box::new(client.clone())), retained(&client));
        self.0.update(key, |_| Some((stored.clone(), until))).await?;
        self.0.clients.cache.forget(client.id());
        self.0.tell_of(client.id(), EventKind::ClientStored);
        Ok(())
    }

    /// The stored client of that id, not from the cache.
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn get(&self, client_id: &str) -> Result<Option<Arc<Client>>, Error> {
        self.0.stored_client(client_id).await
    }

    /// Forgets what is remembered and stored of a client's metadata document, so that it is fetched and judged as if it were a
    /// new one: after a client changed in a way that is refused, such as from confidential to public.
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn forget_document(&self, client_id: &str) -> Result<(), Error> {
        self.0.drop_document(client_id).await
    }

    /// Switches a stored client off and revokes all its grants. Says how many were revoked, or `None` if there is no such
    /// client.
    ///
    /// # Errors
    ///
    /// 503 when the store fails; call it again then.
    pub async fn disable(&self, client_id: &str) -> Result<Option<usize>, Error> {
        let key = client_key(self.0.issuer.as_str(), client_id);
        let now = self.0.now();
        let (mut found, mut changed) = (false, false);
        self.0
            .update(key, |stored| match stored {
                Some(Body::Client(client)) => {
                    found = true;
                    let off = Body::Client(Box::new((**client).clone().disabled(now)));
                    changed = !client.is_disabled();
                    changed.then_some((off, retained(client)))
                }
                _ => None,
            })
            .await?;
        self.0.clients.cache.forget(client_id);
        if !found {
            return Ok(None);
        }
        if changed {
            self.0.tell_of(client_id, EventKind::ClientDisabled);
        }
        self.0.grants().revoke_all(Index::Client(client_id)).await.map(Some)
    }
}
