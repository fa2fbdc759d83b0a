//! The writer: takes every write that waits, runs them in one transaction, and answers them after its commit.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oauth_core::storage::{Record, StoreError, StoreResult, Swap, Version};
use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{Mutex as Turn, MutexGuard as TurnGuard, oneshot};

use super::batch::{self, Failure, Write};
use super::statements::Statements;

/// The most writes in one transaction, so that the first of them does not wait long for the last.
const MAX_BATCH: usize = 256;

/// Queues writes. Clones share the queue.
#[derive(Clone)]
pub(super) struct Writer(Arc<Inner>);

struct Inner {
    pool: SqlitePool,
    statements: Arc<Statements>,
    queue: Mutex<Queue>,
    /// Held by the one transaction that this process writes: who waits for SQLite's own lock sleeps between attempts.
    /// Taken after the connection, so that nobody who has the turn waits for a connection.
    turn: Turn<()>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a task empties the queue.
    running: bool,
}

struct Waiting {
    write: Write,
    answer: oneshot::Sender<StoreResult<Swap>>,
}

impl Writer {
    pub(super) fn new(pool: SqlitePool, statements: Arc<Statements>) -> Self {
        Self(Arc::new(Inner { pool, statements, queue: Mutex::default(), turn: Turn::new(()) }))
    }

    /// Queues a write and waits for its answer.
    pub(super) async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let (answer, answered) = oneshot::channel();
        let write = Write::new(next, expected);
        let start = {
            let mut queue = self.0.queue();
            queue.waiting.push(Waiting { write, answer });
            !mem::replace(&mut queue.running, true)
        };
        if start {
            // A task of its own: whoever asked may go away while it works.
            tokio::spawn(drain(Drain { inner: self.0.clone(), emptied: false }));
        }
        let ended = |_| Err(StoreError::unknown("the runtime ended while the write was waiting"));
        answered.await.unwrap_or_else(ended)
    }

    /// The turn to write, for a transaction beside the queue.
    pub(super) async fn turn(&self) -> TurnGuard<'_, ()> {
        self.0.turn.lock().await
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("waiting", &self.0.queue().waiting.len()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Nothing panics while it is held.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits, the oldest first; `None` ends the task that asks.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        if queue.waiting.is_empty() {
            queue.running = false;
            return None;
        }
        let batch = queue.waiting.len().min(MAX_BATCH);
        let rest = queue.waiting.split_off(batch);
        Some(mem::replace(&mut queue.waiting, rest))
    }
}

/// The task that empties the queue. Dropped before it has, as with its runtime, it lets the next write start another one;
/// what waited is not known to have happened.
struct Drain {
    inner: Arc<Inner>,
    emptied: bool,
}

impl Drop for Drain {
    fn drop(&mut self) {
        // Once it has found the queue empty, another task may already be at work.
        if self.emptied {
            return;
        }
        let abandoned = {
            let mut queue = self.inner.queue();
            queue.running = false;
            mem::take(&mut queue.waiting)
        };
        drop(abandoned);
    }
}

/// Writes until nothing waits, on one connection unless it fails.
async fn drain(mut drain: Drain) {
    let inner = &*drain.inner;
    let mut connection = None;
    while let Some(batch) = inner.take() {
        // One write of several may be to blame: the others need not suffer for it.
        for waiting in inner.commit(batch, &mut connection).await {
            inner.commit(vec![waiting], &mut connection).await;
        }
    }
    drain.emptied = true;
}

impl Inner {
    /// Runs a batch and answers it. What it gives back was not written because of one of several, and is to be tried singly.
    async fn commit(&self, batch: Vec<Waiting>, kept: &mut Option<PoolConnection<Sqlite>>) -> Vec<Waiting> {
        let acquired = match kept.take() {
            Some(connection) => Ok(connection),
            None => self.pool.acquire().await,
        };
        let mut connection = match acquired {
            Ok(connection) => connection,
            Err(error) => return refuse(batch, &Failure::nothing(error)),
        };
        let _turn = self.turn.lock().await;
        let writes: Vec<&Write> = batch.iter().map(|waiting| &waiting.write).collect();
        let result = match &writes[..] {
            [write] => batch::run_one(&mut connection, &self.statements, write).await,
            writes => batch::run(&mut connection, &self.statements, writes).await,
        };
        match result {
            Ok(swaps) => {
                *kept = Some(connection);
                for (waiting, swap) in batch.into_iter().zip(swaps) {
                    answer(waiting, Ok(swap));
                }
                Vec::new()
            }
            Err(failure) => {
                // An engine that has undone a transaction by itself leaves the driver's count of them wrong.
                drop(connection.detach());
                if failure.is_of_one() && batch.len() > 1 { batch } else { refuse(batch, &failure) }
            }
        }
    }
}

fn refuse(batch: Vec<Waiting>, failure: &Failure) -> Vec<Waiting> {
    for waiting in batch {
        answer(waiting, Err(failure.error()));
    }
    Vec::new()
}

/// Who no longer waits does not hear it.
fn answer(waiting: Waiting, result: StoreResult<Swap>) {
    drop(waiting.answer.send(result));
}
