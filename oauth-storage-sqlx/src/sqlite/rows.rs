//! What a statement gives, to its end.
//!
//! Where the thread of a connection ends, the driver ends the rows of its query and says nothing: that is told here from a
//! query that has no more of them.

use futures_util::TryStreamExt;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Either, Error, Executor, Sqlite};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// The first row, if there is one.
pub(super) async fn first(
    connection: &mut SqliteConnection,
    statement: Statement,
) -> Result<Option<SqliteRow>, Error> {
    match connection.fetch_many(statement).try_next().await? {
        Some(Either::Right(row)) => Ok(Some(row)),
        Some(Either::Left(_)) => Ok(None),
        None => Err(Error::WorkerCrashed),
    }
}

/// All rows.
pub(super) async fn all(
    connection: &mut SqliteConnection,
    statement: Statement,
) -> Result<Vec<SqliteRow>, Error> {
    let mut steps = connection.fetch_many(statement);
    let mut rows = Vec::new();
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Right(row) => rows.push(row),
            Either::Left(_) => return Ok(rows),
        }
    }
    Err(Error::WorkerCrashed)
}

/// How many rows were written by a statement that gives none.
pub(super) async fn affected(connection: &mut SqliteConnection, statement: Statement) -> Result<u64, Error> {
    match connection.fetch_many(statement).try_next().await? {
        Some(Either::Left(done)) => Ok(done.rows_affected()),
        _ => Err(Error::WorkerCrashed),
    }
}
