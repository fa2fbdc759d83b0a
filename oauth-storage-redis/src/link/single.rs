//! One server, over one connection that all tasks share.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisResult};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::{Answers, after_a_lost_delivery, each};
use crate::failure::{Failure, says_farewell};
use crate::inspection::is_replica;

/// The connection is made when it is needed, by one task for all. What an attempt failed with is known to have been sent
/// or not, which the reconnecting connections of the driver do not tell.
pub(crate) struct Single {
    client: Client,
    connect_timeout: Duration,
    /// The open connection with its number.
    current: RwLock<Option<(u64, MultiplexedConnection)>>,
    /// The number of the last connection; held while one is made.
    connecting: Mutex<u64>,
}

impl Single {
    pub(crate) fn new(client: Client, connect_timeout: Duration) -> Self {
        Self { client, connect_timeout, current: RwLock::new(None), connecting: Mutex::new(0) }
    }

    /// All commands here may be delivered twice, so a broken connection is answered by one more delivery.
    pub(crate) async fn send(&self, request: Request<'_>, deadline: Instant) -> Result<Answers, Failure> {
        match self.deliver(request, deadline).await {
            Err(Attempt::Broken(_)) => {
                // Boxed, as all is here that is rare, so that the common future has no room for it.
                let again = Box::pin(self.deliver(request, deadline)).await;
                let again = again.map_err(|attempt| attempt.into_failure().after_a_lost_delivery())?;
                Ok(after_a_lost_delivery(again))
            }
            answer => answer.map_err(Attempt::into_failure),
        }
    }

    async fn deliver(&self, request: Request<'_>, deadline: Instant) -> Result<Answers, Attempt> {
        let (number, mut connection) = match self.current() {
            Some(current) => current,
            None => Box::pin(timeout_at(deadline, self.connection()))
                .await
                .map_err(|elapsed| Attempt::NotSent(elapsed.into()))?
                .map_err(|error| Attempt::NotSent(error.into()))?,
        };
        match timeout_at(deadline, request.send(&mut connection)).await {
            Err(elapsed) => {
                // The path may be dead without a sign of it; the next call finds out on a new connection.
                self.forget(number);
                Err(Attempt::Late(elapsed.into()))
            }
            Ok(Err(error)) => {
                self.forget(number);
                Err(Attempt::Broken(error))
            }
            Ok(Ok(answers)) => {
                let farewell = |answer: &Result<_, Failure>| matches!(answer, Err(Failure::Refused(error)) if says_farewell(error));
                if answers.iter().any(farewell) {
                    self.forget(number);
                }
                Ok(answers)
            }
        }
    }

    fn current(&self) -> Option<(u64, MultiplexedConnection)> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new connection, unless somebody else has made one meanwhile.
    async fn connection(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let mut number = self.connecting.lock().await;
        if let Some(current) = self.current() {
            return Ok(current);
        }
        // The wait for an answer is bounded by each call's own deadline.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(None);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let replication: String = redis::cmd("INFO").arg("replication").query_async(&mut connection).await?;
        if is_replica(&replication) {
            return Err((ErrorKind::Client, "the server is a replica").into());
        }
        *number += 1;
        let current = (*number, connection);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current.clone());
        Ok(current)
    }

    /// Calls under way on it go on; later ones use another.
    fn forget(&self, number: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|(open, _)| *open == number) {
            *current = None;
        }
    }
}

/// What is sent in one go. One command alone takes the driver's shorter way.
#[derive(Clone, Copy)]
pub(crate) enum Request<'a> {
    One(&'a Cmd),
    InOrder(&'a Pipeline),
}

impl Request<'_> {
    async fn send(self, connection: &mut MultiplexedConnection) -> RedisResult<Answers> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await.map(|value| each([value])),
            Self::InOrder(pipeline) => {
                Box::pin(connection.send_packed_commands(pipeline, 0, pipeline.len())).await.map(each)
            }
        }
    }
}

enum Attempt {
    NotSent(Box<dyn std::error::Error + Send + Sync>),
    Late(Box<dyn std::error::Error + Send + Sync>),
    Broken(RedisError),
}

impl Attempt {
    fn into_failure(self) -> Failure {
        match self {
            Self::NotSent(error) => Failure::NotSent(error),
            Self::Late(error) => Failure::Lost(error),
            Self::Broken(error) => Failure::Lost(error.into()),
        }
    }
}
