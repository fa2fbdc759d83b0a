//! Clients whose id is the URL of a document that describes them (draft-ietf-oauth-client-id-metadata-document).
//!
//! 1. A document that is cached costs a look into a map. Everything else is rare, and bounded by the fetcher.
//! 2. A document counts as long as its headers say, within bounds. While its host is down the last good one counts: the one in
//!    memory, or that in the store, which is kept for clients that somebody has consented to.
//! 3. What failed is not tried again for a moment. That is all that is remembered of failures.
//! 4. Fetches are counted by who causes them, or all together where that is not known, and by the host that they go to
//!    ([`Rule`]). One that was not tried since there were too many is not remembered: naming a client in a flood neither
//!    switches it off nor keeps its last document alive. A flood that names a host keeps new clients of that host waiting.
//! 5. What a person relied on who gave consent may not change behind their back: consent before the change does not count.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hashbrown::HashMap;

use super::{ClientIdMetadataDocuments, ConsentPolicy, Server};
use crate::client::{AuthMethod, Client, ClientMetadata, Origin, Terms, document_url, looks_like_url};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::fetch::{FetchError, Fetched, freshness};
use crate::grant::{FenceKind, fence_key};
use crate::handle::IdContext;
use crate::limit::{LimitBy, Rule};
use crate::storage::{Body, Document, Key, Namespace};

/// The longest document, in bytes (draft §6.6).
const MAX_DOCUMENT: usize = 5 * 1024;
/// How many documents are remembered. When full, those that are not fresh go, then failures, or else all.
const CAPACITY: usize = 4096;
/// For how long a failed fetch is not tried again where there is no document, and where there is one.
const BACK_OFF: Duration = Duration::from_secs(10);
const BACK_OFF_STALE: Duration = Duration::from_secs(60);
/// How old a stored document may be before it is written again although it did not change.
const REWRITE: Duration = Duration::from_secs(24 * 3600);

static DOCUMENT: IdContext = IdContext::new("oauth-core v1 client document");

/// The storage key of a client's last good document.
pub fn document_key(issuer: &str, client_id: &str) -> Key {
    Key::new(Namespace::Document, DOCUMENT.id(&[issuer.as_bytes(), client_id.as_bytes()]))
}

#[derive(Debug)]
pub(super) struct Documents {
    pub(super) settings: ClientIdMetadataDocuments,
    pub(super) terms: Terms,
    entries: RwLock<HashMap<Arc<str>, Entry>>,
}

/// What is remembered of one URL.
#[derive(Clone, Debug)]
struct Entry {
    /// The last good document and its client.
    good: Option<Good>,
    /// Until when nothing is fetched.
    until: Timestamp,
    /// There is none because its host is down.
    down: bool,
}

#[derive(Clone, Debug)]
struct Good {
    client: Arc<Client>,
    fence: Key,
    document: Arc<Document>,
}

impl Entry {
    fn found(&self) -> Option<(Arc<Client>, Key)> {
        self.good.as_ref().map(|good| (good.client.clone(), good.fence))
    }
}

fn unreachable() -> Error {
    Error::unavailable("the client's metadata document cannot be fetched")
}

/// What a fetch came to.
enum Attempt {
    /// A valid document.
    Good(Good, Duration),
    /// The host is down, or busy: what is known still counts.
    Later(FetchError),
    /// The client is not one, or not one any more.
    Refused(String),
}

impl Documents {
    pub(super) fn new(settings: ClientIdMetadataDocuments, terms: Terms) -> Self {
        Self { settings, terms, entries: RwLock::default() }
    }

    /// Whether an identifier is the URL of a document.
    pub(super) fn covers(&self, client_id: &str) -> bool {
        looks_like_url(client_id) && document_url(client_id, self.terms.loopback).is_some()
    }

    /// The client whose document is fresh, or which is not to be fetched for the moment.
    pub(super) fn remembered(&self, client_id: &str, now: Timestamp) -> Option<(Arc<Client>, Key)> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(client_id).filter(|entry| now < entry.until)?.found()
    }

    fn entry(&self, client_id: &str) -> Option<Entry> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(client_id).cloned()
    }

    fn put(&self, client_id: &str, entry: Entry, now: Timestamp) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY && !entries.contains_key(client_id) {
            entries.retain(|_, entry| now < entry.until);
            if entries.len() >= CAPACITY {
                entries.retain(|_, entry| entry.good.is_some());
            }
            if entries.len() >= CAPACITY {
                entries.clear();
            }
        }
        entries.insert(client_id.into(), entry);
    }

    /// Gives back the room of those that nobody has asked for since they were fresh.
    pub(super) fn sweep(&self, now: Timestamp) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now < entry.until);
        entries.shrink_to_fit();
    }

    pub(super) fn forget(&self, client_id: &str) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(client_id);
    }

    /// The client that a document describes.
    fn client(&self, client_id: &str, text: &str, changed_at: Option<Timestamp>) -> Result<Client, String> {
        let refused = |error: Error| error.description().to_owned();
        let metadata = ClientMetadata::read(text.as_bytes(), self.terms.loopback).map_err(refused)?;
        if metadata.client_id.as_deref() != Some(client_id) {
            return Err("client_id is not the URL of the document".to_owned());
        }
        if metadata.has_secret {
            return Err("a document has no client_secret".to_owned());
        }
        let method = metadata.auth_method().unwrap_or(AuthMethod::None);
        if method.has_secret() {
            return Err("a client with a document has no secret to authenticate with".to_owned());
        }
        let origin = Origin::Document { changed_at };
        let client = metadata.client(client_id.into(), method, None, &self.terms, origin).map_err(refused)?;
        match &self.settings.policy {
            Some(policy) if !policy.accepts(&client) => Err("the trust policy refuses the client".to_owned()),
            _ => Ok(client),
        }
    }
}

/// Whether two versions differ in what a person relies on who gives consent.
fn differ(before: &Client, after: &Client) -> bool {
    let significant = |client: &Client| {
        (
            client.name().to_owned(),
            client.auth_method(),
            client.keys().cloned(),
            client.redirect_uris().to_vec(),
        )
    };
    significant(before) != significant(after)
}

impl Server {
    /// The client whose id is the URL of a document; `None` where there is no valid one. `from` is who asks, where that is to be
    /// counted here.
    pub(super) async fn documented_client(
        &self,
        client_id: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<(Arc<Client>, Key)>, Error> {
        let Some(documents) = self.clients.documents.as_ref().filter(|own| own.covers(client_id)) else {
            return Ok(None);
        };
        let before = documents.entry(client_id);
        if let Some(entry) = before.as_ref().filter(|entry| now < entry.until) {
            return if entry.down { Err(unreachable()) } else { Ok(entry.found()) };
        }
        let stored = self.stored_document(client_id).await?;
        let (good, until) = match self
            .fetch_document(documents, client_id, from, stored.as_deref(), now)
            .await
        {
            Attempt::Good(good, fresh) => {
                self.rewrite_document(stored.as_deref(), &good.document).await?;
                (Some(good), now + fresh)
            }
            Attempt::Later(why) => {
                let last = before.and_then(|entry| entry.good);
                let last = last.or_else(|| self.last_good(documents, client_id, stored));
                let usable = last.filter(|good| now < good.document.fetched_at + documents.settings.stale);
                tracing::warn!(client_id, reason = %why, stale = usable.is_some(), "client_document_not_fetched");
                if why == FetchError::Busy {
                    let found = usable.map(|good| (good.client, good.fence));
                    return found.map(Some).ok_or_else(unreachable);
                }
                if usable.is_none() {
                    let entry = Entry { good: None, until: now + BACK_OFF, down: true };
                    documents.put(client_id, entry, now);
                    return Err(unreachable());
                }
                (usable, now + BACK_OFF_STALE)
            }
            Attempt::Refused(why) => {
                let reason = why.escape_debug();
                tracing::info!(client_id, %reason, "client_document_refused");
                (None, now + BACK_OFF)
            }
        };
        let entry = Entry { good, until, down: false };
        let found = entry.found();
        documents.put(client_id, entry, now);
        Ok(found)
    }

    async fn fetch_document(
        &self,
        documents: &Documents,
        client_id: &str,
        from: Option<IpAddr>,
        stored: Option<&Document>,
        now: Timestamp,
    ) -> Attempt {
        let host = document_url(client_id, documents.terms.loopback)
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default();
        if documents.settings.policy.as_ref().is_some_and(|policy| !policy.may_fetch(client_id, &host)) {
            return Attempt::Refused("the trust policy refuses the host".to_owned());
        }
        let Some(fetcher) = &self.fetcher else {
            return Attempt::Refused("there is no fetcher".to_owned());
        };
        let cause = match from {
            Some(from) => (Rule::DocumentAddress, LimitBy::Address(from)),
            None => (Rule::DocumentAnybody, LimitBy::Client("")),
        };
        let counted = [(Rule::DocumentHost, LimitBy::Client(&host)), cause];
        if self.limits().take(&counted).await.is_err() {
            return Attempt::Later(FetchError::Busy);
        }
        let Fetched { body, headers } = match fetcher.fetch(client_id, MAX_DOCUMENT).await {
            Ok(fetched) => fetched,
            Err(error) if error.is_temporary() => return Attempt::Later(error),
            Err(error) => return Attempt::Refused(error.to_string()),
        };
        let Ok(text) = String::from_utf8(body) else {
            return Attempt::Refused("the document is not UTF-8".to_owned());
        };
        let before = stored.and_then(|stored| documents.client(client_id, &stored.text, None).ok());
        let mut changed_at = stored.and_then(|stored| stored.changed_at);
        let mut client = match documents.client(client_id, &text, changed_at) {
            Ok(client) => client,
            Err(why) => return Attempt::Refused(why),
        };
        if let Some(before) = before.filter(|before| differ(before, &client)) {
            if !before.is_public() && client.is_public() {
                return Attempt::Refused("the document made a confidential client a public one".to_owned());
            }
            changed_at = Some(now);
            client.origin = Origin::Document { changed_at };
        }
        let document = Document {
            issuer: self.issuer_text.clone(),
            client_id: client_id.into(),
            text: text.into(),
            fetched_at: now,
            changed_at,
        };
        let settings = &documents.settings;
        let fresh = freshness(&headers).unwrap_or(settings.fresh_default);
        Attempt::Good(self.good(client, document), fresh.clamp(settings.fresh_min, settings.fresh_max))
    }

    fn good(&self, client: Client, document: Document) -> Good {
        let fence = fence_key(self.issuer.as_str(), FenceKind::Client, client.id());
        Good { client: Arc::new(client.at(&self.resources.indicators)), fence, document: Arc::new(document) }
    }

    /// The client of the stored document: today's rules and policy apply to it as to any other.
    fn last_good(
        &self,
        documents: &Documents,
        client_id: &str,
        stored: Option<Box<Document>>,
    ) -> Option<Good> {
        let stored = stored?;
        let client = documents.client(client_id, &stored.text, stored.changed_at).ok()?;
        Some(self.good(client, *stored))
    }

    async fn stored_document(&self, client_id: &str) -> Result<Option<Box<Document>>, Error> {
        let record = self.store.load(&document_key(self.issuer.as_str(), client_id)).await?;
        Ok(record.and_then(|record| match &record.body {
            Body::Document(document)
                if *document.client_id == *client_id && *document.issuer == *self.issuer_text =>
            {
                Some(document.clone())
            }
            _ => None,
        }))
    }

    /// Brings the stored document up to date, if there is one and it is another or old.
    async fn rewrite_document(&self, stored: Option<&Document>, next: &Document) -> Result<(), Error> {
        let Some(stored) = stored else { return Ok(()) };
        let same = stored.text == next.text && stored.changed_at == next.changed_at;
        if same && next.fetched_at.since(stored.fetched_at) < REWRITE {
            return Ok(());
        }
        self.write_document(next).await
    }

    /// Keeps the document of a client that somebody has consented to. A failure is no harm yet, so it is only reported.
    pub(super) async fn keep_document(&self, client_id: &str) {
        let good = self.clients.documents.as_ref().and_then(|own| own.entry(client_id)?.good);
        let Some(good) = good else { return };
        let kept = async {
            match self.stored_document(client_id).await? {
                Some(_) => Ok(()),
                None => self.write_document(&good.document).await,
            }
        };
        if let Err(error) = kept.await {
            tracing::warn!(client_id, reason = error.reason(), "client_document_not_kept");
        }
    }

    /// The record is not deleted but emptied: it says that consent from before does not count.
    pub(super) async fn drop_document(&self, client_id: &str) -> Result<(), Error> {
        let now = self.now();
        let keep = match self.config.consent {
            ConsentPolicy::AlwaysAsk => Duration::ZERO,
            ConsentPolicy::Remember(keep) => keep,
        };
        self.update(document_key(self.issuer.as_str(), client_id), |stored| match stored {
            Some(Body::Document(stored)) => {
                let (text, fetched_at, changed_at) = ("".into(), Timestamp::EPOCH, Some(now));
                let empty = Document { text, fetched_at, changed_at, ..(**stored).clone() };
                Some((Body::Document(Box::new(empty)), now + keep))
            }
            _ => None,
        })
        .await?;
        if let Some(documents) = &self.clients.documents {
            documents.forget(client_id);
        }
        Ok(())
    }

    async fn write_document(&self, document: &Document) -> Result<(), Error> {
        let stale = self.clients.documents.as_ref().map_or(Duration::ZERO, |own| own.settings.stale);
        let retain_until = document.fetched_at + self.config.grant_lifetime + stale;
        self.update(document_key(self.issuer.as_str(), &document.client_id), |stored| match stored {
            // Another replica has fetched it later.
            Some(Body::Document(stored)) if stored.fetched_at > document.fetched_at => None,
            _ => Some((Body::Document(Box::new(document.clone())), retain_until)),
        })
        .await
    }
}
