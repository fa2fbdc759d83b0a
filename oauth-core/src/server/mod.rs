//! The server: the only place that is asynchronous. Each endpoint is one file; the decisions are made elsewhere.

mod advance;
mod assertion;
mod audit;
mod authorize;
#[cfg(test)]
mod authorize_tests;
mod builder;
mod clients;
mod config;
mod consents;
mod device;
mod documents;
mod grants;
mod introspect;
mod key_sets;
pub mod keys;
mod limits;
mod pending;
mod purge;
mod redeem;
mod refresh;
mod registration;
mod resources;
mod revoke;
mod self_described;
pub mod signing;
mod token;
mod verify;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

pub use audit::Audit;
pub use authorize::{AUTHORIZE_PATH, Answer, Authorization, AuthorizeStep, SignIn};
use builder::OFFLINE_ACCESS;
pub use builder::{BuildError, ServerBuilder};
pub use clients::Clients;
pub use config::{ConsentPolicy, ScopeDescription};
pub use consents::Consents;
pub use device::{DeviceAuthorization, DeviceDecision, DeviceError, DeviceFlow, DevicePending};
pub use documents::document_key;
pub use grants::{GrantSummary, Grants};
pub use introspect::{ActiveToken, Introspection};
pub use keys::{HandleKey, KeyPhase, KeysError, SigningKey, StartError, StoredKeys};
pub use limits::{Limits, RateLimited};
pub use pending::{Decision, Pending};
pub use registration::{
    Admission, ClientInformation, DynamicRegistration, RegistrationPolicy, RegistrationRequest, Registrations,
};
pub use resources::RegisteredResource;
pub use self_described::{ClientIdMetadataDocuments, TrustPolicy};
pub use signing::{KeySet, SigningKeys, TokenClaims, TokenContext};
pub use verify::{AccessToken, ParsedAccess, VerifyError};

use audit::Concerned;

pub(crate) use advance::{Inserted, NewGrant, Step};
pub(crate) use config::Config;

use crate::audit::AuditSink;
use crate::client::{AuthenticatedClient, Client, Credentials};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::fetch::DocumentFetcher;
use crate::handle::{GrantId, Handles};
use crate::issuer::Issuer;
use crate::limit::{Limiter, Quotas};
use crate::params::Params;
use crate::secret::Random;
use crate::soon::Soon;
use crate::storage::{Key, Store, StoreResult};
use crate::token::GrantType;

/// Whether a subject may still act, asked when a code is redeemed, a token refreshed or introspected.
///
/// # Errors
///
/// A failure is answered with 503; it never counts as "inactive".
#[async_trait]
pub trait SubjectStatus: fmt::Debug + Send + Sync + 'static {
    /// Whether the subject exists and is not locked.
    async fn is_active(&self, subject: &str) -> StoreResult<bool>;
}

/// An OAuth 2.1 authorization server: issuer, clients, keys, policy and a store.
///
/// Shared as `Arc<Server>`; it has no type parameters, so it fits into any host's state.
#[derive(Debug)]
pub struct Server {
    issuer: Issuer,
    issuer_text: Arc<str>,
    store: Arc<dyn Store>,
    live: keys::Live,
    signing: signing::Signing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    clients: clients::Registry,
    resources: resources::Registered,
    fetcher: Option<Arc<dyn DocumentFetcher>>,
    key_sets: key_sets::KeySets,
    registrar: Option<registration::Registrar>,
    config: Config,
    grant_types: Vec<Arc<dyn GrantType>>,
    subject_status: Option<Arc<dyn SubjectStatus>>,
    device_flow: Option<DeviceFlow>,
    limiter: Arc<dyn Limiter>,
    quotas: Quotas,
    audit: Option<Arc<dyn AuditSink>>,
}

impl Server {
    /// Begins a server.
    ///
    /// `issuer` is the URL that clients know it by, byte for byte: `https`, without query, fragment or a trailing slash;
    /// `http` only for a loopback address (RFC 8414 §2).
    pub fn builder(issuer: impl Into<String>, store: impl Store) -> ServerBuilder {
        ServerBuilder::new(issuer.into(), Arc::new(store))
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The time, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The server's source of random bytes.
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// What mints and parses handles, and seals what travels through the browser: with the keys of this moment. Hold it for
    /// one step, not for longer.
    pub fn handles(&self) -> Arc<Handles> {
        self.live.handles()
    }

    /// The store, for records of the host's pages and for purging.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The scopes that were described for the consent page, in the order given.
    pub fn scope_descriptions(&self) -> &[ScopeDescription] {
        &self.config.scopes
    }

    /// The description of one scope token.
    pub fn describe_scope(&self, token: &str) -> Option<&str> {
        self.config.scopes.iter().find(|scope| &*scope.token == token).map(|scope| &*scope.description)
    }

    /// The names of all grant types that the server knows.
    pub fn grant_types(&self) -> impl Iterator<Item = &str> {
        ["authorization_code", "refresh_token"]
            .into_iter()
            .chain(self.device_flow.as_ref().map(|_| DeviceFlow::GRANT_TYPE))
            .chain(self.grant_types.iter().map(|own| own.name()))
    }

    /// Authenticates the client of a request: the same way at every endpoint.
    ///
    /// # Errors
    ///
    /// `invalid_client` or `invalid_request`; 503 when clients cannot be loaded.
    pub async fn authenticate(
        &self,
        headers: &http::HeaderMap,
        params: &Params<'_>,
    ) -> Result<AuthenticatedClient, Error> {
        self.authenticate_at(headers, params, None, self.now()).await
    }

    /// `from` is where the request comes from, where that is to be counted here.
    pub(crate) fn authenticate_at<'a>(
        &'a self,
        headers: &http::HeaderMap,
        params: &'a Params<'_>,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Soon<'a, Result<AuthenticatedClient, Error>> {
        let credentials = match Credentials::read(headers, params) {
            Ok(credentials) => credentials,
            Err(error) => return Soon::now(Err(error)),
        };
        let found = self.remembered_client(credentials.client_id(), now);
        if found.is_some() && credentials.assertion().is_none() {
            return Soon::now(authenticated(credentials, found, now));
        }
        Soon::later(async move {
            let found = match found {
                Some(found) => Some(found),
                None => self.find_client(credentials.client_id(), from, now).await?,
            };
            let Some(assertion) = credentials.assertion() else {
                return authenticated(credentials, found, now);
            };
            let client = self.check_assertion(assertion, credentials.client_id(), found, now).await?;
            audit::note(Concerned { client_id: Some(client.id()), ..Concerned::default() });
            Ok(client)
        })
    }

    pub(crate) fn new_grant_id(&self, now: Timestamp, random: [u8; 16]) -> GrantId {
        let [.., a, b, c, d, e, f, g, h, i, j] = random;
        if self.config.random_ids {
            GrantId::v4(random)
        } else {
            GrantId::v7(now, [a, b, c, d, e, f, g, h, i, j])
        }
    }

    #[inline]
    pub(crate) fn check_subject<'a>(&'a self, subject: Option<&'a str>) -> Soon<'a, Result<bool, Error>> {
        match (&self.subject_status, subject) {
            (Some(status), Some(subject)) => Soon::later(async { Ok(status.is_active(subject).await?) }),
            _ => Soon::now(Ok(true)),
        }
    }
}

fn authenticated(
    credentials: Credentials<'_>,
    found: Option<(Arc<Client>, Key)>,
    now: Timestamp,
) -> Result<AuthenticatedClient, Error> {
    let (client, fence) = found.unzip();
    let client = credentials.check(client, now)?.with_fence(fence);
    audit::note(Concerned { client_id: Some(client.id()), ..Concerned::default() });
    Ok(client)
}
