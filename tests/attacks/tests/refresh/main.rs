//! Attacks on refresh tokens (RT): reuse, races, widening, resurrection.

mod bounds;
mod retry;
mod rotation;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    API1, APP, Browser, Query, START, Socket, Tokens, World, assert_inactive, assert_json, encode, secret,
};
use oauth_core::client::{Client, ClientSecret, Lifetimes};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::grant::Rotation;
use oauth_core::handle::KeyRing;
use oauth_core::secret::SystemRandom;
use oauth_core::server::{ServerBuilder, SubjectStatus};
use oauth_core::storage::testing::CountingStore;
use oauth_core::storage::{Index, Namespace, StoreResult};
use oauth_storage_memory::MemoryStore;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn counting() -> (CountingStore<MemoryStore>, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    (CountingStore::new(MemoryStore::with_clock(Arc::new(clock.clone()))), clock)
}

fn strict(builder: ServerBuilder) -> ServerBuilder {
    builder.retry_window(Duration::ZERO)
}
