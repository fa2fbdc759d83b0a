//! What both engines' migrations share.

use crate::names::Name;

/// A migration failed; what it had done so far was undone.
#[derive(Debug, thiserror::Error)]
#[error("the tables of the store could not be brought up to date")]
pub struct MigrateError(#[from] sqlx::Error);

/// A step that is taken once, in order.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) number: i32,
    pub(crate) sql: &'static str,
}

impl Migration {
    /// Those that are not in the history.
    pub(crate) fn missing<'a>(all: &'a [Self], history: &[i32]) -> impl Iterator<Item = &'a Self> {
        all.iter().filter(|migration| !history.contains(&migration.number))
    }

    pub(crate) fn sql(&self, prefix: &Name) -> String {
        prefix.apply(self.sql)
    }
}
