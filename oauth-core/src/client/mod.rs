//! Clients: who may ask, how they prove it, and what they may have (RFC 6749 §2, RFC 7591 §2).

mod assertion;
mod authenticate;
mod builder;
mod echoed;
mod error;
mod keys;
mod members;
mod metadata;
mod origin;
mod secrets;
mod source;
#[cfg(test)]
mod tests;
mod web_uri;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use authenticate::{AuthenticatedClient, Credentials};
pub use builder::ClientBuilder;
pub use error::ClientError;
pub use keys::{ASSERTION_ALGORITHMS, ClientKeys, ClientKeysError};
pub use metadata::ClientMetadata;
pub use origin::{Origin, Registration};
pub use secrets::{ClientSecret, SecretHash};
pub use source::{ClientSource, client_key};
pub use web_uri::document_host;

pub(crate) use assertion::{ASSERTION_SKEW, Assertion, AssertionError};
pub(crate) use authenticate::invalid_client;
pub(crate) use keys::{KeySource, read_keys};
pub(crate) use metadata::Terms;
pub(crate) use secrets::is_one_of;
pub(crate) use source::ClientCache;
pub(crate) use web_uri::{document_url, looks_like_url};

use crate::clock::Timestamp;
use crate::grant::{Resources, Rotation};
use crate::redirect_uri::RedirectUri;
use crate::resource::Resource;
use crate::scope::Scope;

/// How a client proves who it is at the token endpoint (`token_endpoint_auth_method`, RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthMethod {
    /// A public client: it has no secret and proves nothing.
    None,
    /// HTTP Basic, form-encoded (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// An assertion that is signed with its private key (RFC 7523 §2.2).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// The name in metadata documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method of a name in metadata documents.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt]
            .into_iter()
            .find(|method| method.as_str() == name)
    }

    /// Whether it rests on a secret that both sides know.
    pub fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// The lifetimes of one client, where they differ from the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifetimes {
    /// How long an authorization code may wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Duration>,
    /// How long an access token lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Duration>,
    /// How long a refresh token may stay unused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle: Option<Duration>,
    /// How long a grant lives at most, however often it is refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Duration>,
}

/// A registered client. Made by [`Client::public`] and [`Client::confidential`]; what is made is valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub(crate) id: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Arc<str>>,
    pub(crate) auth_method: AuthMethod,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<SecretHash>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) grant_types: Vec<Arc<str>>,
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default_scope: Option<Scope>,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) serves: Resources,
    #[serde(default)]
    pub(crate) lifetimes: Lifetimes,
    #[serde(default)]
    pub(crate) rotation: Rotation,
    pub(crate) flags: Flags,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disabled_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Box<ClientKeys>>,
    #[serde(default, skip_serializing_if = "Origin::is_host")]
    pub(crate) origin: Origin,
    /// The server's resources, for a client that has none of its own. Known to the server that has looked it up.
    #[serde(skip)]
    pub(crate) registered: Resources,
}

/// The switches of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent registration switch")]
pub(crate) struct Flags {
    pub(crate) first_party: bool,
    pub(crate) pkce_required: bool,
    pub(crate) localhost_ports: bool,
    pub(crate) redirect_uri_required: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { first_party: false, pkce_required: true, localhost_ports: true, redirect_uri_required: false }
    }
}

impl Client {
    /// The client identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        self.id.clone()
    }

    /// The name to show, or else the id.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// How it authenticates.
    pub fn auth_method(&self) -> AuthMethod {
        self.auth_method
    }

    /// Whether it has no credentials (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// The public keys of its assertions.
    pub fn keys(&self) -> Option<&ClientKeys> {
        self.keys.as_deref()
    }

    /// Who brought it here.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it described itself, so that nobody vouches for what it says: by a metadata document or by registration.
    pub fn is_self_described(&self) -> bool {
        !self.origin.is_host()
    }

    /// Its registered redirect URIs.
    pub fn redirect_uris(&self) -> &[RedirectUri] {
        &self.redirect_uris
    }

    /// The grant types that it may use.
    pub fn grant_types(&self) -> impl Iterator<Item = &str> {
        self.grant_types.iter().map(|name| &**name)
    }

    /// Whether it may use a grant type.
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|name| &**name == grant_type)
    }

    /// All scope that it may have.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The scope of a request that names none.
    pub fn default_scope(&self) -> &Scope {
        self.default_scope.as_ref().unwrap_or(&self.scope)
    }

    /// The resources that it may ask tokens for (RFC 8707): its own, or else those that are registered with the server.
    pub fn resources(&self) -> &Resources {
        if self.resources.is_empty() { &self.registered } else { &self.resources }
    }

    /// The resources of a request that names none: all of its own, or the one that is registered with the server. `None` where
    /// there are several of those: which one is meant is not for the server to guess.
    pub(crate) fn default_resources(&self) -> Option<&Resources> {
        let own = !self.resources.is_empty();
        (own || self.registered.iter().len() <= 1).then(|| self.resources())
    }

    /// The registered resource that a request means. A client without resources of its own may have the query of the URL that
    /// its user typed behind it.
    pub(crate) fn find_resource(&self, requested: &str) -> Option<&Resource> {
        self.resources().find(requested).or_else(|| {
            let (without_query, _) = requested.split_once('?').filter(|_| self.resources.is_empty())?;
            if requested.contains('#') {
                return None;
            }
            self.registered.find(without_query)
        })
    }

    /// What of a requested scope the client may have, where less is an answer (RFC 6749 §3.3): for clients that describe
    /// themselves, which ask for whatever they have read somewhere, and where only `offline_access` is too much, which is ignored
    /// (OpenID Connect Core §11).
    pub(crate) fn narrowed(&self, requested: &Scope) -> Option<Scope> {
        let narrowed = requested.intersection(&self.scope);
        let lenient =
            self.is_self_described() || requested.difference(&narrowed).as_str() == "offline_access";
        (lenient && !narrowed.is_empty()).then_some(narrowed)
    }

    /// The same client at a server with these resources.
    pub(crate) fn at(mut self, registered: &Resources) -> Self {
        if self.resources.is_empty() {
            self.registered = registered.clone();
        }
        self
    }

    /// The same client at a server with these resources.
    pub(crate) fn shared_at(self: Arc<Self>, registered: &Resources) -> Arc<Self> {
        if registered.is_empty() || !self.resources.is_empty() {
            return self;
        }
        Arc::new(Arc::unwrap_or_clone(self).at(registered))
    }

    /// The resources that it serves: it may introspect tokens that are meant for them (RFC 7662).
    pub fn serves(&self) -> &Resources {
        &self.serves
    }

    /// Where its lifetimes differ from the server's.
    pub fn lifetimes(&self) -> &Lifetimes {
        &self.lifetimes
    }

    /// Whether its refresh tokens rotate.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// Whether it belongs to the host, so that nobody is asked for consent.
    pub fn is_first_party(&self) -> bool {
        self.flags.first_party
    }

    /// Whether its authorization requests must carry a PKCE challenge.
    pub fn requires_pkce(&self) -> bool {
        self.flags.pkce_required
    }

    /// Whether its token requests must repeat `redirect_uri` (RFC 6749 §4.1.3; dropped in OAuth 2.1).
    pub fn requires_redirect_uri(&self) -> bool {
        self.flags.redirect_uri_required
    }

    /// Whether it has been switched off.
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// The same client, switched off: every request of it is refused, no token of it works.
    #[must_use]
    pub fn disabled(mut self, now: Timestamp) -> Self {
        self.disabled_at.get_or_insert(now);
        self
    }

    /// The registered redirect URI that a requested one matches: equal byte for byte, or differing only in the port of a
    /// loopback address (RFC 8252 §7.3).
    pub fn registered(&self, requested: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|uri| uri.matches(requested, self.flags.localhost_ports))
    }
}
