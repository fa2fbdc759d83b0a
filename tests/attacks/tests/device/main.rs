//! Attacks on the device flow (DV): RFC 8628 §5.

mod page;
mod polling;
mod request;

use std::sync::Arc;

use attack_tests::{Browser, Reply, START, Tokens, Users, World, encode};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::{DeviceFlow, ServerBuilder};
use oauth_core::storage::Store;
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::Pages;
use oauth_tower::server::AuthorizationServerLayer;

/// What the device endpoint gave.
struct Started {
    device_code: String,
    user_code: String,
    complete: String,
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(START))
}

/// A server with the device flow, the built-in pages, and the devices `dev`, `dev2` and `box`, which has a secret.
fn world() -> World {
    let clock = clock();
    over(MemoryStore::with_clock(Arc::new(clock.clone())), clock, |builder| builder)
}

fn over(
    store: impl Store,
    clock: ManualClock,
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> World {
    let secret = ClientSecret::from_text(attack_tests::secret("box"));
    let world = World::over(store, clock, |builder| {
        let device = |id| Client::device(id).name("The Screen").scope("read write");
        let with_secret = Client::confidential("box", &secret).grant_types([DeviceFlow::GRANT_TYPE]);
        configure(
            builder
                .device_flow(DeviceFlow::new())
                .client(device("dev"))
                .client(device("dev2"))
                .client(with_secret.scope("read")),
        )
    });
    let pages = Pages::new(world.server.clone(), Users);
    let layer = AuthorizationServerLayer::new(world.server.clone()).pages(pages);
    World::mounted(world.server, world.clock, layer)
}

async fn ask(world: &World, form: &str) -> Reply {
    world.post("/device_authorization", &[], form).await
}

async fn start(world: &World) -> Started {
    let reply = ask(world, "client_id=dev&scope=read").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    Started {
        device_code: reply.text("device_code"),
        user_code: reply.text("user_code"),
        complete: reply.text("verification_uri_complete"),
    }
}

async fn poll_as(world: &World, client_id: &str, device_code: &str) -> Reply {
    world.post("/token", &[], &polling_form(client_id, device_code)).await
}

fn polling_form(client_id: &str, device_code: &str) -> String {
    let grant_type = encode(DeviceFlow::GRANT_TYPE);
    format!("grant_type={grant_type}&client_id={client_id}&device_code={}", encode(device_code))
}

async fn poll(world: &World, device_code: &str) -> Reply {
    poll_as(world, "dev", device_code).await
}

/// A browser that has signed in on the built-in pages.
async fn signed_in(world: &World, user: &str) -> Browser {
    let mut browser = Browser::new();
    let page = browser.get(world, "/sign-in").await;
    let form = format!("form={}&username={user}&password=secret", encode(&page.field("form")));
    let reply = browser.post(world, "/sign-in", &form).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    browser
}

/// Types a code into the verification page.
async fn enter(world: &World, browser: &mut Browser, code: &str) -> Reply {
    let page = browser.get(world, "/device").await;
    let form = format!("form={}&user_code={}", encode(&page.field("form")), encode(code));
    browser.post(world, "/device", &form).await
}

/// The form that answers the confirmation page.
fn answer(page: &Reply, decision: &str) -> String {
    format!("ticket={}&decision={decision}", encode(&page.field("ticket")))
}

async fn decide(world: &World, user: &str, code: &str, decision: &str) {
    let mut browser = signed_in(world, user).await;
    let page = enter(world, &mut browser, code).await;
    let reply = browser.post(world, "/device", &answer(&page, decision)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn connected(world: &World) -> (Started, Tokens) {
    let started = start(world).await;
    decide(world, "alice", &started.user_code, "approve").await;
    let tokens = Tokens::of(&poll(world, &started.device_code).await);
    (started, tokens)
}
