//! The server inside a process: requests of the protocol on a store.

use std::sync::Arc;

use core_tests::{ISSUER, World};
use oauth_core::clock::{ManualClock, SystemClock, Timestamp};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::secret::SystemRandom;
use oauth_core::server::VerifyError;
use oauth_core::storage::{Body, Key, Marker, Namespace, Record, Store, Swap, Version};
use oauth_storage_redis::RedisStore;
use oauth_storage_redis::redis::cluster::ClusterClient;
use oauth_storage_sqlx::{PostgresStore, SqliteStore};

use crate::protocol::{Answer, Request};

/// A server on a store that other processes use too.
#[derive(Debug)]
pub struct Service {
    world: World,
    store: Arc<dyn Store>,
}

/// The store of a URL: `sqlite:FILE`, `postgres://…`, `cluster:` with the URLs of Redis nodes, or that of one. With `unsafe_sync` SQLite does not sync.
///
/// # Errors
///
/// What the engine says.
pub async fn open(url: &str, unsafe_sync: bool) -> Result<Arc<dyn Store>, Box<dyn std::error::Error>> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        // A small log is copied often in these tests, and is written back often, which they want to see as well.
        let mut options = SqliteStore::recommended_connect_options(file).pragma("wal_autocheckpoint", "60");
        if unsafe_sync {
            options = options.pragma("synchronous", "OFF");
        }
        let store = SqliteStore::new(SqliteStore::recommended_options().connect_with(options).await?);
        store.migrate().await?;
        return Ok(Arc::new(store));
    }
    if url.starts_with("postgres:") {
        let store = PostgresStore::new(PostgresStore::recommended_options().connect(url).await?);
        store.migrate().await?;
        return Ok(Arc::new(store));
    }
    if let Some(nodes) = url.strip_prefix("cluster:") {
        let client = ClusterClient::new(nodes.split(','))?;
        return Ok(Arc::new(RedisStore::cluster(client).connect().await?));
    }
    Ok(Arc::new(RedisStore::connect(url).await?))
}

impl Service {
    /// A server with the fixture clients.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let server = World::server(ISSUER, 0, store.clone(), &clock, |own| {
            own.clock(SystemClock).random(SystemRandom)
        });
        Self { world: World::new().beside(server), store }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Approve(subject) => match self.world.approve("web", &subject).await {
                Ok(code) => Answer::Done(vec![code]),
                Err(error) => Answer::Failed(error.to_string()),
            },
            Request::Redeem(code) => tokens(self.world.redeem("web", &code).await),
            Request::Refresh(token) => tokens(self.world.refresh("web", &token, &[]).await),
            Request::Revoke(token) => match self.world.revoke("web", &token).await {
                Ok(()) => Answer::Done(Vec::new()),
                Err(error) => failed(&error),
            },
            Request::Verify(token) => match self.world.server.verify(&token).await {
                Ok(_) => Answer::Done(Vec::new()),
                Err(VerifyError::Invalid(_)) => Answer::Refused,
                Err(error) => Answer::Failed(error.to_string()),
            },
            Request::Load(key) => match self.store.load(&marker(key)).await {
                Ok(Some(record)) => {
                    Answer::Done(vec![u128::from_be_bytes(*record.version.as_bytes()).to_string()])
                }
                Ok(None) => Answer::Done(Vec::new()),
                Err(error) => Answer::Failed(error.to_string()),
            },
            Request::Swap { key, expected, next } => {
                let record = Record {
                    key: marker(key),
                    version: version(next),
                    retain_until: Timestamp::MAX,
                    body: Body::Marker(Marker { used_at: Timestamp::EPOCH }),
                };
                match self.store.swap(Arc::new(record), expected.map(version)).await {
                    Ok(Swap::Swapped) => Answer::Done(Vec::new()),
                    Ok(Swap::Stale) => Answer::Refused,
                    Err(error) => Answer::Failed(error.to_string()),
                }
            }
        }
    }
}

fn marker(key: u128) -> Key {
    Key::new(Namespace::Marker, key.to_be_bytes())
}

fn version(number: u128) -> Version {
    Version::from_bytes(number.to_be_bytes())
}

fn tokens(answer: Result<oauth_core::token::TokenResponse, Error>) -> Answer {
    match answer {
        Ok(tokens) => {
            Answer::Done([Some(tokens.access_token), tokens.refresh_token].into_iter().flatten().collect())
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Answer {
    match error.code() {
        ErrorCode::InvalidGrant => Answer::Refused,
        _ => Answer::Failed(error.reason()),
    }
}
