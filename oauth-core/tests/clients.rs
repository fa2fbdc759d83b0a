//! Where clients come from, how long they are remembered, and what a server refuses to be built with.
#![cfg(feature = "testing")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use oauth_core::client::{Client, ClientSecret, ClientSource};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::error::ErrorCode;
use oauth_core::server::{BuildError, Server, ServerBuilder};
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Index, StoreError, StoreResult};
use oauth_storage_memory::MemoryStore;

const ISSUER: &str = "https://as.example";

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(4_100_000_000))
}

fn builder(clock: &ManualClock) -> ServerBuilder {
    Server::builder(ISSUER, MemoryStore::with_clock(Arc::new(clock.clone()))).clock(clock.clone())
}

fn machine(id: &str, secret: &ClientSecret) -> Client {
    Client::machine(id, secret).scope("read").build().unwrap()
}

fn request(id: &str, secret: &ClientSecret) -> String {
    format!("grant_type=client_credentials&client_id={id}&client_secret={}", secret.expose())
}

/// A host's table, counting how often it is asked.
#[derive(Debug, Default)]
struct Table {
    rows: Mutex<HashMap<String, Arc<Client>>>,
    asked: AtomicUsize,
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<Table>);

#[async_trait]
impl ClientSource for Shared {
    async fn client(&self, client_id: &str) -> StoreResult<Option<Arc<Client>>> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if client_id == "broken" {
            return Err(StoreError::unavailable("the table is locked"));
        }
        Ok(self.0.rows.lock().unwrap().get(client_id).cloned())
    }
}

#[test]
fn a_hosts_table_is_asked_once_within_the_stated_time() {
    let (clock, table, secret) = (clock(), Shared::default(), ClientSecret::generate());
    let put = |client: Client| table.0.rows.lock().unwrap().insert(client.id().to_owned(), Arc::new(client));
    put(machine("m2m", &secret));
    let server =
        builder(&clock).client_source(table.clone()).client_cache(Duration::from_secs(5)).build().unwrap();
    let found = || block_on(server.client("m2m")).unwrap().unwrap();
    assert!(!found().is_disabled());
    put(machine("m2m", &secret).disabled(Timestamp::EPOCH));
    clock.advance(Duration::from_millis(4_999));
    assert!(!found().is_disabled());
    assert_eq!(table.0.asked.load(Ordering::SeqCst), 1);
    clock.advance(Duration::from_millis(1));
    assert!(found().is_disabled());
}

#[test]
fn absence_is_not_remembered_and_a_failure_is_not_absence() {
    let (clock, table, secret) = (clock(), Shared::default(), ClientSecret::generate());
    let server = builder(&clock).client_source(table.clone()).build().unwrap();
    assert!(block_on(server.client("late")).unwrap().is_none());
    table.0.rows.lock().unwrap().insert("late".into(), Arc::new(machine("late", &secret)));
    assert!(block_on(server.client("late")).unwrap().is_some());
    assert_eq!(block_on(server.client("broken")).unwrap_err().code(), ErrorCode::TemporarilyUnavailable);
}

#[test]
fn a_table_that_answers_another_client_is_not_believed() {
    let (clock, table, secret) = (clock(), Shared::default(), ClientSecret::generate());
    table.0.rows.lock().unwrap().insert("asked".into(), Arc::new(machine("answered", &secret)));
    let server = builder(&clock).client_source(table).build().unwrap();
    assert!(block_on(server.client("asked")).unwrap().is_none());
}

#[test]
fn stored_clients_work_at_once_and_disabling_one_ends_its_grants() {
    let (clock, secret) = (clock(), ClientSecret::generate());
    let server = builder(&clock).build().unwrap();
    block_on(
        server.clients().put(
            Client::confidential("job", &secret)
                .secret_in_body()
                .grant_types(["client_credentials"])
                .build()
                .unwrap(),
        ),
    )
    .unwrap();
    let body = request("job", &secret);
    let token = block_on(server.token(&http::HeaderMap::new(), body.as_bytes())).unwrap();
    assert!(block_on(server.verify(&token.access_token)).is_ok());
    clock.advance(Duration::from_secs(1));
    assert_eq!(block_on(server.clients().disable("job")).unwrap(), Some(1));
    assert!(block_on(server.verify(&token.access_token)).is_err());
    let refused = block_on(server.token(&http::HeaderMap::new(), body.as_bytes())).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidClient);
    assert_eq!(block_on(server.clients().disable("nobody")).unwrap(), None);
    assert!(block_on(server.clients().get("job")).unwrap().unwrap().is_disabled());
    assert_eq!(block_on(server.grants().list(Index::Client("job"))).unwrap().len(), 1);
}

#[test]
fn a_server_that_cannot_work_is_not_built() {
    let secret = ClientSecret::generate();
    let cases: Vec<(ServerBuilder, &str)> = vec![
        (Server::builder("as.example", MemoryStore::new()), "https://"),
        (Server::builder("https://as.example/", MemoryStore::new()), "issuer"),
        (Server::builder("http://as.example", MemoryStore::new()), "issuer"),
        (builder(&clock()).client(Client::public("spa")), "redirect_uri"),
        (builder(&clock()).client(machine("a", &secret)).client(machine("a", &secret)), "twice"),
        (
            builder(&clock()).client(Client::machine("a", &secret).grant_types(["urn:example:voucher"])),
            "urn:example:voucher",
        ),
        (builder(&clock()).scope("a b", "two at once"), "one token"),
        (builder(&clock()).scope("a\"b", "a quote"), "scope"),
        (builder(&clock()).code_lifetime(Duration::from_secs(601)), "code_lifetime"),
        (builder(&clock()).code_replay_tolerance(Duration::from_secs(11)), "code_replay_tolerance"),
        (builder(&clock()).retry_window(Duration::from_secs(601)), "retry_window"),
        (builder(&clock()).access_token_lifetime(Duration::ZERO), "access_token_lifetime"),
        (builder(&clock()).max_access_tokens(0), "max_access_tokens"),
        (builder(&clock()).grant_type(oauth_core::token::ClientCredentials), "client_credentials"),
    ];
    for (builder, hint) in cases {
        let error: BuildError = builder.build().unwrap_err();
        assert!(error.to_string().contains(hint), "{error} should mention {hint}");
    }
}
