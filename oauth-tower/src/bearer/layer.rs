//! The layer and its settings.

use std::sync::Arc;

use oauth_core::scope::Scope;
use tower_layer::Layer;

use super::policy::Policy;
use super::{BearerService, Challenge, Refuse, Rfc6750, Verifier};

/// Lets only requests with a good bearer token through to the inner service.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct BearerLayer<V> {
    verifier: V,
    all: Scope,
    any: Scope,
    resource: Option<Box<str>>,
    realm: Option<String>,
    optional: bool,
    cors: bool,
    refuse: Arc<dyn Refuse>,
}

impl<V: Verifier> BearerLayer<V> {
    /// Accepts every token that the verifier accepts, whatever its audience: see [`BearerLayer::resource`].
    pub fn new(verifier: V) -> Self {
        Self {
            verifier,
            all: Scope::empty(),
            any: Scope::empty(),
            resource: None,
            realm: None,
            optional: false,
            cors: false,
            refuse: Arc::new(Rfc6750),
        }
    }

    /// The token must allow all of these scopes, separated by spaces. Calls add up.
    ///
    /// # Panics
    ///
    /// If it is not a scope (RFC 6749 §3.3).
    pub fn require_scope(mut self, scope: &str) -> Self {
        self.all = self.all.union(&parse(scope));
        self
    }

    /// The token must allow at least one of these scopes, separated by spaces.
    ///
    /// # Panics
    ///
    /// If it is not a scope (RFC 6749 §3.3).
    pub fn any_scope(mut self, scope: &str) -> Self {
        self.any = self.any.union(&parse(scope));
        self
    }

    /// The token must be meant for this resource: its audience names it, byte for byte. Tokens without an audience are refused.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into().into());
        self
    }

    /// The realm that challenges name (RFC 9110 §11.5).
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Lets requests without a token pass, without a [`Bearer`](super::Bearer). A bad token is still refused.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Answers preflights, and lets scripts of any origin read answers and challenges. Without it, a preflight needs a token
    /// like any other request, which browsers never send.
    pub fn cors(mut self) -> Self {
        self.cors = true;
        self
    }

    /// Writes refusals in another form than RFC 6750's.
    pub fn refuse_with(mut self, refuse: impl Refuse) -> Self {
        self.refuse = Arc::new(refuse);
        self
    }
}

impl<S, V: Verifier> Layer<S> for BearerLayer<V> {
    type Service = BearerService<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        let policy = Policy {
            all: self.all.clone(),
            any: self.any.clone(),
            resource: self.resource.clone(),
            optional: self.optional,
            cors: self.cors,
            challenge: Challenge::new(self.realm.clone(), self.all.union(&self.any)),
            refuse: self.refuse.clone(),
        };
        BearerService::new(inner, self.verifier.clone(), Arc::new(policy))
    }
}

pub(super) fn parse(scope: &str) -> Scope {
    match Scope::parse(scope) {
        Ok(scope) => scope,
        Err(error) => panic!("{scope:?} is not a scope: {error}"),
    }
}
