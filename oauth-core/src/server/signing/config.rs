//! Which keys sign.

use std::sync::Arc;
use std::time::Duration;

use oauth_jose::{Algorithm, Jwk, LocalKey, Signer};

use super::Keyring;
use crate::server::BuildError;

/// How long a JWT lives unless the server is told otherwise.
pub(in crate::server) const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// How long resource servers may keep the key set, unless said otherwise.
const MAX_AGE: Duration = Duration::from_secs(300);

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
    signer: Arc<dyn Signer>,
    also: Vec<Jwk>,
    max_age: Duration,
}

impl SigningKeys {
    /// Keys that the host keeps: this one signs. It may be in a KMS or an HSM.
    ///
    /// To change it: publish the next one ([`SigningKeys::also_published`]) for as long as resource servers keep the key set
    /// (twice [`SigningKeys::max_age`] is safe), then sign with it and publish the one before until the last token that it
    /// signed has expired.
    pub fn given(signer: impl Signer) -> Self {
        Self { signer: Arc::new(signer), also: Vec::new(), max_age: MAX_AGE }
    }

    /// Also publishes the public half of a key that signs soon, or has signed before.
    pub fn also_published(mut self, key: Jwk) -> Self {
        self.also.push(key);
        self
    }

    /// How long resource servers may keep the key set (`Cache-Control: max-age`). Default 5 minutes.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// A key that ends with the process.
    pub(in crate::server) fn drawn() -> Result<Self, BuildError> {
        LocalKey::generate(Algorithm::Es256)
            .map(Self::given)
            .map_err(|error| BuildError::SigningKey(error.to_string()))
    }

    pub(in crate::server) fn keyring(&self) -> Result<Keyring, BuildError> {
        Keyring::new(self.signer.clone(), &self.also, self.max_age)
            .map_err(|error| BuildError::SigningKey(error.to_string()))
    }
}
