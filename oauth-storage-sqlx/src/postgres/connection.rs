//! Connections of the host's pool: none comes back to it in the middle of a statement, and one that somebody waits for is
//! handed on.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::{Connection, Error, Postgres};
use tokio::sync::oneshot;

use super::failure::Failure;

/// How often a connection is handed on before the pool has it again: for its other users, and to end old ones.
const MAX_HANDED_ON: u8 = 32;

pub(super) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// The pool, and who waits for a connection while all of them are in use.
///
/// A connection that comes back to the pool is checked there by a round trip before the next one gets it. With many waiting
/// that is every other round trip, so a connection that has just worked goes straight to the next one who waits.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pool: PgPool,
    waiting: Arc<Mutex<VecDeque<oneshot::Sender<HandedOn>>>>,
}

/// A connection that has worked, and how often it has been handed on.
type HandedOn = (PoolConnection<Postgres>, u8);

impl Connections {
    pub(super) fn of(pool: PgPool) -> Self {
        Self { pool, waiting: Arc::default() }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Takes one.
    pub(super) async fn acquire(&self) -> Result<InUse<'_>, Error> {
        let (connection, handed_on) = match self.pool.try_acquire() {
            Some(connection) => (connection, 0),
            // While the pool still grows, whoever waits makes a new one, and should not be kept from it.
            None if self.pool.size() < self.pool.options().get_max_connections() => {
                (self.pool.acquire().await?, 0)
            }
            None => self.wait().await?,
        };
        Ok(InUse { connections: self, connection: Some(connection), handed_on })
    }

    /// Waits for one from the pool or from whoever has done with one.
    async fn wait(&self) -> Result<HandedOn, Error> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            while waiting.front().is_some_and(oneshot::Sender::is_closed) {
                waiting.pop_front();
            }
            waiting.push_back(sender);
        }
        // Should one come from both sides, that in the channel returns to the pool with it.
        let (mut receiver, mut acquired) = (pin!(receiver), pin!(self.pool.acquire()));
        poll_fn(|context| {
            if let Poll::Ready(Ok(handed_on)) = receiver.as_mut().poll(context) {
                return Poll::Ready(Ok(handed_on));
            }
            acquired.as_mut().poll(context).map_ok(|connection| (connection, 0))
        })
        .await
    }

    /// Gives one to who has waited longest, or back to the pool.
    fn give_back(&self, connection: PoolConnection<Postgres>, handed_on: u8) {
        let mut kept = (connection, handed_on + 1);
        while kept.1 <= MAX_HANDED_ON {
            let Some(next) = self.waiting().pop_front() else { return };
            match next.send(kept) {
                Ok(()) => return,
                // Nobody waits there any more.
                Err(refused) => kept = refused,
            }
        }
    }

    /// Nothing panics while it is held.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<HandedOn>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the broken ones among the idle: where one is, as after a restart of the server, most are.
    pub(super) async fn sweep(&self) {
        let mut working = Vec::new();
        while let Some(connection) = self.pool.try_acquire() {
            let mut connection =
                InUse { connections: self, connection: Some(connection), handed_on: MAX_HANDED_ON };
            let pinged = connection.ping().await;
            // Held until the end, so that none is tested twice.
            if pinged.is_ok() {
                working.push(connection);
            }
        }
        for connection in working {
            drop(connection.done(Ok(())));
        }
    }
}

/// A connection in use. Dropped before its statement's end it is closed: the pool would wait for that end before anybody
/// could use the connection again, and a server that hangs would take all of them.
#[derive(Debug)]
pub(super) struct InUse<'a> {
    connections: &'a Connections,
    connection: Option<PoolConnection<Postgres>>,
    handed_on: u8,
}

impl InUse<'_> {
    /// Runs a statement to its end, which is after the commit, and gives the connection back.
    pub(super) async fn fetch(mut self, query: Query) -> Result<Vec<PgRow>, Failure> {
        let rows = query.fetch_all(&mut *self).await;
        self.done(rows)
    }

    /// Gives it back, if the statement's end shows that it still works.
    fn done<T>(mut self, result: Result<T, Error>) -> Result<T, Failure> {
        let result = result.map_err(Failure::of);
        if !matches!(result, Err(Failure::Lost(_)))
            && let Some(connection) = self.connection.take()
        {
            self.connections.give_back(connection, self.handed_on);
        }
        result
    }
}

impl Deref for InUse<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("taken only by `done` and `drop`")
    }
}

impl DerefMut for InUse<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("taken only by `done` and `drop`")
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}
