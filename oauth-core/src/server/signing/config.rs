//! Which keys sign.

use std::sync::Arc;
use std::time::Duration;

use oauth_jose::{Algorithm, Jwk, LocalKey, Signer};

use super::Keyring;
use crate::server::BuildError;
use crate::server::pending::CLOCK_SKEW;

/// How long a JWT lives unless the server is told otherwise.
pub(in crate::server) const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// How long resource servers may keep the key set, unless said otherwise.
const MAX_AGE: Duration = Duration::from_secs(300);

/// How long a key in the store signs, unless said otherwise.
const ROTATE_EVERY: Duration = Duration::from_secs(90 * 24 * 3600);

/// The keys that sign JWT access tokens.
///
/// ```
/// use oauth_core::server::SigningKeys;
/// use oauth_jose::{Algorithm, LocalKey};
///
/// let key = LocalKey::generate(Algorithm::Es256)?;
/// let keys = SigningKeys::given(key);
/// # Ok::<(), oauth_jose::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigningKeys {
    source: Source,
    max_age: Duration,
    ahead: Duration,
    every: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Source {
    Given { signer: Arc<dyn Signer>, also: Vec<Jwk> },
    Stored(Algorithm),
}

/// Where the keys are, and what follows from it.
pub(in crate::server) enum Kept {
    Here(Keyring),
    InStore(Schedule),
}

/// When keys in the store begin and end.
#[derive(Clone, Debug)]
pub(in crate::server) struct Schedule {
    pub(in crate::server) algorithm: Algorithm,
    /// How long a key is published before it signs.
    pub(in crate::server) ahead: Duration,
    /// How long a key signs; `None` until somebody rotates.
    pub(in crate::server) every: Option<Duration>,
    /// How long a key stays published after the next one has begun to sign.
    pub(in crate::server) keep: Duration,
}

impl Schedule {
    /// Half of the time that a key is published ahead: a set that was read just before is read again before the key signs.
    pub(in crate::server) fn max_age(&self) -> Duration {
        self.ahead / 2
    }
}

impl SigningKeys {
    /// Keys that the host keeps: this one signs. It may be in a KMS or an HSM.
    ///
    /// To change it: publish the next one ([`SigningKeys::also_published`]) for as long as resource servers keep the key set
    /// (twice [`SigningKeys::max_age`] is safe), then sign with it and publish the one before until the last token that it
    /// signed has expired.
    pub fn given(signer: impl Signer) -> Self {
        Self::of(Source::Given { signer: Arc::new(signer), also: Vec::new() })
    }

    /// Keys that are generated at the first start and kept in the store beside the handle keys, wrapped as those are; all
    /// replicas use them, and rotate them every 90 days. Needs
    /// [`ServerBuilder::stored_keys`](crate::server::ServerBuilder::stored_keys).
    pub fn stored(algorithm: Algorithm) -> Self {
        Self::of(Source::Stored(algorithm))
    }

    fn of(source: Source) -> Self {
        Self { source, max_age: MAX_AGE, ahead: 2 * MAX_AGE, every: Some(ROTATE_EVERY) }
    }

    /// Also publishes the public half of a key that signs soon, or has signed before; for keys that the host keeps.
    pub fn also_published(mut self, key: Jwk) -> Self {
        if let Source::Given { also, .. } = &mut self.source {
            also.push(key);
        }
        self
    }

    /// For keys that the host keeps: how long resource servers may keep the key set (`Cache-Control: max-age`). Default 5
    /// minutes.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// For keys in the store: how long a key is published before it signs, default 10 minutes, at least 10 s. Resource
    /// servers may keep the key set for half of it.
    pub fn published_ahead(mut self, ahead: Duration) -> Self {
        self.ahead = ahead.max(Duration::from_secs(10));
        self
    }

    /// For keys in the store: how long each signs; default 90 days. At least twice as long as it is published ahead, and so long
    /// that no key gives way before the last token that it signed has expired.
    pub fn rotated_every(mut self, every: Duration) -> Self {
        self.every = Some(every);
        self
    }

    /// For keys in the store: a key signs until [`Server::rotate_signing_keys`](crate::server::Server::rotate_signing_keys)
    /// is called.
    pub fn rotated_by_hand(mut self) -> Self {
        self.every = None;
        self
    }

    /// What is done where nothing was said: a key that ends with the process, or keys beside the handle keys in the store.
    pub(in crate::server) fn default_for(stored: bool) -> Result<Self, BuildError> {
        if stored {
            return Ok(Self::stored(Algorithm::Es256));
        }
        let key = LocalKey::generate(Algorithm::Es256);
        key.map(Self::given).map_err(|error| BuildError::SigningKey(error.to_string()))
    }

    /// `lifetime` is that of the tokens, `stored` whether handle keys are in the store.
    pub(in crate::server) fn kept(self, lifetime: Duration, stored: bool) -> Result<Kept, BuildError> {
        match self.source {
            Source::Stored(_) if !stored => {
                Err(BuildError::SigningKey("SigningKeys::stored needs .stored_keys(..)".to_owned()))
            }
            Source::Stored(algorithm) => Ok(Kept::InStore(Schedule {
                algorithm,
                ahead: self.ahead,
                every: self.every.map(|every| every.max(2 * self.ahead).max(lifetime / 16)),
                keep: lifetime + CLOCK_SKEW,
            })),
            Source::Given { signer, also } => Keyring::new(signer, &also, self.max_age)
                .map(Kept::Here)
                .map_err(|error| BuildError::SigningKey(error.to_string())),
        }
    }
}
