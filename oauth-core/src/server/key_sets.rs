//! The keys that clients publish at a `jwks_uri`: fetched when they are needed, kept as long as their headers say.
//!
//! An unknown `kid` asks for another fetch, at most once in [`COOL_DOWN`]; so does a failure. While the host is down the last
//! good keys count, for up to [`STALE`]. A fetch that was not tried since too many were in flight is not remembered.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hashbrown::HashMap;
use oauth_jose::{MAX_SET, VerifyingKeys};

use super::Server;
use crate::client::{ClientKeysError, read_keys};
use crate::clock::Timestamp;
use crate::fetch::{FetchError, freshness};

/// How often a set is fetched at most.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// How long a set counts, whatever its headers say.
const FRESH_MIN: Duration = Duration::from_secs(300);
const FRESH_MAX: Duration = Duration::from_secs(24 * 3600);
const FRESH_DEFAULT: Duration = Duration::from_secs(3600);
/// How long the last good keys count while their host is down.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many sets are remembered. When full, those that are not fresh go, or else all.
const CAPACITY: usize = 1024;

/// Why there are no keys; for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("there is no fetcher for jwks_uri")]
    NoFetcher,
    #[error("the keys could not be fetched a moment ago")]
    Recently,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Keys(#[from] ClientKeysError),
}

#[derive(Debug, Default)]
pub(super) struct KeySets(RwLock<HashMap<Arc<str>, KeySet>>);

#[derive(Clone, Debug)]
struct KeySet {
    keys: Option<Arc<VerifyingKeys>>,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
    tried_at: Timestamp,
}

impl KeySets {
    fn get(&self, uri: &str) -> Option<KeySet> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(uri).cloned()
    }

    fn put(&self, uri: &Arc<str>, set: KeySet, now: Timestamp) {
        let mut sets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= CAPACITY && !sets.contains_key(uri) {
            sets.retain(|_, set| now < set.fresh_until);
            if sets.len() >= CAPACITY {
                sets.clear();
            }
        }
        sets.insert(uri.clone(), set);
    }

    /// Gives back the room of what counts no more. Keys that are not fresh stay: their host may be down when they are asked for.
    pub(super) fn sweep(&self, now: Timestamp) {
        let mut sets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let counts = |set: &KeySet| set.keys.is_some() && now < set.fetched_at + STALE;
        sets.retain(|_, set| counts(set) || now < set.tried_at + COOL_DOWN);
        sets.shrink_to_fit();
    }
}

impl Server {
    /// The keys at a URL; `anew` where those that are known do not have the one that is needed.
    pub(super) async fn client_keys(
        &self,
        uri: &Arc<str>,
        anew: bool,
        now: Timestamp,
    ) -> Result<Arc<VerifyingKeys>, KeySetError> {
        let known = self.key_sets.get(uri);
        if let Some(set) = &known
            && (now < set.tried_at + COOL_DOWN || (!anew && now < set.fresh_until))
        {
            return set.keys.clone().ok_or(KeySetError::Recently);
        }
        let fetched = self.fetch_keys(uri).await;
        let known = known.filter(|set| now < set.fetched_at + STALE);
        let (set, result) = match fetched {
            Ok((keys, fresh)) => {
                let set = KeySet {
                    keys: Some(keys.clone()),
                    fetched_at: now,
                    fresh_until: now + fresh,
                    tried_at: now,
                };
                (set, Ok(keys))
            }
            Err(why) => {
                let keys = known.as_ref().and_then(|set| set.keys.clone());
                tracing::warn!(uri = %uri, reason = %why, stale = keys.is_some(), "client_keys_not_fetched");
                if why == KeySetError::Fetch(FetchError::Busy) {
                    return keys.ok_or(why);
                }
                let fetched_at = known.map_or(Timestamp::EPOCH, |set| set.fetched_at);
                (KeySet { keys: keys.clone(), fetched_at, fresh_until: now, tried_at: now }, keys.ok_or(why))
            }
        };
        self.key_sets.put(uri, set, now);
        result
    }

    async fn fetch_keys(&self, uri: &str) -> Result<(Arc<VerifyingKeys>, Duration), KeySetError> {
        let fetcher = self.fetcher.as_ref().ok_or(KeySetError::NoFetcher)?;
        let fetched = fetcher.fetch(uri, MAX_SET).await?;
        let keys = read_keys(&fetched.body)?;
        let fresh = freshness(&fetched.headers).unwrap_or(FRESH_DEFAULT).clamp(FRESH_MIN, FRESH_MAX);
        Ok((Arc::new(keys), fresh))
    }
}
