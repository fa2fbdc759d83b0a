//! The server under attack.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use oauth_core::authorize::Login;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::{Server, ServerBuilder};
use oauth_core::storage::{Index, Store};
use oauth_storage_memory::MemoryStore;
use oauth_tower::body::BoxError;
use oauth_tower::host::HostError;
use oauth_tower::login_page::LoginPage;
use oauth_tower::pages::Pages;
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use tower::ServiceExt;
use tower_layer::Layer;

use crate::{App, ISSUER, Reply, START, Users, fixtures};

/// A server with the fixture clients in front of an [`App`], and its clock.
#[derive(Clone, Debug)]
pub struct World {
    /// The server.
    pub server: Arc<Server>,
    /// Its clock.
    pub clock: ManualClock,
    /// Its layer, for tests that mount it otherwise.
    pub layer: AuthorizationServerLayer,
    service: AuthorizationServerService<App>,
}

impl World {
    /// A server over a memory store. The app says who is signed in, by what the [`Browser`](crate::Browser) tells it, and has
    /// its sign-in page at `/login`.
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// The same with other settings, or with more clients.
    pub fn with(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(START));
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self::over(store, clock, configure)
    }

    /// The same over any store; `clock` is the server's.
    pub fn over(
        store: impl Store,
        clock: ManualClock,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let server = server(store, &clock, configure);
        let layer = AuthorizationServerLayer::new(server.clone()).host(LoginPage::at("/login", signed_in));
        Self::mounted(server, clock, layer)
    }

    /// A server with the built-in pages, on which [`Users`] sign in.
    pub fn with_pages() -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(START));
        let server = server(MemoryStore::with_clock(Arc::new(clock.clone())), &clock, |builder| builder);
        let pages = Pages::new(server.clone(), Users);
        let layer = AuthorizationServerLayer::new(server.clone()).pages(pages);
        Self::mounted(server, clock, layer)
    }

    /// A server that is mounted in another way.
    pub fn mounted(server: Arc<Server>, clock: ManualClock, layer: AuthorizationServerLayer) -> Self {
        let service = layer.layer(App);
        Self { server, clock, layer, service }
    }

    /// Sends a request to the service.
    pub async fn send<B>(&self, request: Request<B>) -> Reply
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        let response = match self.service.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// The states of all grants of a client that are stored.
    pub async fn grants(&self, client_id: &str) -> Vec<&'static str> {
        let listed = self.server.grants().list(Index::Client(client_id)).await.expect("a list");
        listed.into_iter().map(|grant| grant.state).collect()
    }

    /// A GET without cookies.
    pub async fn get(&self, uri: &str) -> Reply {
        self.send(Request::get(uri).body(Full::<Bytes>::default()).expect("a request")).await
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn server(
    store: impl Store,
    clock: &ManualClock,
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> Arc<Server> {
    let builder = Server::builder(ISSUER, store).clock(clock.clone()).scope("read", "read your notes");
    let builder = fixtures::clients().into_iter().fold(builder, ServerBuilder::client);
    configure(builder).build().expect("a server")
}

/// Who is signed in, as a session layer of the app would say it. Nobody can ask it about `down`.
fn signed_in(head: &Parts) -> impl Future<Output = Result<Option<Login>, HostError>> + Send + use<> {
    let login = read_login(&head.headers);
    async move { login.map_err(HostError::from) }
}

fn read_login(headers: &HeaderMap) -> Result<Option<Login>, BoxError> {
    let text = |name| headers.get(name).map(|value| value.to_str()).transpose();
    let Some(user) = text("x-user")? else { return Ok(None) };
    if user == "down" {
        return Err("the session store is down".into());
    }
    let time = text("x-authenticated-at")?.map_or(Ok(START), str::parse)?;
    let login = Login::new(user, Timestamp::from_secs(time));
    Ok(Some(match text("x-session")? {
        Some(session) => login.session(session),
        None => login,
    }))
}
