//! Each request for an endpoint is a span that says who asked and what came of it. Alone in its process: what listens to `tracing`
//! is chosen per process.

mod support;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::{DeviceFlow, Server};
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{SECRET, empty, machine, post, send};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Everything that is written to the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

struct Nobody;

#[async_trait]
impl Credentials for Nobody {
    async fn check(&self, _: &str, _: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok(None)
    }
}

fn service() -> AuthorizationServerService {
    let secret = ClientSecret::from_text(SECRET);
    let server = Server::builder("https://as.example", MemoryStore::new())
        .device_flow(DeviceFlow::new())
        .client(Client::machine("m2m", &secret).scope("read"))
        .client(Client::public("app").redirect_uri("https://app.example/cb").scope("read"))
        .client(Client::device("tv").scope("read"))
        .build()
        .unwrap();
    let pages = Pages::new(server.clone(), Nobody);
    AuthorizationServerLayer::new(server).pages(pages).into_service()
}

#[tokio::test]
async fn a_span_says_who_asked_where_and_what_came_of_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let service = service();
    let mut known = machine("/token", "grant_type=client_credentials");
    known.extensions_mut().insert("192.0.2.1:1".parse::<SocketAddr>().unwrap());
    let token = send(&service, known).await;
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains("DEBUG") && lines[0].contains("token_issued client_id=m2m grant_id="),
        "{lines:?}"
    );
    for part in ["oauth_request{endpoint=\"token\" client_id=m2m ", " grant_id=", "outcome=\"ok\"", " close "]
    {
        assert!(lines[1].contains(part), "{lines:?} has no {part}");
    }

    let cases = [
        (machine("/introspect", &format!("token={token}")), "endpoint=\"introspect\" client_id=m2m", "ok"),
        (machine("/revoke", &format!("token={token}")), "endpoint=\"revoke\" client_id=m2m", "ok"),
        (
            machine("/token", "grant_type=password"),
            "endpoint=\"token\" client_id=m2m",
            "unsupported_grant_type",
        ),
        (post("/token", "client_id=no%22body"), "endpoint=\"token\" client_id=no\\\"body", "invalid_client"),
        (
            post("/device_authorization", "client_id=tv"),
            "endpoint=\"device_authorization\" client_id=tv",
            "ok",
        ),
        (empty("GET", "/jwks"), "endpoint=\"jwks\"", "ok"),
        (empty("GET", "/.well-known/oauth-authorization-server"), "endpoint=\"metadata\"", "ok"),
        (empty("GET", "/authorize?client_id=app"), "endpoint=\"authorize\" client_id=app", "invalid_request"),
        (empty("GET", "/sign-in"), "endpoint=\"sign_in\"", "ok"),
        (empty("PUT", "/sign-out"), "endpoint=\"sign_out\"", "invalid_request"),
        (empty("GET", "/device"), "endpoint=\"device\"", "ok"),
    ];
    for (request, about, outcome) in cases {
        let shown = request.uri().path().to_owned();
        send(&service, request).await;
        let lines = log.lines();
        let spans: Vec<_> = lines.iter().filter(|line| line.contains(" close ")).collect();
        assert_eq!(spans.len(), 1, "{shown}: {lines:?}");
        for part in [about, &format!("outcome=\"{outcome}\"")] {
            assert!(spans[0].contains(part), "{shown} has no {part}: {spans:?}");
        }
        let refused = lines.iter().filter(|line| line.contains("request_refused")).count();
        assert_eq!(refused, usize::from(outcome != "ok"), "{shown}: {lines:?}");
        for line in lines {
            assert!(!line.contains(&token[40..]) && !line.contains(SECRET), "{line}");
        }
    }
    send(&service, empty("GET", "/somewhere-else")).await;
    assert_eq!(log.lines(), Vec::<String>::new(), "what is not ours is not in a span of ours");
}
