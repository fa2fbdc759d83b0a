//! What the operator learns of a request that is refused. Alone in its process: what listens to events is chosen per process,
//! by whichever thread meets an event first.

mod support;

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::Server;
use oauth_core::storage::testing::{Fault, FaultStore};
use oauth_storage_memory::MemoryStore;
use oauth_tower::server::AuthorizationServerLayer;
use support::{SECRET, empty, host, machine, post, send};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

const TOKEN: &str = "grant_type=client_credentials";

/// Writes down every event of these crates but daily work.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("oauth_") && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// A server whose store is down.
fn failing() -> Arc<Server> {
    let client = Client::machine("m2m", &ClientSecret::from_text(SECRET)).scope("read");
    let store = FaultStore::new(MemoryStore::new(), |_| Some(Fault::Refuse));
    Server::builder("https://as.example", store).client(client).build().unwrap()
}

#[tokio::test]
async fn each_refusal_is_one_event_without_secrets() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let last = || log.0.lock().unwrap().drain(..).collect::<Vec<_>>();
    let service = AuthorizationServerLayer::new(support::server()).host(host()).into_service();
    let failing = AuthorizationServerLayer::new(failing()).into_service();

    // Nobody has said where requests come from: that is told once, and not again.
    send(&service, machine("/token", TOKEN)).await;
    let lines = last();
    assert!(lines.len() == 1 && lines[0].contains("client_address_unknown"), "{lines:?}");
    send(&service, machine("/token", TOKEN)).await;
    assert!(last().is_empty());

    send(&service, machine("/token", "grant_type=password&password=hunter2")).await;
    let lines = last();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["INFO", "endpoint=\"token\"", "error=\"unsupported_grant_type\"", "client_id=m2m"] {
        assert!(lines[0].contains(part), "{lines:?}");
    }

    let secret = "grant_type=client_credentials&client_id=app%1b%0a&client_secret=hunter2-hunter2-hunter2";
    send(&service, post(&format!("/token?{secret}"), secret)).await;
    send(&service, empty("GET", &format!("/token?{secret}"))).await;
    send(&service, empty("GET", &format!("/authorize?{secret}"))).await;
    send(&service, empty("GET", "/authorize?client_id=caf%C3%A9%22")).await;
    send(&service, post("/authorize", "ticket=hunter2&decision=approve")).await;
    let lines = last();
    assert_eq!(lines.len(), 5, "{lines:?}");
    for line in &lines {
        assert!(!line.contains("hunter2") && !line.chars().any(char::is_control), "{line:?}");
    }

    send(&failing, machine("/revoke", "token=x")).await;
    assert!(last().pop().is_some_and(|line| line.contains("client_address_unknown")));
    send(&failing, machine("/token", TOKEN)).await;
    let lines = last();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("injected fault"), "{lines:?}");
}

#[tokio::test]
async fn a_nested_layer_says_where_the_metadata_document_belongs() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let last = || log.0.lock().unwrap().drain(..).collect::<Vec<_>>();
    let layer = |issuer| {
        let server = Server::builder(issuer, MemoryStore::new()).build().unwrap();
        AuthorizationServerLayer::new(server)
    };
    let nested = layer("https://as.example/t1").mount_at("/");
    drop(nested.clone().into_service());
    let lines = last();
    assert!(lines.iter().all(|line| line.starts_with("INFO")), "{lines:?}");
    assert!(lines[0].contains("/.well-known/oauth-authorization-server/t1"), "{lines:?}");
    for at_home in [layer("https://as.example/t1"), layer("https://as.example").mount_at("/")] {
        drop(at_home.into_service());
    }
    #[cfg(feature = "axum")]
    drop(nested.well_known_router::<()>());
    assert_eq!(last(), Vec::<String>::new());
}
