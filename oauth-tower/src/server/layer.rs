//! The layer: what is mounted where.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use oauth_core::metadata::{Endpoint, Endpoints, Metadata, WELL_KNOWN_NAME};
use oauth_core::server::Server;
use tower_layer::Layer;

use super::dispatch::Shared;
use super::resources::Resources;
use super::routes::Routes;
use super::{AuthorizationServerService, NotFound};
use crate::client_address::{ClientAddress, PeerAddress};
use crate::endpoint::{Authorize, Document};
use crate::host::Host;
#[cfg(feature = "pages")]
use crate::pages::Pages;

/// The deadline of a request.
const DEADLINE: Duration = Duration::from_secs(2);
/// The longest body that is read.
const BODY_LIMIT: usize = 64 * 1024;

/// Mounts the endpoints of a [`Server`] in front of an inner service.
///
/// | endpoint | default path, below the issuer's | methods | CORS |
/// | --- | --- | --- | --- |
/// | authorization | `/authorize`, with a [`Host`] only | GET, POST | none |
/// | token | `/token` | POST | open |
/// | revocation | `/revoke` | POST | open |
/// | introspection | `/introspect` | POST | none |
/// | device authorization | `/device_authorization`, with a [device flow](oauth_core::server::DeviceFlow) only | POST | open |
/// | registration | `/register`, with [dynamic registration](oauth_core::server::DynamicRegistration) only | POST | open |
/// | one client's registration | `/register/{client_id}` | GET, PUT, DELETE | open |
/// | key set | `/jwks` | GET, HEAD | open |
/// | metadata | `/.well-known/oauth-authorization-server{issuer's path}`, at the origin | GET, HEAD | open |
/// | metadata of resources | `/.well-known/oauth-protected-resource{resource's path}`, for those registered at the origin | GET, HEAD | open |
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct AuthorizationServerLayer {
    server: Arc<Server>,
    host: Option<Arc<dyn Host>>,
    #[cfg(feature = "pages")]
    pages: Option<Arc<Pages>>,
    elsewhere: bool,
    endpoints: Endpoints,
    mount: Option<Box<str>>,
    deadline: Duration,
    body_limit: usize,
    addresses: Arc<dyn ClientAddress>,
    built: OnceLock<Arc<Shared>>,
}

impl AuthorizationServerLayer {
    /// All endpoints of the server but the authorization endpoint, which needs a [`host`](Self::host).
    pub fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            host: None,
            #[cfg(feature = "pages")]
            pages: None,
            elsewhere: false,
            endpoints: Endpoints::all(),
            mount: None,
            deadline: DEADLINE,
            body_limit: BODY_LIMIT,
            addresses: Arc::new(PeerAddress),
            built: OnceLock::new(),
        }
    }

    /// Serves the authorization endpoint: the host says who is signed in, and shows the pages.
    pub fn host(mut self, host: impl Host) -> Self {
        self.host = Some(Arc::new(host));
        self.changed()
    }

    /// Serves the authorization endpoint with the built-in pages, and the pages themselves.
    #[cfg(feature = "pages")]
    pub fn pages(mut self, pages: Pages) -> Self {
        let pages = Arc::new(pages);
        self.host = Some(pages.clone());
        self.pages = Some(pages);
        self.changed()
    }

    /// Names the authorization endpoint in the metadata, and leaves it to the app: for an app that calls
    /// [`Server::authorize`] in a handler of its own, at the endpoint's path.
    pub fn authorize_elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self.changed()
    }

    /// Where the issuer's path is, as this layer sees it, if that differs from the issuer's own path: `/` where a router or a
    /// proxy has stripped it. URLs in answers do not change by it.
    ///
    /// The metadata document stays at the origin, where a nested layer cannot see it: serve it by a second layer, or in axum
    /// by [`well_known_router`](Self::well_known_router). Without either, clients that look for it get the app's 404. An event at
    /// level `INFO` says where it belongs.
    ///
    /// # Panics
    ///
    /// If it does not begin with one slash.
    pub fn mount_at(mut self, path: &str) -> Self {
        assert!(is_path(path), "{path:?} is not a path; use something like \"/\" or \"/t1\"");
        self.mount = Some(path.strip_suffix('/').unwrap_or(path).into());
        self.changed()
    }

    /// Not stripped of any prefix.
    #[cfg(feature = "axum")]
    pub(super) fn at_the_origin(mut self) -> Self {
        self.mount = None;
        self.changed()
    }

    /// Puts an endpoint at another path below the issuer's.
    ///
    /// # Panics
    ///
    /// If it does not begin with one slash, or is no plain path.
    pub fn path(mut self, endpoint: Endpoint, path: impl Into<Cow<'static, str>>) -> Self {
        let path = path.into();
        assert!(
            is_path(&path) && path.len() > 1,
            "{path:?} is not a path; use something like \"/oauth/token\""
        );
        self.endpoints.set(endpoint, path);
        self.changed()
    }

    /// Leaves an endpoint out, of the metadata too.
    pub fn without(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.remove(endpoint);
        self.changed()
    }

    /// How long one request may wait, for its body and for its answer together; default 2 s. It needs a tokio runtime with time
    /// enabled; outside of tokio there is no limit.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self.changed()
    }

    /// The longest body that is read, in bytes; default 64 KiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self.changed()
    }

    /// Where requests come from, for rate limits; default [`PeerAddress`]. Behind proxies see
    /// [`ForwardedFor`](crate::client_address::ForwardedFor).
    pub fn client_address(mut self, source: impl ClientAddress) -> Self {
        self.addresses = Arc::new(source);
        self.changed()
    }

    /// The endpoints without an app around them: everything else is 404.
    pub fn into_service(self) -> AuthorizationServerService {
        self.layer(NotFound::default())
    }

    /// The metadata document as it is served.
    pub fn metadata(&self) -> Metadata {
        let mut named = self.endpoints.clone();
        if self.host.is_none() && !self.elsewhere {
            named.remove(Endpoint::Authorize);
        }
        Metadata::new(&self.server, &named)
    }

    #[cfg(feature = "axum")]
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    #[cfg(all(feature = "axum", feature = "pages"))]
    pub(super) fn page_paths(&self) -> impl Iterator<Item = &str> {
        self.pages.iter().flat_map(|pages| pages.paths())
    }

    pub(super) fn routes(&self) -> Routes {
        let mut served = self.endpoints.clone();
        if self.host.is_none() || self.elsewhere {
            served.remove(Endpoint::Authorize);
        }
        if self.server.device_flow().is_none() {
            served.remove(Endpoint::Device);
        }
        if !self.server.takes_registrations() {
            served.remove(Endpoint::Register);
        }
        let issuer = self.server.issuer();
        let (resources, _) = Resources::new(&self.server);
        Routes::new(issuer, self.mount.as_deref().unwrap_or(issuer.path()), &served, resources)
    }

    /// Forgets what was derived from earlier settings.
    fn changed(mut self) -> Self {
        self.built = OnceLock::new();
        self
    }

    /// A document that nobody serves is found out late, by clients: the operator hears where it must be.
    fn report_mount(&self) {
        let issuer = self.server.issuer();
        if let Some(mount) = self.mount.as_deref().filter(|mount| *mount != issuer.path()) {
            let document = issuer.well_known(WELL_KNOWN_NAME);
            tracing::info!(mount, document, "metadata_is_served_at_the_origin_only");
        }
    }

    fn shared(&self) -> Arc<Shared> {
        let built = self.built.get_or_init(|| {
            self.report_mount();
            let path = self.endpoints.path(Endpoint::Authorize).unwrap_or_default();
            let path: Arc<str> = [self.server.issuer().path(), path].concat().into();
            let authorize = self.host.clone().map(|host| Authorize {
                server: self.server.clone(),
                host,
                path,
                deadline: self.deadline,
                body_limit: self.body_limit,
            });
            Arc::new(Shared {
                server: self.server.clone(),
                routes: self.routes(),
                authorize,
                #[cfg(feature = "pages")]
                pages: self.pages.clone(),
                metadata: Document::new(&self.metadata()),
                resources: Resources::new(&self.server).1.iter().map(Document::resource).collect(),
                deadline: self.deadline,
                body_limit: self.body_limit,
                addresses: self.addresses.clone(),
                said_unknown: AtomicBool::new(false),
            })
        });
        built.clone()
    }
}

impl<S> Layer<S> for AuthorizationServerLayer {
    type Service = AuthorizationServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthorizationServerService::new(inner, self.shared())
    }
}

fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte);
    path.starts_with('/') && !path.contains("//") && path.bytes().all(plain)
}
