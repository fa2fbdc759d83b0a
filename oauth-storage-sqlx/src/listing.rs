//! Pages of a listing, in the order of the ids.

use oauth_core::storage::{Index, Key, Listing, Page, StoreError, StoreResult};

/// The columns that can be listed by.
pub(crate) const COLUMNS: [&str; 3] = ["client_id", "subject", "session"];

/// Which of [`COLUMNS`], and the value to look for.
pub(crate) fn column(index: Index<'_>) -> StoreResult<(usize, &str)> {
    match index {
        Index::Client(value) => Ok((0, value)),
        Index::Subject(value) => Ok((1, value)),
        Index::Session(value) => Ok((2, value)),
        other => Err(StoreError::unavailable(format!("this release cannot list by {other:?}"))),
    }
}

/// How many rows to ask for: one more than the page holds tells whether there is another page.
pub(crate) fn rows(page: Page) -> i64 {
    i64::try_from(page.limit.max(1)).unwrap_or(i64::MAX).saturating_add(1)
}

pub(crate) fn page(mut keys: Vec<Key>, page: Page) -> Listing {
    let limit = page.limit.max(1);
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().copied().filter(|_| more);
    Listing { keys, next }
}
