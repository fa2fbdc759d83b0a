//! Who may ask, how often, and what is kept of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attack_tests::{DumpStore, assert_json, basic, secret};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_core::secret::{Random, SystemRandom};
use oauth_storage_memory::MemoryStore;

use super::{ask, clock, connected, decide, over, poll, start, world};

#[tokio::test]
async fn dv_01_a_flood_of_requests_is_limited_and_flows_that_began_go_on() {
    let clock = clock();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(store.clone(), clock, |builder| builder);
    let started = start(&world).await;
    let mut refused = 0;
    for _ in 0..2_000 {
        let reply = ask(&world, "client_id=dev").await;
        match reply.status {
            200 => {}
            _ => {
                assert_json(&reply, 429, "temporarily_unavailable");
                assert!(reply.header("retry-after").is_some());
                refused += 1;
            }
        }
    }
    assert!(refused >= 1_390, "{refused}");
    assert!(store.len() <= 610, "{}", store.len());
    decide(&world, "alice", &started.user_code, "approve").await;
    assert_eq!(poll(&world, &started.device_code).await.status, 200);
    world.clock.advance(Duration::from_secs(3600));
    while world.server.store().purge(world.server.now(), 1000).await.expect("purges").more {}
    assert!(store.len() <= 4, "{store:?}");
}

#[tokio::test]
async fn dv_01_one_address_gets_few() {
    let world = world();
    let from = |address: &str| {
        let mut request = Request::post("/device_authorization")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-forwarded-for", "203.0.113.9")
            .body(Full::<Bytes>::from("client_id=dev"))
            .expect("a request");
        let peer: std::net::SocketAddr = address.parse().expect("an address");
        request.extensions_mut().insert(peer);
        request
    };
    for _ in 0..20 {
        assert_eq!(world.send(from("192.0.2.1:1")).await.status, 200);
    }
    let limited = world.send(from("192.0.2.1:2")).await;
    assert_json(&limited, 429, "temporarily_unavailable");
    assert_eq!(limited.header("retry-after"), Some("10"));
    assert_eq!(world.send(from("192.0.2.2:1")).await.status, 200);
}

#[tokio::test]
async fn dv_02_only_clients_with_the_grant_may_ask() {
    let world = world();
    assert_json(&ask(&world, "client_id=nobody").await, 401, "invalid_client");
    assert_json(&ask(&world, "scope=read").await, 401, "invalid_client");
    assert_json(&ask(&world, "client_id=spa").await, 400, "unauthorized_client");
    assert_json(&ask(&world, "client_id=box").await, 401, "invalid_client");
    let good = basic("box", &secret("box"));
    assert_eq!(world.post("/device_authorization", &[("authorization", &good)], "").await.status, 200);
    let get = world.get("/device_authorization?client_id=dev").await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST, OPTIONS")));
    assert_json(&ask(&world, "client_id=dev&scope=admin").await, 400, "invalid_scope");
    assert_json(&ask(&world, "client_id=dev&resource=https%3A%2F%2Fx.example").await, 400, "invalid_target");
    assert_json(&ask(&world, "client_id=dev&client_id=dev").await, 400, "invalid_request");
}

#[tokio::test]
async fn dv_02_a_server_without_the_flow_has_no_endpoint() {
    let world = attack_tests::World::with_pages();
    assert!(ask(&world, "client_id=spa").await.is_from_app());
    assert!(world.get("/device").await.is_from_app());
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert!(metadata.get("device_authorization_endpoint").is_none());
    let form = super::polling_form("spa", "odc_x");
    assert_json(&world.post("/token", &[], &form).await, 400, "unsupported_grant_type");
}

/// Where 16 bytes are asked for, as for a user code or a version, says first what it was given.
#[derive(Debug)]
struct Repeating(Mutex<VecDeque<[u8; 16]>>);

impl Random for Repeating {
    fn fill(&self, out: &mut [u8]) {
        let mut given = self.0.lock().expect("no panic");
        match (<&mut [u8; 16]>::try_from(&mut *out), given.front()) {
            (Ok(out), Some(_)) => *out = given.pop_front().expect("there is one"),
            _ => SystemRandom.fill(out),
        }
    }
}

#[tokio::test]
async fn dv_12_a_code_that_is_in_use_is_drawn_again() {
    let clock = clock();
    // For each request: a user code, then the version of its record. The second request draws the first one's code.
    let draws = [[0; 16], [1; 16], [0; 16], [2; 16], [7; 16], [3; 16]];
    let random = Repeating(Mutex::new(draws.into()));
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(store.clone(), clock, |builder| builder.random(random));
    let (first, second) = (start(&world).await, start(&world).await);
    assert_eq!((&*first.user_code, &*second.user_code), ("BBBB-BBBB", "KKKK-KKKK"));
    assert_eq!(store.len(), 2);
    decide(&world, "alice", &second.user_code, "approve").await;
    assert_json(&poll(&world, &first.device_code).await, 400, "authorization_pending");
    assert_eq!(poll(&world, &second.device_code).await.status, 200);
}

#[tokio::test]
async fn dv_23_nothing_that_is_stored_tells_a_code() {
    let clock = clock();
    let store = DumpStore::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let world = over(store.clone(), clock, |builder| builder);
    let (started, tokens) = connected(&world).await;
    let text = store.text().to_ascii_uppercase();
    let letters = started.user_code.replace('-', "");
    let hex: String = letters.bytes().map(|byte| format!("{byte:02X}")).collect();
    let hex_shown: String = started.user_code.bytes().map(|byte| format!("{byte:02X}")).collect();
    let secret = |handle: &str| handle[handle.len() - 64..handle.len() - 22].to_ascii_uppercase();
    for never in [
        &started.user_code,
        &letters,
        &hex,
        &hex_shown,
        &secret(&started.device_code),
        &secret(&tokens.refresh),
    ] {
        assert!(!text.contains(never.as_str()), "{never}");
    }
    // 256 random bits in a device code, besides what names its grant.
    assert!(started.device_code.len() > 90, "{}", started.device_code);
}
