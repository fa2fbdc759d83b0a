//! Listing and purging.

use super::{Key, Record};

/// What to list grants by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Index<'a> {
    /// All grants of a client.
    Client(&'a str),
    /// All grants of a subject (resource owner).
    Subject(&'a str),
    /// All grants that were approved in a session of the host.
    Session(&'a str),
}

impl Index<'_> {
    /// Whether the record belongs into this listing.
    pub fn matches(&self, record: &Record) -> bool {
        match self {
            Self::Client(client) => record.client_id() == Some(client),
            Self::Subject(subject) => record.subject() == Some(subject),
            Self::Session(session) => record.session() == Some(session),
        }
    }
}

/// Which part of a listing to answer.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Continue after this key, the [`Listing::next`] of the page before; `None` for the first page.
    pub after: Option<Key>,
    /// At most this many keys, at least one.
    pub limit: usize,
}

impl Page {
    /// The first page.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    /// The page after `key`.
    pub fn after(key: Key, limit: usize) -> Self {
        Self { after: Some(key), limit }
    }
}

/// One page of keys.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The keys, in the store's order.
    pub keys: Vec<Key>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<Key>,
}

/// What [`Store::purge`](super::Store::purge) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many records were deleted.
    pub deleted: usize,
    /// Whether more records wait to be deleted.
    pub more: bool,
}
