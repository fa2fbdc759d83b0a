//! Building a server: everything that could be wrong is said here, not at the first request.

mod check;
mod error;
mod into_client;
mod jwt;
mod resources;
mod self_described;

use std::sync::Arc;
use std::time::Duration;

use into_client::IntoClient;

use super::clients::Registry;
use super::documents::Documents;
use super::key_sets::KeySets;
use super::keys::{Live, StartError, StoredKeys, keys_key};
use super::resources::Registered;
use super::signing::{DEFAULT_LIFETIME, SigningKeys, TokenClaims};
use super::{
    ClientIdMetadataDocuments, Config, ConsentPolicy, DeviceFlow, DynamicRegistration, RegisteredResource,
    Server, SubjectStatus,
};
use crate::audit::AuditSink;
use crate::client::{Client, ClientError, ClientSource};
use crate::clock::{Clock, SystemClock};
use crate::fetch::DocumentFetcher;
use crate::handle::{Handles, KeyRing, Prefixes};
use crate::issuer::Issuer;
use crate::limit::{Limiter, MemoryLimiter, Quota, Quotas, Rule};
use crate::secret::{Random, SystemRandom};
use crate::storage::Store;
use crate::token::{ClientCredentials, GrantType};

pub use error::BuildError;
pub(super) use resources::OFFLINE_ACCESS;

/// Collects the settings of a [`Server`]; [`ServerBuilder::build`] checks them.
#[derive(Debug)]
#[must_use = "call .build() or .start()"]
pub struct ServerBuilder {
    issuer: String,
    store: Arc<dyn Store>,
    clients: Vec<Result<Client, ClientError>>,
    source: Option<Arc<dyn ClientSource>>,
    client_cache: Duration,
    ring: Option<KeyRing>,
    stored_keys: Option<StoredKeys>,
    reload_every: Duration,
    jwt_for: Vec<String>,
    jwt_lifetime: Duration,
    signing_keys: Option<SigningKeys>,
    token_claims: Option<Arc<dyn TokenClaims>>,
    prefixes: Prefixes,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    config: Config,
    scopes: Vec<(String, String)>,
    grant_types: Vec<Arc<dyn GrantType>>,
    subject_status: Option<Arc<dyn SubjectStatus>>,
    device_flow: Option<DeviceFlow>,
    limiter: Arc<dyn Limiter>,
    quotas: Quotas,
    audit: Option<Arc<dyn AuditSink>>,
    resources: Vec<RegisteredResource>,
    offline_access: bool,
    fetcher: Option<Arc<dyn DocumentFetcher>>,
    documents: Option<ClientIdMetadataDocuments>,
    registration: Option<DynamicRegistration>,
}

impl ServerBuilder {
    pub(super) fn new(issuer: String, store: Arc<dyn Store>) -> Self {
        Self {
            issuer,
            store,
            clients: Vec::new(),
            source: None,
            client_cache: Duration::from_secs(5),
            ring: None,
            stored_keys: None,
            reload_every: Duration::from_secs(2),
            jwt_for: Vec::new(),
            jwt_lifetime: DEFAULT_LIFETIME,
            signing_keys: None,
            token_claims: None,
            prefixes: Prefixes::default(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            config: Config::default(),
            scopes: Vec::new(),
            grant_types: vec![Arc::new(ClientCredentials)],
            subject_status: None,
            device_flow: None,
            limiter: Arc::new(MemoryLimiter::new()),
            quotas: Quotas::default(),
            audit: None,
            resources: Vec::new(),
            offline_access: false,
            fetcher: None,
            documents: None,
            registration: None,
        }
    }

    /// Adds a client that lives in the program. What [`ClientBuilder::build`](crate::client::ClientBuilder::build) answers
    /// can be given as it is: its error becomes the server's.
    pub fn client(mut self, client: impl IntoClient) -> Self {
        self.clients.push(client.into_client());
        self
    }

    /// Looks other clients up in the host's own table, instead of in the store.
    pub fn client_source(mut self, source: impl ClientSource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// How long a client that was looked up is remembered, and so for how long a change to it may go unseen. Default 5 s;
    /// zero switches it off.
    pub fn client_cache(mut self, keep: Duration) -> Self {
        self.client_cache = keep;
        self
    }

    /// The keys that handles and seals are made with; all replicas share them.
    ///
    /// Without this, or [`ServerBuilder::stored_keys`], `build` draws a key that ends with the process: right for a store in memory. Over a store that lasts, open
    /// pages are void after a restart, a lost refresh response cannot be asked for again, and the reuse of older refresh tokens
    /// is refused but revokes nothing; see [`manual`](crate::manual).
    pub fn key_ring(mut self, ring: KeyRing) -> Self {
        self.ring = Some(ring);
        self
    }

    /// Generates the keys at the first start and keeps them in the store, where all replicas find them and
    /// [`Server::rotate_keys`] changes them while they run. Needs [`ServerBuilder::start`].
    pub fn stored_keys(mut self, keys: StoredKeys) -> Self {
        self.stored_keys = Some(keys);
        self
    }

    /// How often the server looks for what other replicas have changed: keys, and the fence around everything that the issuer
    /// has issued. Default 2 s, 1 s to 1 minute. A change is seen after twice this at the latest.
    pub fn reload_every(mut self, every: Duration) -> Self {
        self.reload_every = every;
        self
    }

    /// The readable prefixes of codes and tokens, by which secret scanners know them.
    pub fn prefixes(mut self, prefixes: Prefixes) -> Self {
        self.prefixes = prefixes;
        self
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Another source of random bytes, for tests.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Describes a scope token for the consent page and lists it in the metadata.
    pub fn scope(mut self, token: impl Into<String>, description: impl Into<String>) -> Self {
        self.scopes.push((token.into(), description.into()));
        self
    }

    /// Adds a grant type of the host's own (RFC 6749 §4.5).
    pub fn grant_type(mut self, grant_type: impl GrantType) -> Self {
        self.grant_types.push(Arc::new(grant_type));
        self
    }

    /// Asks the host whether a subject may still act.
    pub fn subject_status(mut self, status: impl SubjectStatus) -> Self {
        self.subject_status = Some(Arc::new(status));
        self
    }

    /// Lets devices without a browser in (RFC 8628): the endpoint is mounted, and clients may use the grant type that theirs
    /// names. Off by default.
    pub fn device_flow(mut self, flow: DeviceFlow) -> Self {
        self.device_flow = Some(flow);
        self
    }

    /// Counts attempts elsewhere than in this process, or with [`Unlimited`](crate::limit::Unlimited) not at all.
    pub fn limiter(mut self, limiter: impl Limiter) -> Self {
        self.limiter = Arc::new(limiter);
        self
    }

    /// How many attempts a rule allows, instead of [`Rule::default_quota`].
    pub fn limit(mut self, rule: Rule, quota: Quota) -> Self {
        self.quotas.set(rule, quota);
        self
    }

    /// Tells a sink of everything that happens: what is issued, refused, revoked; see [`audit`](crate::audit).
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.audit = Some(Arc::new(sink));
        self
    }

    /// How long an authorization code may wait; default 60 s, at most 10 minutes (RFC 6749 §4.1.2).
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.code_lifetime = lifetime;
        self
    }

    /// How long an access token lives; default 1 h.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.access_lifetime = lifetime;
        self
    }

    /// How long a refresh token may stay unused; default 30 days.
    pub fn refresh_token_idle(mut self, lifetime: Duration) -> Self {
        self.config.refresh_idle = lifetime;
        self
    }

    /// How long a grant lives at most, however often it is refreshed; default 90 days.
    pub fn grant_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.grant_lifetime = lifetime;
        self
    }

    /// For how long a lost refresh response can be asked for again; default 60 s, at most 10 minutes, zero switches it off.
    pub fn retry_window(mut self, window: Duration) -> Self {
        self.config.retry_window = window;
        self
    }

    /// How many rotations in a row may be retried before a retry counts as reuse. Without it there is no such limit.
    pub fn max_retry_streak(mut self, streak: u16) -> Self {
        self.config.max_retry_streak = Some(streak);
        self
    }

    /// For how long after its redemption a code that is sent again is refused without revoking anything; default off, at
    /// most 10 s.
    pub fn code_replay_tolerance(mut self, tolerance: Duration) -> Self {
        self.config.code_replay_tolerance = tolerance;
        self
    }

    /// How many access tokens of one grant live side by side; default 16. When full, the one nearest its expiry goes.
    pub fn max_access_tokens(mut self, max: usize) -> Self {
        self.config.max_access = max;
        self
    }

    /// How long a consent page stays valid; default 15 minutes.
    pub fn consent_page_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.ticket_lifetime = lifetime;
        self
    }

    /// Whether consent is remembered; default for 90 days.
    pub fn consent(mut self, policy: ConsentPolicy) -> Self {
        self.config.consent = policy;
        self
    }

    /// Draws grant ids at random instead of by time (UUIDv7), so that a handle does not show when its grant began.
    pub fn random_grant_ids(mut self) -> Self {
        self.config.random_ids = true;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that says what to change.
    pub fn build(self) -> Result<Arc<Server>, BuildError> {
        if self.stored_keys.is_some() {
            return Err(BuildError::NeedsStart);
        }
        self.built().map(Arc::new)
    }

    /// Checks everything, and reads from the store what the replicas share: the issuer's fence, and with
    /// [`ServerBuilder::stored_keys`] the keys, which the first replica to start generates.
    ///
    /// # Errors
    ///
    /// [`StartError::Build`] as [`ServerBuilder::build`]; [`StartError::Keys`] when the store fails or the keys in it cannot be
    /// read: they are never replaced unasked. It does not wait for longer than the store does: a host that wants a limit puts
    /// a timeout around it.
    pub async fn start(self) -> Result<Arc<Server>, StartError> {
        let server = self.built()?;
        server.load_at_start().await?;
        Ok(Arc::new(server))
    }

    fn built(mut self) -> Result<Server, BuildError> {
        if self.stored_keys.is_some() && self.ring.is_some() {
            return Err(BuildError::TwoRings);
        }
        let issuer = match Issuer::parse(&self.issuer) {
            Ok(issuer) => issuer,
            Err(source) => return Err(BuildError::Issuer { issuer: self.issuer, source }),
        };
        self.check_durations()?;
        let grant_types = self.checked_grant_types()?;
        self.describe_offline_access();
        self.config.scopes = check::checked_scopes(std::mem::take(&mut self.scopes))?;
        let terms = self.terms(&issuer)?;
        let registrar = match self.registration.take() {
            Some(settings) => Some(self_described::registrar(settings, &terms)?),
            None => None,
        };
        let documents = match self.documents.take() {
            Some(_) if self.fetcher.is_none() => return Err(BuildError::NoFetcher),
            settings => settings.map(|settings| Documents::new(settings, terms)),
        };
        let mut resources = Registered::new(self.resources)?;
        let clients: Vec<Client> = self.clients.into_iter().collect::<Result<_, _>>()?;
        resources.mention(clients.iter().flat_map(|client| client.resources().iter()));
        let registry = Registry::new(
            issuer.as_str(),
            clients.into_iter().map(|client| client.at(&resources.indicators)).collect(),
            self.source,
            self.client_cache,
            &grant_types,
            self.device_flow.is_some(),
            documents,
        )?;
        if let Some(keys) = &mut self.stored_keys {
            keys.keep_at_least(registry.longest_grant().max(self.config.grant_lifetime));
        }
        let ring = self.ring.unwrap_or_else(|| KeyRing::generate(&*self.random));
        let signing = jwt::signing(
            self.jwt_for,
            self.jwt_lifetime,
            self.signing_keys,
            self.token_claims,
            self.stored_keys.is_some(),
        )?;
        resources.mention(signing.formats.resources());
        let handles = Handles::new(issuer.as_str(), ring, self.prefixes.clone());
        let key = keys_key(issuer.as_str());
        Ok(Server {
            issuer_text: issuer.shared(),
            live: Live::new(handles, key, self.stored_keys, self.prefixes, self.reload_every),
            signing,
            issuer,
            store: self.store,
            clock: self.clock,
            random: self.random,
            clients: registry,
            resources,
            fetcher: self.fetcher,
            key_sets: KeySets::default(),
            registrar,
            config: self.config,
            grant_types,
            subject_status: self.subject_status,
            device_flow: self.device_flow,
            limiter: self.limiter,
            quotas: self.quotas,
            audit: self.audit,
        })
    }
}
