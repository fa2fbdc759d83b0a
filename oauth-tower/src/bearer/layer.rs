//! The layer: what a route asks for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::Clock;
use oauth_core::server::Server;
use tower_layer::Layer;

use super::guard::Guard;
use super::paths::Paths;
use super::requirements::Requirements;
use super::shared::Shared;
use super::{BearerService, Grpc, GrpcOrHttp, RefusalSink, Verifier, WriteRefusal};
use crate::protected_resource::{ProtectedResource, UnknownResource};

/// How long a verification may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// Lets only requests with a good bearer token through to an inner service.
///
/// Checked in this order: the header → the verifier → no binding to a key → audience → authentication → scope.
///
/// # Security
///
/// **Without [`BearerLayer::resource`] the token's audience is not looked at.**
///
/// In axum, `.layer(..)` also protects the fallback, so that unknown paths answer 401; `.route_layer(..)` protects the routes
/// and leaves 404 for unknown paths.
#[derive(Clone)]
#[must_use = "a layer does nothing until it is applied"]
pub struct BearerLayer<V> {
    verifier: V,
    guard: Guard,
    required: Requirements,
    paths: Paths,
    resources: Vec<Box<str>>,
    optional: bool,
    cors: bool,
    deadline: Duration,
}

impl<V: Verifier> BearerLayer<V> {
    /// Asks for a token that the verifier accepts: for a server in the same process, give its `Arc<Server>`.
    pub fn new(verifier: V) -> Self {
        Self {
            verifier,
            guard: Guard::default(),
            required: Requirements::default(),
            paths: Paths::default(),
            resources: Vec::new(),
            optional: false,
            cors: false,
            deadline: DEADLINE,
        }
    }

    /// Asks for a scope token, or for all of several that are separated by spaces. Several calls add up.
    ///
    /// What is no scope token (RFC 6749 §3.3) is in no token's scope: everything is refused.
    pub fn require_scope(mut self, scope: impl AsRef<str>) -> Self {
        self.required.tokens.all_of(scope.as_ref());
        self
    }

    /// Asks for one of several scope tokens, separated by spaces. Of each call one is needed; a call with none is never met.
    ///
    /// A challenge names the first of them only: that is enough, and a client should not ask for more.
    pub fn any_scope(mut self, scopes: impl AsRef<str>) -> Self {
        self.required.tokens.one_of(scopes.as_ref());
        self
    }

    /// Asks for an authentication of one of these context classes (`acr`), separated by spaces. A weaker one is answered with
    /// 401 `insufficient_user_authentication`, by which a client knows what to ask the authorization server for (RFC 9470).
    /// The last call counts; one that names none is never met.
    pub fn acr_values(mut self, acr_values: impl AsRef<str>) -> Self {
        self.required.one_acr_of(acr_values.as_ref());
        self
    }

    /// Asks for a resource owner who authenticated no longer ago than this, in whole seconds, answered as
    /// [`acr_values`](Self::acr_values) is.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.required.no_older_than(max_age);
        self
    }

    /// Asks callers of a gRPC method, such as `/notes.Notes/Add`, for all of these scope tokens, besides those that the layer
    /// asks for everywhere. Several calls for one method add up.
    ///
    /// # Security
    ///
    /// The path is compared byte for byte, as tonic's generated code does. It is not meant for routers that take other paths
    /// for the same (a slash at the end, `%2e`): there, use a [`RequireScopeLayer`](super::RequireScopeLayer) on the route.
    pub fn method_scope(mut self, path: impl Into<String>, scope: impl AsRef<str>) -> Self {
        self.paths.method(path.into()).all_of(scope.as_ref());
        self
    }

    /// Asks callers of a gRPC method for one of these scope tokens; else as [`method_scope`](Self::method_scope).
    pub fn method_any_scope(mut self, path: impl Into<String>, scopes: impl AsRef<str>) -> Self {
        self.paths.method(path.into()).one_of(scopes.as_ref());
        self
    }

    /// Refuses gRPC methods that [`method_scope`](Self::method_scope) does not list: one that is added later is closed until
    /// its scope is said. `method_scope(path, "")` lists one that asks for nothing of its own.
    pub fn listed_methods_only(mut self) -> Self {
        self.paths.listed_only();
        self
    }

    /// Lets every call of a gRPC service through, such as `grpc.health.v1.Health` or `grpc.reflection.v1.ServerReflection`,
    /// without a look at its token.
    pub fn exempt_service(mut self, name: impl Into<String>) -> Self {
        self.paths.exempt_service(name.into());
        self
    }

    /// Lets requests for exactly this path through, such as `/healthz`, without a look at their token.
    pub fn exempt_path(mut self, path: impl Into<String>) -> Self {
        self.paths.exempt_path(path.into());
        self
    }

    /// Asks for a token whose audience has this resource (RFC 8707, RFC 9700 §2.3). Tokens for others, and tokens that name no
    /// audience, are refused then. Where an API has several names, call it for each; one of them is enough.
    ///
    /// Compared as a whole; only the case of scheme and host, and the one slash of an empty path, do not count.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into().into_boxed_str());
        self
    }

    /// Lets requests through that present no bearer token at all, without an [`AccessToken`](oauth_core::server::AccessToken) in their extensions. A token that
    /// is presented must be good.
    ///
    /// # Security
    ///
    /// Every handler behind it decides for itself; a [`RequireScopeLayer`](super::RequireScopeLayer) or an extractor further
    /// inside refuses those who have no token.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The realm of challenges; `api` by default.
    pub fn realm(mut self, realm: impl Into<Cow<'static, str>>) -> Self {
        self.guard.realm = realm.into();
        self.guard.custom = true;
        self
    }

    /// Who writes refusals; [`Rfc6750`](super::Rfc6750) by default.
    pub fn refuse_with(mut self, writer: impl WriteRefusal) -> Self {
        self.guard.writer = Arc::new(writer);
        self.guard.custom = true;
        self
    }

    /// Answers as gRPC does; see [`Grpc`]. For a port that speaks gRPC alone.
    pub fn grpc(self) -> Self {
        self.refuse_with(Grpc)
    }

    /// Answers as gRPC does where the request's content type is one of gRPC, else as HTTP does; see [`GrpcOrHttp`].
    pub fn grpc_or_http(self) -> Self {
        self.refuse_with(GrpcOrHttp)
    }

    /// Names the metadata of the protected resource in challenges, so that clients find the authorization server by themselves
    /// (RFC 9728 §5.1).
    pub fn resource_metadata(mut self, url: impl Into<Arc<str>>) -> Self {
        self.guard.resource_metadata = Some(url.into());
        self.guard.custom = true;
        self
    }

    /// Protects this API: its resource identifier must be in the token's audience, and challenges name its metadata. The
    /// document is served by a [`ProtectedResourceLayer`](crate::protected_resource::ProtectedResourceLayer).
    pub fn protected_resource(self, api: &ProtectedResource) -> Self {
        self.resource(api.resource()).resource_metadata(api.metadata_url())
    }

    /// Who hears of refusals, besides `tracing`.
    pub fn sink(mut self, sink: impl RefusalSink) -> Self {
        self.guard.sink = Some(Arc::new(sink));
        self.guard.custom = true;
        self
    }

    /// The clock by which [`max_age`](Self::max_age) is measured; the machine's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.guard.clock = Arc::new(clock);
        self.guard.custom = true;
        self
    }

    /// Reports what would be refused and lets it pass, here and in a [`RequireScopeLayer`](super::RequireScopeLayer) further
    /// inside: for the time in which callers learn to send tokens. A request has its token in its extensions if it is good for
    /// this API, even if its scope or authentication is not enough; extractors refuse as ever.
    ///
    /// # Security
    ///
    /// **Nothing is protected.**
    pub fn observe(mut self) -> Self {
        self.guard.observe = true;
        self.guard.custom = true;
        self
    }

    /// Lets scripts of any origin call the API with a token, without cookies: answers preflights in the app's stead, and lets
    /// scripts read answers and challenges (Fetch §3.2). Not to be combined with another CORS layer.
    ///
    /// Without this, preflights are refused like any request without a token, unless a CORS layer further out answers them.
    pub fn cors(mut self) -> Self {
        self.cors = true;
        self
    }

    /// How long a token may take to be verified before the answer is 503; default 2 s. The inner service's own time does not
    /// count. It needs a tokio runtime with time enabled; outside of tokio there is no limit.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl BearerLayer<Arc<Server>> {
    /// Guards a resource that is registered with the server: a token must be for it, and challenges name its metadata, which the
    /// [`AuthorizationServerLayer`](crate::server::AuthorizationServerLayer) of the same server serves.
    ///
    /// # Errors
    ///
    /// [`UnknownResource`] where the server has not registered it.
    pub fn registered(server: Arc<Server>, uri: &str) -> Result<Self, UnknownResource> {
        let resource = ProtectedResource::of(&server, uri)?;
        Ok(Self::new(server).protected_resource(&resource))
    }
}

impl<V: Verifier, S> Layer<S> for BearerLayer<V> {
    type Service = BearerService<S, V>;

    /// # Panics
    ///
    /// If the server in the same process has registered resources, and issues no tokens for a
    /// [`resource`](BearerLayer::resource) of the layer: no token would ever be good.
    fn layer(&self, inner: S) -> Self::Service {
        if let Some(unknown) = self.resources.iter().find(|own| !self.verifier.may_know(own)) {
            panic!("{}", UnknownResource(unknown.clone()));
        }
        BearerService::new(
            inner,
            Arc::new(Shared {
                verifier: self.verifier.clone(),
                guard: Arc::new(self.guard.clone()),
                policy: self.paths.policy(&self.required),
                resources: self.resources.clone(),
                optional: self.optional,
                cors: self.cors,
                deadline: self.deadline,
            }),
        )
    }
}

impl<V> fmt::Debug for BearerLayer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerLayer")
            .field("scope", &self.required.tokens.needed())
            .field("resources", &self.resources)
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}
