//! A server, and tonic's own health service as the API that is protected.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::Server;
use oauth_core::storage::testing::FaultStore;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::BearerLayer;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::Service;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";

pub(crate) struct World {
    pub(crate) server: Arc<Server>,
    pub(crate) store: Arc<FaultStore<MemoryStore>>,
    pub(crate) clock: ManualClock,
    secret: ClientSecret,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
        let store = Arc::new(FaultStore::calm(MemoryStore::with_clock(Arc::new(clock.clone()))));
        let secret = ClientSecret::generate();
        let server = Server::builder("https://as.example", store.clone())
            .clock(clock.clone())
            .client(Client::machine("m2m", &secret).scope("read write"))
            .build()
            .unwrap();
        Self { server, store, clock, secret }
    }

    pub(crate) async fn token(&self, scope: &str) -> String {
        use base64::Engine as _;
        let pair = format!("m2m:{}", self.secret.expose());
        let basic = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::try_from(format!("Basic {basic}")).unwrap());
        let body = format!("grant_type=client_credentials&scope={scope}");
        let response = self.server.token(&headers, body.as_bytes()).await.unwrap();
        let json = serde_json::to_value(&response).unwrap();
        json["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn layer(&self) -> BearerLayer<Arc<Server>> {
        BearerLayer::new(self.server.clone()).clock(self.clock.clone()).grpc()
    }
}

/// The health service, which says that it serves.
pub(crate) async fn health() -> impl Service<
    http::Request<tonic::body::Body>,
    Response = http::Response<tonic::body::Body>,
    Error = Infallible,
    Future: Send,
> + NamedService
+ Clone
+ Send
+ Sync
+ 'static {
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_service_status("", ServingStatus::Serving).await;
    service
}

/// The address of a new listener, and the connections that it accepts.
pub(crate) async fn listen() -> (SocketAddr, TcpListenerStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    (listener.local_addr().unwrap(), TcpListenerStream::new(listener))
}

/// Serves the health service behind the layer.
pub(crate) async fn serve(layer: BearerLayer<Arc<Server>>) -> HealthClient<Channel> {
    let (address, incoming) = listen().await;
    let router = tonic::transport::Server::builder().layer(layer).add_service(health().await);
    tokio::spawn(router.serve_with_incoming(incoming));
    connect(address).await
}

pub(crate) async fn connect(address: SocketAddr) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    HealthClient::new(endpoint.timeout(Duration::from_secs(30)).connect().await.unwrap())
}

/// Calls with these `authorization` entries.
pub(crate) async fn check(
    client: &HealthClient<Channel>,
    entries: &[&str],
) -> Result<Response<HealthCheckResponse>, Status> {
    let mut request = Request::new(HealthCheckRequest::default());
    for entry in entries {
        let value: MetadataValue<Ascii> = entry.parse().unwrap();
        request.metadata_mut().append("authorization", value);
    }
    client.clone().check(request).await
}

/// The challenge of a refusal.
pub(crate) fn challenge(status: &Status) -> &str {
    let all: Vec<_> = status.metadata().get_all("www-authenticate").iter().collect();
    let [one] = all[..] else { panic!("{status:?}") };
    one.to_str().unwrap()
}
