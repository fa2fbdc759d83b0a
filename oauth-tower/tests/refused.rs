//! What the operator and the client learn of a request that is refused: a store that hangs or is down, and the events.

mod support;

use std::fmt::{self, Write};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::Timestamp;
use oauth_core::server::Server;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{SECRET, empty, host, machine, post, send};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

#[derive(Clone, Copy, Debug)]
enum Broken {
    Hangs,
    Fails,
}

#[async_trait]
impl Store for Broken {
    async fn load(&self, _key: &Key) -> StoreResult<Option<Arc<Record>>> {
        match self {
            Self::Hangs => pending().await,
            Self::Fails => Err(StoreError::unavailable("connection refused")),
        }
    }

    async fn swap(&self, _next: Arc<Record>, _expected: Option<Version>) -> StoreResult<Swap> {
        match self {
            Self::Hangs => pending().await,
            Self::Fails => Err(StoreError::unavailable("connection refused")),
        }
    }

    async fn list(&self, _index: Index<'_>, _page: Page) -> StoreResult<Listing> {
        Err(StoreError::unavailable("connection refused"))
    }

    async fn purge(&self, _now: Timestamp, _limit: usize) -> StoreResult<Purged> {
        Err(StoreError::unavailable("connection refused"))
    }
}

fn service(store: Broken) -> AuthorizationServerService {
    let client = Client::machine("m2m", &ClientSecret::from_text(SECRET)).scope("read");
    let server = Server::builder("https://as.example", store).client(client).build().unwrap();
    AuthorizationServerLayer::new(server).host(host()).deadline(Duration::from_secs(2)).into_service()
}

const TOKEN: &str = "grant_type=client_credentials";

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_or_fails_is_unavailable() {
    for store in [Broken::Hangs, Broken::Fails] {
        let answer = send(&service(store), machine("/token", TOKEN)).await;
        assert_eq!((answer.status.as_u16(), &*answer.error()), (503, "temporarily_unavailable"), "{store:?}");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        assert!(answer.is_not_kept() && answer.header("access-control-allow-origin") == "*");
        assert!(!answer.text().contains("refused"));

        let page = send(&service(store), empty("GET", "/authorize?client_id=stored")).await;
        assert_eq!((page.status.as_u16(), page.header("x-frame-options")), (503, "DENY"), "{store:?}");
        assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
    }
}

/// Writes down every event of this crate.
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
        metadata.target().starts_with("oauth_")
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

#[tokio::test]
async fn each_refusal_is_one_event_without_secrets() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let last = || log.0.lock().unwrap().drain(..).collect::<Vec<_>>();
    let service = AuthorizationServerLayer::new(support::server()).host(host()).into_service();

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

    send(&self::service(Broken::Fails), machine("/revoke", "token=x")).await;
    send(&self::service(Broken::Fails), machine("/token", TOKEN)).await;
    let lines = last();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("connection refused"), "{lines:?}");
}
