//! Calls of a store, and their answers, as words.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Index, Key, Listing, Page, Purged, Record, Store, StoreError, Swap, Version};

use crate::protocol::Answer;

/// A call of a store.
#[derive(Clone, Debug)]
pub enum StoreCall {
    /// [`Store::load`]. The answer is nothing, or version, `retain_until` and body.
    Load(Key),
    /// [`Store::swap`]. Stale is a refusal.
    Swap {
        /// What to write.
        next: Arc<Record>,
        /// The version that is expected.
        expected: Option<Version>,
    },
    /// [`Store::list`]. The answer is the key to go on after, or `-`, and the keys.
    List {
        /// What to list by.
        by: By,
        /// Its value.
        value: String,
        /// Which part.
        page: Page,
    },
    /// [`Store::purge`]. The answer is how many were deleted, and whether more remain.
    Purge(Timestamp, usize),
}

/// An [`Index`] without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// [`Index::Client`].
    Client,
    /// [`Index::Subject`].
    Subject,
    /// [`Index::Session`].
    Session,
}

impl By {
    const WORDS: [(Self, &str); 3] =
        [(Self::Client, "client"), (Self::Subject, "subject"), (Self::Session, "session")];

    fn word(self) -> &'static str {
        Self::WORDS.into_iter().find(|(by, _)| *by == self).expect("each has one").1
    }

    fn read(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(_, known)| *known == word).map(|(by, _)| by)
    }

    fn index(self, value: &str) -> Index<'_> {
        match self {
            Self::Client => Index::Client(value),
            Self::Subject => Index::Subject(value),
            Self::Session => Index::Session(value),
        }
    }
}

impl StoreCall {
    /// A call of [`Store::list`].
    ///
    /// # Panics
    ///
    /// When the index is one that is not known here.
    pub fn list(index: Index<'_>, page: Page) -> Self {
        let (by, value) = match index {
            Index::Client(value) => (By::Client, value),
            Index::Subject(value) => (By::Subject, value),
            Index::Session(value) => (By::Session, value),
            _ => panic!("{index:?} has no word"),
        };
        Self::List { by, value: value.to_owned(), page }
    }

    /// The line.
    pub fn to_line(&self) -> String {
        match self {
            Self::Load(key) => format!("load {}", key_word(key)),
            Self::Swap { next, expected } => {
                let expected = expected.as_ref().map_or_else(nothing, version_word);
                format!("swap {expected} {} {}", key_word(&next.key), record_words(next).join(" "))
            }
            Self::List { by, value, page } => {
                let after = page.after.as_ref().map_or_else(nothing, key_word);
                format!("list {} ={} {after} {}", by.word(), BASE64URL.encode(value), page.limit)
            }
            Self::Purge(now, limit) => format!("purge {} {limit}", now.as_millis()),
        }
    }

    /// Reads the words of a line.
    pub fn of(words: &[&str]) -> Option<Self> {
        Some(match *words {
            ["load", key] => Self::Load(read_key(key)?),
            ["swap", expected, key, version, retain_until, body] => Self::Swap {
                next: Arc::new(read_record(read_key(key)?, [version, retain_until, body])?),
                expected: if expected == "-" { None } else { Some(read_version(expected)?) },
            },
            ["list", by, value, after, limit] => {
                let value = String::from_utf8(BASE64URL.decode(value.strip_prefix('=')?).ok()?).ok()?;
                let after = if after == "-" { None } else { Some(read_key(after)?) };
                Self::List { by: By::read(by)?, value, page: Page { after, limit: limit.parse().ok()? } }
            }
            ["purge", now, limit] => {
                Self::Purge(Timestamp::from_millis(now.parse().ok()?), limit.parse().ok()?)
            }
            _ => return None,
        })
    }

    /// Makes the call.
    pub async fn answer(&self, store: &dyn Store) -> Answer {
        let answer = match self {
            Self::Load(key) => store.load(key).await.map(|found| {
                Answer::Done(found.map_or_else(Vec::new, |record| record_words(&record).into()))
            }),
            Self::Swap { next, expected } => {
                store.swap(next.clone(), *expected).await.map(|swap| match swap {
                    Swap::Swapped => Answer::Done(Vec::new()),
                    Swap::Stale => Answer::Refused,
                })
            }
            Self::List { by, value, page } => store.list(by.index(value), *page).await.map(|listing| {
                let next = listing.next.as_ref().map_or_else(nothing, key_word);
                Answer::Done([next].into_iter().chain(listing.keys.iter().map(key_word)).collect())
            }),
            Self::Purge(now, limit) => store
                .purge(*now, *limit)
                .await
                .map(|purged| Answer::Done(vec![purged.deleted.to_string(), purged.more.to_string()])),
        };
        answer.unwrap_or_else(|error| Answer::Failed(explained(&error)))
    }
}

/// Reads the answer to [`StoreCall::Load`].
pub(crate) fn read_loaded(key: Key, words: &[String]) -> Option<Option<Record>> {
    match words {
        [] => Some(None),
        [version, retain_until, body] => read_record(key, [version, retain_until, body]).map(Some),
        _ => None,
    }
}

/// Reads the answer to [`StoreCall::List`].
pub(crate) fn read_listing(words: &[String]) -> Option<Listing> {
    let (next, keys) = words.split_first()?;
    let next = if next == "-" { None } else { Some(read_key(next)?) };
    Some(Listing { keys: keys.iter().map(|key| read_key(key)).collect::<Option<_>>()?, next })
}

/// Reads the answer to [`StoreCall::Purge`].
pub(crate) fn read_purged(words: &[String]) -> Option<Purged> {
    let [deleted, more] = words else { return None };
    Some(Purged { deleted: deleted.parse().ok()?, more: more.parse().ok()? })
}

/// With its source, in a line.
fn explained(error: &StoreError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {source}").replace('\n', " ")
}

fn nothing() -> String {
    "-".to_owned()
}

fn key_word(key: &Key) -> String {
    BASE64URL.encode(key.to_bytes())
}

fn read_key(word: &str) -> Option<Key> {
    Key::from_bytes(&BASE64URL.decode(word).ok()?)
}

/// A number, which is what a history is made of.
fn version_word(version: &Version) -> String {
    u128::from_be_bytes(*version.as_bytes()).to_string()
}

fn read_version(word: &str) -> Option<Version> {
    Some(Version::from_bytes(word.parse::<u128>().ok()?.to_be_bytes()))
}

/// All but the key.
fn record_words(record: &Record) -> [String; 3] {
    let retain_until = record.retain_until.as_millis().to_string();
    [version_word(&record.version), retain_until, BASE64URL.encode(record.encode())]
}

fn read_record(key: Key, [version, retain_until, body]: [&str; 3]) -> Option<Record> {
    let retain_until = Timestamp::from_millis(retain_until.parse().ok()?);
    Record::decode(key, read_version(version)?, retain_until, &BASE64URL.decode(body).ok()?).ok()
}
