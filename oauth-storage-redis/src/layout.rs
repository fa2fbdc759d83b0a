//! How records and indexes lie in Redis.
//!
//! | key | what it holds |
//! | --- | --- |
//! | `{prefix}:r:{key}` | a record: version (16 bytes), `retain_until` (8), nonce (8), digest of the columns (8), body |
//! | `{prefix}:i:{hash}` | sorted by name: the grants of a client, subject or session, each as id (16) and nonce (8) |
//! | `{prefix}:p:{0..15}` | sorted by `retain_until`: an entry for each record, for purging ([`Entry`]) |
//!
//! The nonce is that of the write which last changed what the record is listed by. Since each such write has its own
//! entries, an entry can be removed without looking at what others write under the same key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::clock::Timestamp;
use oauth_core::storage::{Index, Key, Record, StoreError, StoreResult, Version};

/// The sorted sets that purging reads are so many.
pub(crate) const SHARDS: u8 = 16;
/// Version, `retain_until`, nonce, digest.
pub(crate) const HEADER: usize = 40;

/// A [`Key`](oauth_core::storage::Key) as bytes. Purging takes no interest in namespaces: a later release may have more.
pub(crate) type KeyBytes = [u8; 17];
pub(crate) type Nonce = [u8; 8];
/// Eight bytes of a hash of a kind of index and its value.
pub(crate) type Hash = [u8; 8];

/// The names of keys.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) prefix: String,
}

impl Layout {
    pub(crate) fn record(&self, key: &KeyBytes) -> Vec<u8> {
        self.name("r", key)
    }

    pub(crate) fn listing(&self, hash: &Hash) -> Vec<u8> {
        self.name("i", hash)
    }

    pub(crate) fn due(&self, shard: u8) -> Vec<u8> {
        format!("{}:p:{shard}", self.prefix).into_bytes()
    }

    fn name(&self, kind: &str, bytes: &[u8]) -> Vec<u8> {
        let mut name = String::with_capacity(self.prefix.len() + 32);
        name.extend([&self.prefix, ":", kind, ":"]);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut name);
        name.into_bytes()
    }
}

/// In which of the sets for purging a key is. The last byte is random in ids that begin with a time.
pub(crate) fn shard(key: &KeyBytes) -> u8 {
    key[16] % SHARDS
}

/// The hash of a listing; `None` for an index that this release does not know.
pub(crate) fn hash(index: &Index<'_>) -> Option<Hash> {
    let (kind, value) = match index {
        Index::Client(value) => (b'c', value),
        Index::Subject(value) => (b's', value),
        Index::Session(value) => (b'e', value),
        _ => return None,
    };
    Some(short(blake3::Hasher::new().update(&[kind]).update(value.as_bytes())))
}

fn short(hasher: &blake3::Hasher) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    bytes
}

/// What a record is listed by.
fn columns(record: &Record) -> [Option<Index<'_>>; 3] {
    [
        record.client_id().map(Index::Client),
        record.subject().map(Index::Subject),
        record.session().map(Index::Session),
    ]
}

/// Tells whether two records have the same columns.
pub(crate) fn digest(record: &Record) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    for column in [record.client_id(), record.subject(), record.session()] {
        let length = column.map_or(u64::MAX, |column| column.len() as u64);
        hasher.update(&length.to_le_bytes()).update(column.unwrap_or_default().as_bytes());
    }
    short(&hasher)
}

/// The nonce of the place that a write gives.
pub(crate) fn nonce(version: &Version) -> Nonce {
    let mut nonce = [0; 8];
    nonce.copy_from_slice(&version.as_bytes()[..8]);
    nonce
}

/// Where a record is indexed: the listings, and the nonce that its entries there bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) nonce: Nonce,
    pub(crate) hashes: Vec<Hash>,
}

impl Place {
    /// The place that a write gives a record, unless the stored record has the same columns.
    pub(crate) fn of(record: &Record) -> Self {
        let hashes = columns(record).iter().flatten().filter_map(hash).collect();
        Self { nonce: nonce(&record.version), hashes }
    }

    /// The name of a grant in a listing.
    pub(crate) fn listed(&self, key: &KeyBytes) -> Vec<u8> {
        [&key[1..], &self.nonce].concat()
    }
}

/// What a name in a listing stands for.
pub(crate) fn listed_id(name: &[u8]) -> Option<[u8; 16]> {
    name.get(..16)?.try_into().ok()
}

/// An entry for purging. It knows the listings, so that they can be cleaned when the record is gone.
#[derive(Debug)]
pub(crate) struct Entry {
    /// No record was found at that place once, but one may have been about to be written.
    pub(crate) doubted: bool,
    pub(crate) key: KeyBytes,
    pub(crate) place: Place,
}

impl Entry {
    pub(crate) fn to_bytes(&self, doubted: bool) -> Vec<u8> {
        let hashes = self.place.hashes.as_flattened();
        [&[u8::from(doubted)], &self.key[..], &self.place.nonce, hashes].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (doubted, rest) = bytes.split_first()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (nonce, hashes) = rest.split_first_chunk()?;
        let (hashes, _) = hashes.as_chunks();
        let place = Place { nonce: *nonce, hashes: hashes.to_vec() };
        Some(Self { doubted: *doubted != 0, key: *key, place })
    }
}

/// An instant as bytes that sort.
pub(crate) fn instant(time: Timestamp) -> [u8; 8] {
    (time.as_millis() ^ i64::MIN).to_be_bytes()
}

pub(crate) fn from_instant(bytes: [u8; 8]) -> Timestamp {
    Timestamp::from_millis(i64::from_be_bytes(bytes) ^ i64::MIN)
}

/// The record that a value holds.
pub(crate) fn decode(key: Key, value: &[u8]) -> StoreResult<Record> {
    let short = || StoreError::Corrupt("a stored value is shorter than a record's header".into());
    let (header, body) = value.split_first_chunk::<HEADER>().ok_or_else(short)?;
    let (version, rest) = header.split_first_chunk().ok_or_else(short)?;
    let retain_until = rest.first_chunk().ok_or_else(short)?;
    Ok(Record::decode(key, Version::from_bytes(*version), from_instant(*retain_until), body)?)
}
