//! This project: the tower service called directly, without an app around it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use futures_executor::block_on;
use http::request::Parts;
use http::{Request, Response};
use oauth_core::authorize::{Login, ShowError};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{Clock, SystemClock};
use oauth_core::server::{Pending, Server, ServerBuilder, SignIn};
use oauth_core::storage::Store;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{BearerLayer, BearerService, JwtVerifier};
use oauth_tower::body::Body;
use oauth_tower::host::{Host, HostError};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use tower_layer::Layer;
use tower_service::Service;

use crate::floor::{Open, collected, open};
use crate::jwt::jwt;
use crate::request::{CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, SUBJECT, authorize, code_of};
use crate::{Contender, Req, Res};

/// Ours with its memory store.
pub struct Ours {
    store: MemoryStore,
    service: AuthorizationServerService,
    protect: BearerLayer<Arc<Server>>,
    resource: BearerService<Open, Arc<Server>>,
    jwt: String,
    protect_jwt: BearerLayer<JwtVerifier>,
    jwt_resource: BearerService<Open, JwtVerifier>,
}

impl Ours {
    /// Where it keeps its grants.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }
}

/// Ours on another store, with other settings.
///
/// # Panics
///
/// When the settings are no server's.
pub fn ours_on(
    store: impl Store,
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Arc<Server>, AuthorizationServerService) {
    let client = Client::confidential(CLIENT_ID, &ClientSecret::from_text(CLIENT_SECRET))
        .redirect_uri(REDIRECT_URI)
        .grant_types(["authorization_code", "client_credentials", "refresh_token"])
        .scope(SCOPE)
        .resource("https://api.example")
        .first_party();
    let builder = Server::builder(ISSUER, store).client(client);
    let server = configure(builder).build().expect("a valid server");
    let service = AuthorizationServerLayer::new(server.clone()).host(SignedIn).into_service();
    (server, service)
}

/// Everybody is signed in as the same person, and nobody is asked, since the client is the host's own.
#[derive(Debug)]
struct SignedIn;

#[async_trait]
impl Host for SignedIn {
    async fn login(&self, _head: &Parts) -> Result<Option<Login>, HostError> {
        Ok(Some(Login::new(SUBJECT, SystemClock.now())))
    }

    async fn sign_in(&self, _head: &Parts, _request: &SignIn) -> Response<Body> {
        unreachable!("somebody is signed in")
    }

    async fn consent(&self, _head: &Parts, _pending: &Pending, _action: &str) -> Response<Body> {
        unreachable!("the client is the host's own")
    }

    async fn error(&self, _head: &Parts, error: &ShowError) -> Response<Body> {
        panic!("{error:?}")
    }
}

impl Contender for Ours {
    const NAME: &'static str = "ours";

    fn new() -> Self {
        let store = MemoryStore::new();
        let (server, service) = ours_on(store.clone(), |builder| builder);
        let protect = BearerLayer::new(server).require_scope("read");
        let resource = protect.layer(Open);
        let (jwt, protect_jwt) = jwt();
        let jwt_resource = protect_jwt.layer(Open);
        Self { store, service, protect, resource, jwt, protect_jwt, jwt_resource }
    }

    fn call(&mut self, request: Req) -> impl Future<Output = Res> {
        collected(self.service.call(request))
    }

    fn resource(&mut self, request: Req) -> impl Future<Output = Res> {
        collected(self.resource.call(request))
    }

    fn jwt(&self) -> String {
        self.jwt.clone()
    }

    fn jwt_resource(&mut self, request: Req) -> impl Future<Output = Res> {
        collected(self.jwt_resource.call(request))
    }

    fn code(&mut self) -> String {
        code_of(&block_on(self.call(authorize("/authorize"))))
    }

    fn router(&self) -> Router {
        let resource = || get(async || open(Request::new(())).await.expect("infallible"));
        Router::new()
            .route("/resource", resource().layer(self.protect.clone()))
            .route("/jwt", resource().layer(self.protect_jwt.clone()))
            .fallback_service(self.service.clone())
    }
}
