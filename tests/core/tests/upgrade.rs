//! Two releases on one store: a later one, whose records have members that the earlier one does not know, and the earlier.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use core_tests::{Assertion, ISSUER, VERIFIER, World};
use oauth_core::clock::Timestamp;
use oauth_core::error::ErrorCode;
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{
    Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use rmpv::Value;

type Rows = HashMap<Key, (Version, Timestamp, Vec<u8>)>;

/// Holds bytes, as an engine does. A later release adds members to whatever it writes.
#[derive(Clone, Debug)]
struct Release {
    rows: Arc<Mutex<Rows>>,
    later: bool,
}

/// The stored bytes with one more member in each struct.
fn with_later_members(stored: &[u8]) -> Vec<u8> {
    fn add(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(add),
            Value::Map(members) => {
                members.iter_mut().for_each(|(_, value)| add(value));
                // The name of an enum's variant stands alone.
                if members.iter().all(|(name, _)| name.as_str().is_some_and(|name| name.len() == 1)) {
                    members.push(("later".into(), Value::Array(vec![Value::Nil, 7.into()])));
                }
            }
            _ => {}
        }
    }
    let mut body = rmpv::decode::read_value(&mut &stored[1..]).unwrap();
    add(&mut body);
    let mut bytes = vec![stored[0]];
    rmpv::encode::write_value(&mut bytes, &body).unwrap();
    bytes
}

#[async_trait]
impl Store for Release {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let rows = self.rows.lock().unwrap();
        let Some((version, retain_until, bytes)) = rows.get(key) else { return Ok(None) };
        Ok(Some(Arc::new(Record::decode(*key, *version, *retain_until, bytes)?)))
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let mut rows = self.rows.lock().unwrap();
        let stored = rows.get(&next.key).map(|(version, ..)| *version);
        if stored == Some(next.version) {
            return Ok(Swap::Swapped);
        }
        if stored != expected {
            return Ok(Swap::Stale);
        }
        let bytes = next.encode();
        let bytes = if self.later { with_later_members(&bytes) } else { bytes };
        rows.insert(next.key, (next.version, next.retain_until, bytes));
        Ok(Swap::Swapped)
    }

    async fn list(&self, _index: Index<'_>, _page: Page) -> StoreResult<Listing> {
        Err(StoreError::unavailable("nothing is listed here"))
    }

    async fn purge(&self, _now: Timestamp, _limit: usize) -> StoreResult<Purged> {
        Err(StoreError::unavailable("nothing is purged here"))
    }
}

/// The earlier release and the later one, with one browser.
fn both() -> (World, World, Arc<Mutex<Rows>>) {
    let world = World::new();
    let rows = Arc::default();
    let release = |later, seed| {
        let store = Release { rows: Arc::clone(&rows), later };
        world.beside(World::server(ISSUER, seed, store, &world.clock, |builder| {
            let device = oauth_core::client::Client::public("device");
            let device = device.grant_types(["urn:example:assertion", "refresh_token"]).scope("read");
            builder.grant_type(Assertion).client(device)
        }))
    };
    let (earlier, later) = (release(false, 1), release(true, 2));
    (earlier, later, rows)
}

#[test]
fn rl_17_each_release_takes_what_the_other_gave() {
    let (earlier, later, rows) = both();
    block_on(async {
        for (one, other) in [(&earlier, &later), (&later, &earlier)] {
            let code = one.approve("web", "alice").await.unwrap();
            let tokens = other.redeem("web", &code).await.unwrap();
            assert!(one.works(&tokens.access_token).await && other.works(&tokens.access_token).await);
            let first = tokens.refresh_token.unwrap();
            let second = one.refresh("web", &first, &[]).await.unwrap();
            let retried = other.refresh("web", &first, &[]).await.unwrap();
            assert_eq!(
                retried.access_token, second.access_token,
                "the lost answer is given again by the other"
            );
            let third = other.refresh("web", &second.refresh_token.unwrap(), &[]).await.unwrap();
            // What the one has rotated, the other knows as used.
            let reused = one.refresh("web", &first, &[]).await.unwrap_err();
            assert_eq!(reused.code(), ErrorCode::InvalidGrant);
            assert!(!other.works(&third.access_token).await);
        }
        let rows = rows.lock().unwrap();
        assert!(rows.values().any(|(_, _, bytes)| bytes.windows(5).any(|part| part == b"later")));
    });
}

#[test]
fn rl_17_a_proof_that_one_release_has_taken_the_other_refuses() {
    let (earlier, later, _) = both();
    block_on(async {
        for (jti, one, other) in [("1", &earlier, &later), ("2", &later, &earlier)] {
            let body = core_tests::form(&[
                ("client_id", "device"),
                ("grant_type", "urn:example:assertion"),
                ("assertion", &format!("{jti}.alice")),
            ]);
            let ask =
                async |world: &World| world.server.token(&http::HeaderMap::new(), body.as_bytes()).await;
            assert!(ask(one).await.is_ok());
            assert_eq!(ask(other).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        }
        // A code that one has redeemed stays redeemed for the other.
        let code = later.approve("web", "bob").await.unwrap();
        let tokens = later.redeem("web", &code).await.unwrap();
        let pairs = [("grant_type", "authorization_code"), ("code", &*code), ("code_verifier", VERIFIER)];
        assert_eq!(earlier.token("web", &pairs).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        assert!(
            !later.works(&tokens.access_token).await,
            "a replay ends the grant, whichever release sees it"
        );
    });
}
