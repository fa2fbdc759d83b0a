//! Attacks on registration (DC): RFC 7591 and RFC 7592.

mod endpoint;
mod faults;
mod lifetime;
mod manage;
mod metadata;
mod policy;
mod unlisted;

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{API1, Browser, Query, Reply, START, Tokens, VERIFIER, World, basic, encode};
use http::Request;
use http_body_util::Full;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::{DynamicRegistration, ServerBuilder};
use oauth_core::storage::Store;
use oauth_storage_memory::MemoryStore;
use serde_json::{Value, json};

const CALLBACK: &str = "https://mcp.example/cb";
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(START))
}

/// A server that anybody may register with.
fn world() -> World {
    with(|registration| registration)
}

fn with(configure: impl FnOnce(DynamicRegistration) -> DynamicRegistration) -> World {
    let clock = clock();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    over(store, clock, |builder| builder.dynamic_registration(configure(DynamicRegistration::open())))
}

fn over(
    store: impl Store,
    clock: ManualClock,
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> World {
    World::over(store, clock, |builder| configure(builder.scope("write", "change your notes").resource(API1)))
}

/// Metadata of a public client with other members; `null` takes one away.
fn metadata(changes: Value) -> Value {
    let mut metadata = json!({
        "client_name": "The Agent",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    });
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(metadata.as_object_mut().expect("an object").remove(name)),
            value => metadata[name] = value.clone(),
        }
    }
    metadata
}

async fn call(world: &World, method: &str, uri: &str, token: Option<&str>, body: impl ToString) -> Reply {
    let mut request = Request::builder().method(method).uri(uri);
    if method != "GET" && method != "DELETE" {
        request = request.header("content-type", "application/json");
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    world.send(request.body(Full::<bytes::Bytes>::from(body.to_string())).expect("a request")).await
}

async fn register(world: &World, metadata: impl ToString) -> Reply {
    call(world, "POST", "/register", None, metadata).await
}

/// What a client knows after it has registered.
#[derive(Clone, Debug)]
struct Registered {
    id: String,
    uri: String,
    token: String,
    secret: Option<String>,
}

impl Registered {
    #[track_caller]
    fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
        Self {
            id: reply.text("client_id"),
            uri: reply.text("registration_client_uri").replace(attack_tests::ISSUER, ""),
            token: reply.text("registration_access_token"),
            secret: reply.json()["client_secret"].as_str().map(str::to_owned),
        }
    }

    async fn read(&self, world: &World) -> Reply {
        call(world, "GET", &self.uri, Some(&self.token), "").await
    }

    async fn update(&self, world: &World, metadata: impl ToString) -> Reply {
        call(world, "PUT", &self.uri, Some(&self.token), metadata).await
    }

    async fn delete(&self, world: &World) -> Reply {
        call(world, "DELETE", &self.uri, Some(&self.token), "").await
    }

    /// Its metadata with other members, as an update sends them.
    fn with(&self, changes: Value) -> Value {
        let mut metadata = metadata(changes);
        metadata["client_id"] = self.id.as_str().into();
        metadata
    }

    fn query(&self) -> Query {
        Query::of(&self.id).set("redirect_uri", CALLBACK)
    }

    async fn code(&self, world: &World) -> String {
        Browser::signed_in("alice").approve(world, self.query()).await.code()
    }

    async fn post(&self, world: &World, form: &str) -> Reply {
        match &self.secret {
            Some(secret) => world.post("/token", &[("authorization", &basic(&self.id, secret))], form).await,
            None => world.post("/token", &[], &format!("client_id={}&{form}", self.id)).await,
        }
    }

    async fn redeem(&self, world: &World, code: &str) -> Reply {
        let form = format!(
            "grant_type=authorization_code&code={}&code_verifier={VERIFIER}&redirect_uri={}",
            encode(code),
            encode(CALLBACK)
        );
        self.post(world, &form).await
    }

    async fn refresh(&self, world: &World, token: &str) -> Reply {
        self.post(world, &World::refreshment(token)).await
    }

    async fn tokens(&self, world: &World) -> Tokens {
        Tokens::of(&self.redeem(world, &self.code(world).await).await)
    }
}

async fn registered(world: &World) -> Registered {
    Registered::of(&register(world, metadata(json!({}))).await)
}

/// A refusal of the management endpoint: always the same, whatever exists.
#[track_caller]
fn assert_no_such(reply: &Reply) {
    attack_tests::assert_json(reply, 401, "invalid_token");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    let expected = r#"{"error":"invalid_token","error_description":"the token does not work here"}"#;
    assert_eq!(reply.body, expected);
}

async fn records(world: &World) -> usize {
    let mut deleted = 0;
    loop {
        let purged = world.server.store().purge(Timestamp::MAX, 1000).await.expect("purges");
        deleted += purged.deleted;
        if !purged.more {
            return deleted;
        }
    }
}
