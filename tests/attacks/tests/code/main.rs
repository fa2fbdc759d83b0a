//! Attacks on authorization codes (AC): replay, theft, races, confusion.

mod binding;
mod handle;
mod replay;

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{
    API1, Browser, DumpStore, Query, Socket, Tokens, VERIFIER, World, assert_inactive, assert_json,
    assert_page, encode, secret,
};
use http::request::Parts;
use oauth_core::authorize::Login;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::handle::KeyRing;
use oauth_core::secret::SystemRandom;
use oauth_core::server::{Server, ServerBuilder};
use oauth_core::storage::testing::CountingStore;
use oauth_core::storage::{Index, Namespace};
use oauth_storage_memory::MemoryStore;
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::AuthorizationServerLayer;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(attack_tests::START))
}

fn memory(clock: &ManualClock) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(clock.clone()))
}
