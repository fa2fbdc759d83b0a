//! Rate limits, over the service: who is told to wait, and who is not.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Request;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::limit::Unlimited;
use oauth_core::server::{Server, ServerBuilder};
use oauth_storage_memory::MemoryStore;
use oauth_tower::client_address::ForwardedFor;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{Answer, SECRET, basic, empty, machine, post, send};

const HOME: &str = "192.0.2.1:1000";
const ELSEWHERE: &str = "198.51.100.7:1000";

struct Users;

#[async_trait]
impl Credentials for Users {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        match (username, password) {
            (_, "down") => Err("no database".into()),
            ("alice" | "bob", "secret") => Ok(Some(Identity::new(username))),
            _ => Ok(None),
        }
    }
}

struct World {
    service: AuthorizationServerService,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self::with(|builder| builder, |layer| layer)
    }

    fn with(
        server: impl FnOnce(ServerBuilder) -> ServerBuilder,
        layer: impl FnOnce(AuthorizationServerLayer) -> AuthorizationServerLayer,
    ) -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let secret = ClientSecret::from_text(SECRET);
        let builder = Server::builder("https://as.example", store)
            .clock(clock.clone())
            .client(Client::machine("m2m", &secret).scope("read"));
        let server = server(builder).build().unwrap();
        let pages = Pages::new(server.clone(), Users);
        let service = layer(AuthorizationServerLayer::new(server).pages(pages)).into_service();
        Self { service, clock }
    }

    async fn from<B>(&self, peer: &str, mut request: Request<B>) -> Answer
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        request.extensions_mut().insert(peer.parse::<SocketAddr>().unwrap());
        send(&self.service, request).await
    }

    /// A browser that has opened the sign-in page: its cookie, and the field of the form.
    async fn page(&self, peer: &str) -> (String, String) {
        let page = self.from(peer, empty("GET", "/sign-in")).await;
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, rest) = page.text().split_once("name=\"form\" value=\"").unwrap();
        (cookie, rest.split('"').next().unwrap().to_owned())
    }

    async fn sign_in(&self, peer: &str, known: &str, username: &str, password: &str) -> Answer {
        let (cookie, form) = self.page(peer).await;
        let form = format!("form={form}&username={username}&password={password}");
        let mut request = post("/sign-in", &form);
        let cookies = format!("{cookie}; {known}");
        request.headers_mut().insert("cookie", cookies.parse().unwrap());
        self.from(peer, request).await
    }

    async fn wrong_secret(&self, peer: &str, forwarded: &str) -> u16 {
        let mut request = post("/token", "grant_type=client_credentials");
        let mut wrong = basic("m2m").to_str().unwrap().to_owned();
        wrong.replace_range(20..22, "zz");
        request.headers_mut().insert("authorization", wrong.parse().unwrap());
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
        self.from(peer, request).await.status.as_u16()
    }
}

#[tokio::test]
async fn guessing_at_the_token_endpoint_is_slowed_down_by_address() {
    let world = World::new();
    for _ in 0..100 {
        assert_eq!(world.wrong_secret(HOME, "10.0.0.1").await, 401);
    }
    let limited = world.from(HOME, machine("/token", "grant_type=client_credentials")).await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "1"));
    assert_eq!(limited.error(), "temporarily_unavailable");
    assert!(limited.is_not_kept() && limited.header("access-control-allow-origin") == "*");
    // The same client from elsewhere notices nothing, and neither does this one a second later.
    let elsewhere = world.from(ELSEWHERE, machine("/token", "grant_type=client_credentials")).await;
    assert_eq!(elsewhere.status, 200);
    world.clock.advance(Duration::from_secs(1));
    let later = world.from(HOME, machine("/token", "grant_type=client_credentials")).await;
    assert_eq!(later.status, 200);
}

#[tokio::test]
async fn what_succeeds_does_not_count() {
    let world = World::new();
    for _ in 0..300 {
        let answer = world.from(HOME, machine("/token", "grant_type=client_credentials")).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(world.wrong_secret(HOME, "10.0.0.1").await, 401);
}

#[tokio::test]
async fn ex_05_rotating_forwarded_headers_evade_nothing() {
    let world = World::new();
    for at in 0..100 {
        assert_eq!(world.wrong_secret(HOME, &format!("10.0.0.{at}")).await, 401);
    }
    assert_eq!(world.wrong_secret(HOME, "10.9.9.9").await, 429);
    // Behind one proxy the last address counts, and what the client wrote before it does not.
    let world = World::with(|builder| builder, |layer| layer.client_address(ForwardedFor::behind(1)));
    for at in 0..100 {
        assert_eq!(world.wrong_secret(HOME, &format!("10.0.0.{at}, 203.0.113.5")).await, 401);
    }
    assert_eq!(world.wrong_secret(HOME, "10.9.9.9, 203.0.113.5").await, 429);
    assert_eq!(world.wrong_secret(HOME, "203.0.113.5, 203.0.113.6").await, 401);
}

#[tokio::test]
async fn ex_05_one_network_of_ipv6_is_one_client() {
    let world = World::new();
    for at in 0..100 {
        assert_eq!(world.wrong_secret(&format!("[2001:db8:0:1::{at:x}]:1"), "").await, 401);
    }
    assert_eq!(world.wrong_secret("[2001:db8:0:1:ffff::1]:1", "").await, 429);
    assert_eq!(world.wrong_secret("[2001:db8:0:2::1]:1", "").await, 401);
    for at in 0..400 {
        world.wrong_secret(&format!("[2001:db8:1:{:x}::1]:1", at % 200), "").await;
    }
    assert_eq!(world.wrong_secret("[2001:db8:1:f0::1]:1", "").await, 429);
}

#[tokio::test]
async fn password_guessing_ends_with_a_clear_page() {
    let world = World::new();
    for _ in 0..10 {
        let wrong = world.sign_in(HOME, "", "alice", "wrong").await;
        assert!(wrong.status == 200 && wrong.text().contains("The name or the password is not right."));
    }
    // The right password does not help now: otherwise guessing could go on.
    for name in ["alice", "ALICE", "%20alice"] {
        let limited = world.sign_in(HOME, "", name, "secret").await;
        assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "30"), "{name}");
        assert!(limited.text().contains("Please wait 30 seconds, then try again."), "{}", limited.text());
        assert_eq!(limited.header("x-frame-options"), "DENY");
    }
    // Others at this address, and alice elsewhere, are not concerned.
    assert_eq!(world.sign_in(HOME, "", "bob", "secret").await.status, 303);
    assert_eq!(world.sign_in(ELSEWHERE, "", "alice", "secret").await.status, 303);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(world.sign_in(HOME, "", "alice", "secret").await.status, 303);
}

#[tokio::test]
async fn the_owner_of_an_account_is_not_locked_out_by_strangers() {
    let world = World::new();
    let signed_in = world.sign_in(HOME, "", "alice", "secret").await;
    let cookies = signed_in.headers.get_all("set-cookie").iter();
    let known = cookies.map(|own| own.to_str().unwrap()).find(|own| own.starts_with("__Host-oauth-known="));
    let known = known.unwrap().split(';').next().unwrap().to_owned();
    for at in 0..50 {
        world.sign_in(&format!("203.0.113.{at}:1"), "", "alice", "wrong").await;
    }
    assert_eq!(world.sign_in("203.0.113.99:1", "", "alice", "secret").await.status, 429);
    assert_eq!(world.sign_in(HOME, &known, "alice", "secret").await.status, 303);
    // A cookie for one account is worth nothing for another, and a browser that is known guesses no faster.
    for at in 0..50 {
        world.sign_in(&format!("203.0.113.{at}:1"), &known, "bob", "wrong").await;
    }
    assert_eq!(world.sign_in(HOME, &known, "bob", "secret").await.status, 429);
    for _ in 0..10 {
        assert_eq!(world.sign_in(HOME, &known, "alice", "wrong").await.status, 200);
    }
    assert_eq!(world.sign_in(HOME, &known, "alice", "secret").await.status, 429);
}

#[tokio::test]
async fn a_check_that_failed_is_no_attempt() {
    let world = World::new();
    for _ in 0..20 {
        assert_eq!(world.sign_in(HOME, "", "alice", "down").await.status, 503);
    }
    assert_eq!(world.sign_in(HOME, "", "alice", "secret").await.status, 303);
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let world = World::with(|builder| builder.limiter(Unlimited), |layer| layer);
    for _ in 0..200 {
        assert_eq!(world.wrong_secret(HOME, "").await, 401);
    }
}
