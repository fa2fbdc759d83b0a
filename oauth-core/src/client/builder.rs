//! Making a valid client, or an error that names the field.

use std::sync::Arc;
use std::time::Duration;

use super::error::{ClientError, MAX_NAME_CHARS, MAX_REDIRECT_URIS};
use super::{AuthMethod, Client, ClientKeys, ClientSecret, Flags, Lifetimes, Origin, SecretHash};
use crate::clock::Timestamp;
use crate::grant::{Resources, Rotation};
use crate::redirect_uri::RedirectUri;
use crate::resource::Resource;
use crate::scope::{Scope, ScopeError};
use crate::server::DeviceFlow;

const MAX_ID_BYTES: usize = 256;
/// Longer would overflow nothing, but is surely a mistake: ten years.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// RFC 6749 §4.1.2 recommends ten minutes at most.
const MAX_CODE_LIFETIME: Duration = Duration::from_secs(600);

/// Collects a client's metadata; [`ClientBuilder::build`] checks it.
#[derive(Debug)]
#[must_use = "call .build()"]
pub struct ClientBuilder {
    client: Client,
    secrets: Vec<(ClientSecret, Option<Timestamp>)>,
    redirect_uris: Vec<String>,
    scope: String,
    default_scope: Option<String>,
    resources: Vec<String>,
    serves: Vec<String>,
}

impl Client {
    /// A client that cannot keep a secret: an app on a phone or desktop, or in a browser. It may use the authorization code
    /// grant with PKCE, and refresh tokens.
    pub fn public(id: impl Into<Arc<str>>) -> ClientBuilder {
        ClientBuilder::new(id.into(), AuthMethod::None)
    }

    /// A client with a secret, sent by HTTP Basic. It may use the authorization code grant with PKCE, and refresh tokens;
    /// add `client_credentials` with [`ClientBuilder::grant_types`].
    pub fn confidential(id: impl Into<Arc<str>>, secret: &ClientSecret) -> ClientBuilder {
        ClientBuilder::new(id.into(), AuthMethod::ClientSecretBasic).secret(secret)
    }

    /// A client that acts for itself only (RFC 6749 §4.4).
    pub fn machine(id: impl Into<Arc<str>>, secret: &ClientSecret) -> ClientBuilder {
        Self::confidential(id, secret).grant_types(["client_credentials"])
    }

    /// A device without a browser, or a command line tool (RFC 8628): a public client that may use the device flow, and refresh
    /// tokens. It needs no redirect URI.
    pub fn device(id: impl Into<Arc<str>>) -> ClientBuilder {
        Self::public(id).grant_types([DeviceFlow::GRANT_TYPE, "refresh_token"])
    }

    /// A client that signs an assertion with its private key instead of sending a secret (RFC 7523 §2.2). It may use the
    /// authorization code grant with PKCE, and refresh tokens; add `client_credentials` with
    /// [`ClientBuilder::grant_types`].
    pub fn private_key_jwt(id: impl Into<Arc<str>>, keys: ClientKeys) -> ClientBuilder {
        ClientBuilder::new(id.into(), AuthMethod::PrivateKeyJwt).keys(keys)
    }

    /// An API that introspects tokens which are meant for it (RFC 7662 §2.1), and asks for none.
    pub fn resource_server(
        id: impl Into<Arc<str>>,
        secret: &ClientSecret,
        resource: impl Into<String>,
    ) -> ClientBuilder {
        Self::confidential(id, secret).grant_types::<&str>([]).serves(resource)
    }
}

impl ClientBuilder {
    fn new(id: Arc<str>, auth_method: AuthMethod) -> Self {
        let client = Client {
            id,
            name: None,
            auth_method,
            secrets: Vec::new(),
            redirect_uris: Vec::new(),
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            scope: Scope::empty(),
            default_scope: None,
            resources: Resources::default(),
            registered: Resources::default(),
            serves: Resources::default(),
            lifetimes: Lifetimes::default(),
            rotation: Rotation::default(),
            flags: Flags::default(),
            disabled_at: None,
            keys: None,
            origin: Origin::Host,
        };
        Self {
            client,
            secrets: Vec::new(),
            redirect_uris: Vec::new(),
            scope: String::new(),
            default_scope: None,
            resources: Vec::new(),
            serves: Vec::new(),
        }
    }

    pub(super) fn described(id: Arc<str>, auth_method: AuthMethod, origin: Origin) -> Self {
        let mut builder = Self::new(id, auth_method);
        builder.client.origin = origin;
        builder
    }

    /// The public keys of its assertions. A public client that has some may send an assertion, which must then be right.
    pub fn keys(mut self, keys: ClientKeys) -> Self {
        self.client.keys = Some(Box::new(keys));
        self
    }

    /// The name that the consent page shows.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.client.name = Some(name.into());
        self
    }

    /// Adds a secret beside those it has.
    pub fn secret(mut self, secret: &ClientSecret) -> Self {
        self.secrets.push((secret.clone(), None));
        self
    }

    /// Adds a secret that is refused from `until` on: the old one, while a client changes to a new one.
    pub fn secret_until(mut self, secret: &ClientSecret, until: Timestamp) -> Self {
        self.secrets.push((secret.clone(), Some(until)));
        self
    }

    /// Sends the secret in the body (`client_secret_post`) instead of by HTTP Basic.
    pub fn secret_in_body(mut self) -> Self {
        if self.client.auth_method.has_secret() {
            self.client.auth_method = AuthMethod::ClientSecretPost;
        }
        self
    }

    /// Adds a redirect URI, matched byte for byte; only the port of a loopback address may differ (RFC 8252 §7.3).
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// The grant types it may use, instead of `authorization_code` and `refresh_token`.
    pub fn grant_types<T: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.client.grant_types = names.into_iter().map(Into::into).collect();
        self
    }

    /// All scope it may have, separated by spaces.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// The scope of a request that names none; without this, all of [`ClientBuilder::scope`].
    pub fn default_scope(mut self, scope: impl Into<String>) -> Self {
        self.default_scope = Some(scope.into());
        self
    }

    /// Adds a resource that it may ask tokens for (RFC 8707).
    ///
    /// A request that names no `resource` is for all that are registered, and its tokens work at each of them. So an app of
    /// several APIs asks for the one that it is about to call, at the authorization or at the token endpoint. A client
    /// without any gets tokens that name no audience.
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.resources.push(uri.into());
        self
    }

    /// Adds a resource that it serves: it may introspect the tokens that are meant for it.
    pub fn serves(mut self, uri: impl Into<String>) -> Self {
        self.serves.push(uri.into());
        self
    }

    /// Where its lifetimes differ from the server's.
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.client.lifetimes = lifetimes;
        self
    }

    /// Whether its refresh tokens rotate.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.client.rotation = rotation;
        self
    }

    /// It belongs to the host: nobody is asked for consent.
    ///
    /// # Security
    ///
    /// Whoever is signed in gives it tokens without a word. A public client that is reached by a custom scheme or at the device
    /// itself cannot be told from another program there that uses its id (RFC 8252 §8.6), and so consent is asked for all the
    /// same: prefer an `https` redirect URI that the platform ties to the app.
    pub fn first_party(mut self) -> Self {
        self.client.flags.first_party = true;
        self
    }

    /// `http://localhost` matches only with the registered port; 127.0.0.1 and `[::1]` still match any (RFC 8252 §8.3 advises
    /// against the name).
    pub fn exact_localhost_port(mut self) -> Self {
        self.client.flags.localhost_ports = false;
        self
    }

    /// It must repeat `redirect_uri` at the token endpoint, as RFC 6749 §4.1.3 asks and OAuth 2.1 no longer does.
    pub fn require_redirect_uri(mut self) -> Self {
        self.client.flags.redirect_uri_required = true;
        self
    }

    /// Options that lower the protection of this client.
    pub fn dangerous(self) -> DangerousClient {
        DangerousClient(self)
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// A [`ClientError`] that names the first field that is wrong.
    pub fn build(self) -> Result<Client, ClientError> {
        let mut client = self.client;
        if !is_text(&client.id, MAX_ID_BYTES) {
            return Err(ClientError::Id);
        }
        if client
            .name
            .as_deref()
            .is_some_and(|name| !is_text(name, 4 * MAX_NAME_CHARS) || name.chars().count() > MAX_NAME_CHARS)
        {
            return Err(ClientError::Name);
        }
        if client
            .grant_types
            .iter()
            .any(|name| name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(ClientError::GrantType);
        }
        check_public(&client, &self.secrets)?;
        for (secret, until) in &self.secrets {
            if !secret.has_fair_length() {
                return Err(ClientError::Secret);
            }
            let hash = SecretHash::of(secret);
            client.secrets.push(until.map_or(hash, |until| hash.until(until)));
        }
        if self.redirect_uris.len() > MAX_REDIRECT_URIS {
            return Err(ClientError::TooManyRedirectUris);
        }
        for uri in self.redirect_uris {
            match RedirectUri::register(&uri) {
                Ok(registered) => client.redirect_uris.push(registered),
                Err(source) => return Err(ClientError::RedirectUri { uri, source }),
            }
        }
        if client.redirect_uris.is_empty() && client.may_use("authorization_code") {
            return Err(ClientError::NoRedirectUri);
        }
        client.scope = parse_scope(&self.scope)?;
        client.default_scope = self.default_scope.as_deref().map(parse_scope).transpose()?;
        if client.default_scope.as_ref().is_some_and(|default| !default.is_subset_of(&client.scope)) {
            return Err(ClientError::DefaultScope);
        }
        client.resources = parse_resources(self.resources)?;
        client.serves = parse_resources(self.serves)?;
        check_lifetimes(&client.lifetimes)?;
        Ok(client)
    }
}

/// Lowers the protection of one client. Made by [`ClientBuilder::dangerous`].
#[derive(Debug)]
pub struct DangerousClient(ClientBuilder);

impl DangerousClient {
    /// Lets a confidential client go without PKCE, for old software only: its codes can be injected (RFC 9700 §4.5).
    pub fn without_pkce(mut self) -> ClientBuilder {
        self.0.client.flags.pkce_required = false;
        self.0
    }
}

fn is_text(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= max_bytes && !text.chars().any(char::is_control)
}

fn check_public(client: &Client, secrets: &[(ClientSecret, Option<Timestamp>)]) -> Result<(), ClientError> {
    if client.auth_method == AuthMethod::PrivateKeyJwt {
        return if client.keys.is_some() && secrets.is_empty() { Ok(()) } else { Err(ClientError::Keys) };
    }
    if !client.is_public() {
        return if secrets.is_empty() { Err(ClientError::Secret) } else { Ok(()) };
    }
    if !secrets.is_empty() {
        return Err(ClientError::Public("client_secret"));
    }
    if client.may_use("client_credentials") {
        return Err(ClientError::Public("grant_types: client_credentials"));
    }
    if !client.requires_pkce() {
        return Err(ClientError::Pkce);
    }
    Ok(())
}

fn parse_scope(text: &str) -> Result<Scope, ScopeError> {
    if text.is_empty() { Ok(Scope::empty()) } else { Scope::parse(text) }
}

fn parse_resources(uris: Vec<String>) -> Result<Resources, ClientError> {
    let parse = |uri: String| Resource::parse(&uri).map_err(|source| ClientError::Resource { uri, source });
    Ok(Resources::new(uris.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?))
}

fn check_lifetimes(lifetimes: &Lifetimes) -> Result<(), ClientError> {
    let all = [
        ("lifetimes.code", lifetimes.code, MAX_CODE_LIFETIME),
        ("lifetimes.access_token", lifetimes.access_token, MAX_LIFETIME),
        ("lifetimes.refresh_token_idle", lifetimes.refresh_token_idle, MAX_LIFETIME),
        ("lifetimes.grant", lifetimes.grant, MAX_LIFETIME),
    ];
    for (field, lifetime, max) in all {
        if lifetime.is_some_and(|lifetime| lifetime < Duration::from_secs(1) || lifetime > max) {
            return Err(ClientError::Lifetime(field, max));
        }
    }
    Ok(())
}
