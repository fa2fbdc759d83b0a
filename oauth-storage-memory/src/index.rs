//! Which grants belong to a client, a subject, a session.
//!
//! One set for all three: 32 bits of a seeded hash of the value stand for it, so an entry takes 20 bytes whatever the value's
//! length. Two values that share a hash are told apart when the records are read.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use oauth_core::storage::{Index, Key, Namespace, Record};

use crate::sorted::{Entry, SortedSet};

pub(crate) struct Listings {
    entries: SortedSet,
    hasher: DefaultHashBuilder,
}

/// What a record is listed by.
fn columns(record: &Record) -> [Option<Index<'_>>; 3] {
    [
        record.client_id().map(Index::Client),
        record.subject().map(Index::Subject),
        record.session().map(Index::Session),
    ]
}

impl Listings {
    pub(crate) fn new(hasher: DefaultHashBuilder) -> Self {
        Self { entries: SortedSet::default(), hasher }
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough")]
    fn hash(&self, index: &Index<'_>) -> u32 {
        self.hasher.hash_one(index) as u32
    }

    pub(crate) fn insert(&mut self, record: &Record) {
        for index in columns(record).iter().flatten() {
            self.entries.insert(Entry { hash: self.hash(index), id: *record.key.id() });
        }
    }

    pub(crate) fn remove(&mut self, record: &Record) {
        for index in columns(record).iter().flatten() {
            self.entries.remove(Entry { hash: self.hash(index), id: *record.key.id() });
        }
    }

    /// A record was rewritten; nearly always it is still listed by the same values.
    pub(crate) fn moved(&mut self, old: &Record, new: &Record) {
        if columns(old) != columns(new) {
            self.remove(old);
            self.insert(new);
        }
    }

    /// The keys of one listing after `after`, in order.
    pub(crate) fn range(&self, index: &Index<'_>, after: Option<Key>) -> impl Iterator<Item = Key> + '_ {
        let hash = self.hash(index);
        let first = Entry { hash, id: after.map_or([0; 16], |key| *key.id()) };
        let range = self.entries.range(first, Entry { hash, id: [0xff; 16] });
        range
            .filter(move |entry| after.is_none_or(|key| *key.id() != entry.id))
            .map(|entry| Key::new(Namespace::Grant, entry.id))
    }
}
