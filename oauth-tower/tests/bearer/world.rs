//! A server with a machine client, and an API behind the layer.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::grant::{Confirmation, Grant, State};
use oauth_core::server::{AccessToken, Server};
use oauth_core::storage::testing::{CountingStore, Counts, FaultStore};
use oauth_core::storage::{Body, Index, Key, Namespace, Page, Record, Store, Version};
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{BearerLayer, Verifier};
use tower::{Layer, Service, ServiceExt};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const API: &str = "https://api1.example";

pub(crate) type TestStore = Arc<FaultStore<CountingStore<MemoryStore>>>;

pub(crate) struct World {
    pub(crate) server: Arc<Server>,
    pub(crate) store: TestStore,
    pub(crate) clock: ManualClock,
    secret: ClientSecret,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
        let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
        let store = Arc::new(FaultStore::calm(CountingStore::new(memory)));
        let secret = ClientSecret::generate();
        let client = Client::machine("m2m", &secret)
            .scope("read write admin")
            .resource(API)
            .resource("https://api2.example")
            .resource("https://api1.example.evil");
        let server =
            Server::builder(ISSUER, store.clone()).clock(clock.clone()).client(client).build().unwrap();
        Self { server, store, clock, secret }
    }

    pub(crate) async fn token(&self, scope: &str) -> String {
        self.ask(&format!("scope={scope}")).await
    }

    pub(crate) async fn token_for(&self, resource: &str) -> String {
        self.ask(&format!("scope=read&resource={resource}")).await
    }

    async fn ask(&self, parameters: &str) -> String {
        use base64::Engine as _;
        let pair = format!("m2m:{}", self.secret.expose());
        let basic = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::try_from(format!("Basic {basic}")).unwrap());
        let body = format!("grant_type=client_credentials&{parameters}");
        let response = self.server.token(&headers, body.as_bytes()).await.unwrap();
        let json = serde_json::to_value(&response).unwrap();
        json["access_token"].as_str().unwrap().to_owned()
    }

    /// Rewrites the only grant in the store.
    pub(crate) async fn alter(&self, change: impl FnOnce(&mut Grant)) {
        let listing = self.store.list(Index::Client("m2m"), Page::first(2)).await.unwrap();
        let [key]: [Key; 1] = listing.keys.try_into().unwrap();
        let stored = self.store.load(&key).await.unwrap().unwrap();
        let mut grant = stored.grant().unwrap().clone();
        change(&mut grant);
        let version = Version::generate(self.server.random());
        let next = Record { version, body: Body::Grant(grant), ..Record::clone(&stored) };
        let _ = self.store.swap(Arc::new(next), Some(stored.version)).await.unwrap();
    }

    pub(crate) async fn bind(&self, confirmation: Confirmation) {
        let confirmation = Arc::new(confirmation);
        self.alter(|grant| {
            let State::Active(active) = &mut grant.state else { panic!() };
            active.access[0].confirmation = Some(confirmation);
        })
        .await;
    }

    /// How many grants have been loaded since the last time this was asked.
    pub(crate) fn loads(&self) -> u64 {
        self.counts().loads(Namespace::Grant)
    }

    /// All calls to the store since the last time this was asked.
    pub(crate) fn counts(&self) -> Counts {
        FaultStore::inner(&self.store).take()
    }

    pub(crate) fn layer(&self) -> BearerLayer<Arc<Server>> {
        BearerLayer::new(self.server.clone())
    }
}

/// An API that counts its calls and answers who called.
#[derive(Clone, Default)]
pub(crate) struct Api(Arc<AtomicUsize>);

impl Api {
    pub(crate) fn calls(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn behind<L>(&self, layer: &L) -> L::Service
    where
        L: Layer<Self>,
    {
        layer.layer(self.clone())
    }
}

impl<B> Service<Request<B>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.fetch_add(1, Ordering::SeqCst);
        let who = match request.extensions().get::<Arc<AccessToken>>() {
            Some(token) => format!("{} {}", token.client_id, token.scope),
            None => "nobody".to_owned(),
        };
        std::future::ready(Ok(Response::new(Full::from(who))))
    }
}

/// An answer, with the body as text.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of<S, B>(service: S, request: Request<Full<Bytes>>) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>>,
        S::Error: std::fmt::Debug,
        B: http_body::Body,
        B::Error: std::fmt::Debug,
    {
        let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body: String::from_utf8(body.into()).unwrap() }
    }

    pub(crate) fn challenge(&self) -> &str {
        let all: Vec<_> = self.headers.get_all("www-authenticate").iter().collect();
        let [one] = all[..] else { panic!("{all:?}") };
        one.to_str().unwrap()
    }

    /// Checks what every refusal has, and the status and error code of this one.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.headers["content-type"], "application/json");
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(json["error"], error, "{self:?}");
        assert!(json["error_description"].is_string());
        match status {
            500.. => assert!(!self.headers.contains_key("www-authenticate")),
            _ if error == "unauthorized" => assert!(!self.challenge().contains("error")),
            _ => assert!(self.challenge().contains(&format!("error=\"{error}\"")), "{self:?}"),
        }
    }
}

/// A request with these `Authorization` headers.
pub(crate) fn request<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    for value in values {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        request.headers_mut().append("authorization", value);
    }
    request
}

pub(crate) fn bearer(token: &str) -> Request<Full<Bytes>> {
    request([format!("Bearer {token}")])
}

pub(crate) fn bare() -> Request<Full<Bytes>> {
    Request::new(Full::default())
}

/// What the layer answers in front of an API that would greet anyone.
pub(crate) async fn ask<V: Verifier>(layer: &BearerLayer<V>, request: Request<Full<Bytes>>) -> Answer {
    let api = Api::default();
    let answer = Answer::of(api.behind(layer), request).await;
    assert_eq!(api.calls() > 0, answer.status == 200, "{answer:?}");
    answer
}
