//! Several writes in one transaction.

use std::sync::Arc;

use oauth_core::storage::{Record, StoreError, Swap, Version};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Connection, Error, Row, Sqlite};

use super::rows;
use super::statements::Statements;
use crate::columns::Columns;

/// A write, encoded.
#[derive(Debug)]
pub(super) struct Write {
    record: Arc<Record>,
    expected: Option<Version>,
    body: Vec<u8>,
}

impl Write {
    pub(super) fn new(record: Arc<Record>, expected: Option<Version>) -> Self {
        let body = record.encode();
        Self { record, expected, body }
    }
}

/// Why a batch was not written, or is not known to be.
#[derive(Debug)]
pub(super) enum Failure {
    /// It did not begin.
    Nothing(Arc<Error>),
    /// A statement failed, and the transaction was undone.
    Statement(Arc<Error>),
    /// The commit failed. What the disk holds is not known.
    Commit(Arc<Error>),
}

impl Failure {
    pub(super) fn nothing(error: Error) -> Self {
        Self::Nothing(Arc::new(error))
    }

    /// Whether one write alone may be to blame.
    pub(super) fn is_of_one(&self) -> bool {
        matches!(self, Self::Statement(_))
    }

    pub(super) fn error(&self) -> StoreError {
        match self {
            Self::Nothing(error) | Self::Statement(error) => StoreError::unavailable(error.clone()),
            Self::Commit(error) => StoreError::unknown(error.clone()),
        }
    }
}

/// Runs one write. Most do what they expect to, and a statement is a transaction of its own, without the two more commands.
pub(super) async fn run_one(
    connection: &mut SqliteConnection,
    statements: &Statements,
    write: &Write,
) -> Result<Vec<Swap>, Failure> {
    match rows::affected(connection, attempt(statements, write)).await {
        Ok(1) => Ok(vec![Swap::Swapped]),
        Ok(_) => run(connection, statements, &[write]).await,
        Err(error) if is_undone(&error) => Err(Failure::nothing(error)),
        Err(error) => Err(Failure::Commit(Arc::new(error))),
    }
}

/// Whether the failure of a statement that is its own transaction shows that nothing was committed. A failing disk does not.
fn is_undone(error: &Error) -> bool {
    const ERROR: u32 = 1;
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const READONLY: u32 = 8;
    const TOOBIG: u32 = 18;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    // The lowest byte of an extended code is the primary one.
    code.is_some_and(|code| {
        matches!(code & 0xff, ERROR | BUSY | LOCKED | READONLY | TOOBIG | CONSTRAINT | MISMATCH)
    })
}

/// Runs the writes in one transaction and gives their answers, which are true from its commit on.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    statements: &Statements,
    writes: &[&Write],
) -> Result<Vec<Swap>, Failure> {
    // The write lock first: a transaction that reads before it writes would be refused when another wrote in between.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(Failure::nothing)?;
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        // On failure the transaction is dropped, which undoes it.
        let answer = swap(&mut transaction, statements, write).await;
        answers.push(answer.map_err(|error| Failure::Statement(Arc::new(error)))?);
    }
    transaction.commit().await.map_err(|error| Failure::Commit(Arc::new(error)))?;
    Ok(answers)
}

/// Nobody else writes during the transaction, so asking after a miss is one step with it.
async fn swap(
    connection: &mut SqliteConnection,
    statements: &Statements,
    write: &Write,
) -> Result<Swap, Error> {
    let key = &write.record.key;
    if rows::affected(connection, attempt(statements, write)).await? == 1 {
        return Ok(Swap::Swapped);
    }
    let version = sqlx::query(statements.version()).bind(key.namespace() as u8).bind(key.id().to_vec());
    let Some(stored) = rows::first(connection, version).await? else { return Ok(Swap::Stale) };
    let own = stored.try_get::<&[u8], _>(0)? == write.record.version.as_bytes();
    Ok(if own { Swap::Swapped } else { Swap::Stale })
}

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// Writes if what is stored is what is expected.
fn attempt(statements: &Statements, write: &Write) -> Query {
    match write.expected {
        None => bound(sqlx::query(statements.insert()), write),
        Some(expected) => bound(sqlx::query(statements.update()), write).bind(expected.as_bytes().to_vec()),
    }
}

/// The eleven arguments that an insert and an update share.
fn bound(query: Query, write: &Write) -> Query {
    let Write { record, body, .. } = write;
    let columns = Columns::of(record);
    query
        .bind(record.key.namespace() as u8)
        .bind(record.key.id().to_vec())
        .bind(record.version.as_bytes().to_vec())
        .bind(record.retain_until.as_millis())
        .bind(columns.created_at)
        .bind(columns.expires_at)
        .bind(columns.state)
        .bind(columns.client_id.map(str::to_owned))
        .bind(columns.subject.map(str::to_owned))
        .bind(columns.session.map(str::to_owned))
        .bind(body.clone())
}
