//! What the client learns of a store that hangs or is down.

mod support;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::Timestamp;
use oauth_core::server::Server;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{SECRET, empty, host, machine, send};

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
