//! The layer: what a route asks for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Response};
use oauth_core::server::AccessToken;
use tower_layer::Layer;

use super::authorization::Presented;
use super::guard::{Guard, check_scope};
use super::refusal::Denial;
use super::scope::RequiredTokens;
use super::{BearerService, Cause, Verifier, WriteRefusal, cors};
use crate::body::Body;

/// How long a verification may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// Lets only requests with a good bearer token through to an inner service.
///
/// Checked in this order: the header → the verifier → no binding to a key → audience → scope.
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
    required: RequiredTokens,
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
            required: RequiredTokens::default(),
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
        self.required.all_of(scope.as_ref());
        self
    }

    /// Asks for one of several scope tokens, separated by spaces. Of each call one is needed; a call with none is never met.
    ///
    /// A challenge names the first of them only: that is enough, and a client should not ask for more.
    pub fn any_scope(mut self, scopes: impl AsRef<str>) -> Self {
        self.required.one_of(scopes.as_ref());
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

    /// Lets requests through that present no bearer token at all, without an [`AccessToken`] in their extensions. A token that
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

impl<V: Verifier, S> Layer<S> for BearerLayer<V> {
    type Service = BearerService<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        BearerService::new(
            inner,
            Arc::new(Shared {
                verifier: self.verifier.clone(),
                guard: Arc::new(self.guard.clone()),
                required: self.required.clone(),
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
            .field("scope", &self.required.needed())
            .field("resources", &self.resources)
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}

/// What all services of one layer share.
pub(super) struct Shared<V> {
    pub(super) verifier: V,
    pub(super) guard: Arc<Guard>,
    required: RequiredTokens,
    resources: Vec<Box<str>>,
    optional: bool,
    pub(super) cors: bool,
    pub(super) deadline: Duration,
}

impl<V> Shared<V> {
    /// Whether a verified token is enough here.
    pub(super) fn check(&self, token: &AccessToken) -> Result<(), Denial> {
        if token.confirmation.is_some() {
            let why = "the token is bound to a key and was presented as a bearer token";
            return Err(Denial::of(Cause::InvalidToken, why, token));
        }
        let mut own = self.resources.iter();
        if !self.resources.is_empty() && !own.any(|resource| token.resources.find(resource).is_some()) {
            return Err(Denial::of(Cause::InvalidToken, "the token is for another audience", token));
        }
        check_scope(token, &self.required)
    }

    /// The refusal of a request that presents no token that could be verified; none if it may pass without one.
    pub(super) fn without_token(&self, presented: &Presented<'_>) -> Option<Denial> {
        match presented {
            Presented::Nothing if self.optional => None,
            Presented::Malformed(why) => Some(Denial::new(Cause::Malformed, why)),
            Presented::TooLong => Some(Denial::new(Cause::InvalidToken, "the token is too long")),
            Presented::Nothing | Presented::Token(_) => {
                Some(Denial::new(Cause::NoToken, "no bearer token was presented"))
            }
        }
    }

    pub(super) fn refuse(&self, denial: &Denial, request: &HeaderMap) -> Response<Body> {
        let mut response = self.guard.refuse(denial, self.required.needed(), request);
        if self.cors {
            cors::open(response.headers_mut());
        }
        response
    }
}
