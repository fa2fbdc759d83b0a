//! Attacks through the store (RL): failures at every call, lost answers, stale reads, lies.

mod down;
mod faults;
mod hooks;
mod lies;
mod replicas;
mod restore;

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    API1, APP, Browser, Query, START, Socket, Tokens, World, assert_inactive, assert_json,
    assert_unavailable, basic, encode, secret,
};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::handle::KeyRing;
use oauth_core::server::{ServerBuilder, SubjectStatus};
use oauth_core::storage::testing::{Fault, FaultStore, Op};
use oauth_core::storage::{
    Index, Key, Listing, Namespace, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use oauth_core::token::{GrantType, Permit, Proof, TokenRequest};
use oauth_storage_memory::MemoryStore;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(START))
}

fn memory(clock: &ManualClock) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(clock.clone()))
}

/// A server over a store that can fail, with a client in the store.
async fn faulty() -> (World, FaultStore<MemoryStore>) {
    let clock = clock();
    let store = FaultStore::calm(memory(&clock));
    let world = World::over(store.clone(), clock, |builder| builder.client_cache(Duration::ZERO));
    let client = Client::confidential("late", &ClientSecret::from_text(secret("late")));
    let client = client.redirect_uri(APP).scope("read write").resource(API1).build().expect("a client");
    world.server.clients().put(client).await.expect("stores");
    (world, store)
}

/// How many calls a request makes while nothing fails.
fn calls(store: &FaultStore<MemoryStore>) -> u64 {
    store.calls().len() as u64
}
