//! The server inside a process: requests of the protocol on a store.

use std::sync::Arc;

use core_tests::{ISSUER, World};
use oauth_core::clock::{ManualClock, SystemClock, Timestamp};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::secret::SystemRandom;
use oauth_core::server::VerifyError;
use oauth_core::storage::Store;

use crate::protocol::{Answer, Request};

/// A server on a store that other processes use too, or the store alone.
#[derive(Debug)]
pub struct Service {
    world: Option<World>,
    store: Arc<dyn Store>,
}

impl Service {
    /// A server with the fixture clients.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let server = World::server(ISSUER, 0, store.clone(), &clock, |own| {
            own.clock(SystemClock).random(SystemRandom)
        });
        Self { world: Some(World::new().beside(server)), store }
    }

    /// A store on which nothing writes by itself.
    pub fn bare(store: Arc<dyn Store>) -> Self {
        Self { world: None, store }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Answer {
        match (request, &self.world) {
            (Request::Store(call), _) => call.answer(&*self.store).await,
            (_, None) => Answer::Failed("there is no server".to_owned()),
            (Request::Approve(subject), Some(world)) => match world.approve("web", &subject).await {
                Ok(code) => Answer::Done(vec![code]),
                Err(error) => Answer::Failed(error.to_string()),
            },
            (Request::Redeem(code), Some(world)) => tokens(world.redeem("web", &code).await),
            (Request::Refresh(token), Some(world)) => tokens(world.refresh("web", &token, &[]).await),
            (Request::Revoke(token), Some(world)) => match world.revoke("web", &token).await {
                Ok(()) => Answer::Done(Vec::new()),
                Err(error) => failed(&error),
            },
            (Request::Verify(token), Some(world)) => match world.server.verify(&token).await {
                Ok(_) => Answer::Done(Vec::new()),
                Err(VerifyError::Invalid(_)) => Answer::Refused,
                Err(error) => Answer::Failed(error.to_string()),
            },
        }
    }
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
