//! How the keys in the store are kept.

use std::time::Duration;

use oauth_jose::{Algorithm, LocalKey, Signer as _};
use zeroize::Zeroizing;

use super::KeysError;
use crate::handle::{KeyRing, WrappingKey};
use crate::secret::Random;
use crate::storage::{KeyMaterial, Keys, SigningMaterial, StoredKey, StoredSigningKey};

/// Says that the handle keys are generated at the first start and kept in the store, and how.
///
/// ```no_run
/// use oauth_core::handle::WrappingKey;
/// use oauth_core::server::StoredKeys;
///
/// let wrapping = WrappingKey::from_env("OAUTH_WRAPPING_KEY")?;
/// let keys = StoredKeys::new().wrapped_by(wrapping);
/// # Ok::<(), oauth_core::handle::WrappingKeyError>(())
/// ```
///
/// # Security
/// Without [`StoredKeys::wrapped_by`] the database holds the keys as they are. What a thief of it can do then:
/// [`server::keys`](crate::server::keys#security).
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    wrapping: Option<WrappingKey>,
    also: Vec<WrappingKey>,
    keep_previous: Option<Duration>,
    replace_unreadable: bool,
}

impl StoredKeys {
    /// Keys that are stored as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wraps them by a key that the store does not have. Keys that are stored otherwise are wrapped at the next start; older
    /// copies of the store still have them, so rotate.
    pub fn wrapped_by(mut self, key: WrappingKey) -> Self {
        self.wrapping = Some(key);
        self
    }

    /// Also unwraps what another key has wrapped. To change the wrapping key: give all replicas the new one here, then make it
    /// the one that wraps and give the old one here, then drop the old one.
    pub fn also_unwrapped_by(mut self, key: WrappingKey) -> Self {
        self.also.push(key);
        self
    }

    /// How long a key is kept after the next one has begun to mint. Default: the longest lifetime of a grant, by the server's
    /// setting and by the clients given to its builder. A key that is dropped too early costs no session, but reuse of a
    /// refresh token that is older is then refused without ending the grant.
    pub fn keep_previous(mut self, keep: Duration) -> Self {
        self.keep_previous = Some(keep);
        self
    }

    /// Starts with a new key where stored ones cannot be read, because their wrapping key is lost for good. Without this,
    /// such a start fails.
    ///
    /// The sessions go on, as after any loss of keys: [`manual`](crate::manual#when-keys-are-lost).
    pub fn replace_unreadable(mut self) -> Self {
        self.replace_unreadable = true;
        self
    }

    pub(super) fn replaces_unreadable(&self) -> bool {
        self.replace_unreadable
    }

    pub(in crate::server) fn keep_at_least(&mut self, longest_grant: Duration) {
        self.keep_previous.get_or_insert(longest_grant);
    }

    pub(super) fn kept_for(&self) -> Duration {
        self.keep_previous.unwrap_or_default()
    }

    /// The form in which a key is stored.
    pub(super) fn material(
        &self,
        issuer: &str,
        id: crate::handle::KeyId,
        key: &[u8; 32],
        random: &dyn Random,
    ) -> KeyMaterial {
        match &self.wrapping {
            None => KeyMaterial::plain(*key),
            Some(wrapping) => KeyMaterial::wrapped(wrapping.id(), wrapping.wrap(issuer, id, key, random)),
        }
    }

    /// Whether a key is stored in the form that it should have.
    pub(super) fn is_in_form(&self, key: &StoredKey) -> bool {
        // What is wrapped is never stored plain again.
        self.wrapping.as_ref().is_none_or(|wrapping| key.key.wrapped_by() == Some(wrapping.id()))
    }

    /// The bytes of a stored key.
    pub(super) fn read(&self, issuer: &str, stored: &StoredKey) -> Result<Zeroizing<[u8; 32]>, KeysError> {
        let key = match stored.key.as_wrapped() {
            None => stored.key.as_plain().copied().map(Zeroizing::new),
            Some((by, sealed)) => {
                let unwraps = self.wrapping.iter().chain(&self.also).find(|key| key.id() == by);
                let unwraps = unwraps.ok_or_else(|| match &self.wrapping {
                    None => KeysError::Wrapped { key: stored.id, by },
                    Some(given) => KeysError::OtherWrappingKey { key: stored.id, by, given: given.id() },
                })?;
                unwraps.unwrap(issuer, stored.id, sealed)
            }
        };
        // The id is derived from the key: what is stored under another is not what was written.
        key.filter(|key| KeyRing::new(**key).key_ids().eq([stored.id]))
            .ok_or(KeysError::Damaged { key: stored.id })
    }

    /// The form in which a key that signs is stored.
    pub(super) fn signing_material(
        &self,
        issuer: &str,
        key: &LocalKey,
        random: &dyn Random,
    ) -> Result<SigningMaterial, KeysError> {
        let kid = key.key().kid();
        let damaged = |_| KeysError::Signing { kid: kid.into(), why: "could not be written" };
        let der = key.to_pkcs8().map_err(damaged)?;
        Ok(match &self.wrapping {
            None => SigningMaterial::plain(der),
            Some(wrapping) => {
                SigningMaterial::wrapped(wrapping.id(), wrapping.wrap_signing(issuer, kid, &der, random))
            }
        })
    }

    /// Whether a key that signs is stored in the form that it should have.
    pub(super) fn is_signing_in_form(&self, key: &StoredSigningKey) -> bool {
        self.wrapping.as_ref().is_none_or(|wrapping| key.key.wrapped_by() == Some(wrapping.id()))
    }

    /// A stored key that signs.
    pub(super) fn read_signing(
        &self,
        issuer: &str,
        stored: &StoredSigningKey,
    ) -> Result<LocalKey, KeysError> {
        let refused = |why| KeysError::Signing { kid: stored.kid.clone(), why };
        let der = match stored.key.wrapped_by() {
            None => Zeroizing::new(stored.key.bytes().to_vec()),
            Some(by) => {
                let unwraps = self.wrapping.iter().chain(&self.also).find(|key| key.id() == by);
                let unwraps = unwraps.ok_or_else(|| refused("is wrapped by a key that was not given"))?;
                let key = unwraps.unwrap_signing(issuer, &stored.kid, stored.key.bytes());
                key.ok_or_else(|| refused("is damaged"))?
            }
        };
        let algorithm = Algorithm::parse(&stored.algorithm);
        let algorithm = algorithm.ok_or_else(|| refused("has an unknown algorithm"))?;
        let key = LocalKey::from_pkcs8(&der, algorithm).map_err(|_| refused("is damaged"))?;
        Ok(key.with_kid(&stored.kid))
    }

    /// The ring of all stored keys, the one at `minting` first.
    pub(super) fn ring(&self, keys: &Keys, minting: usize) -> Result<KeyRing, KeysError> {
        let current = &keys.ring[minting];
        let mut ring = KeyRing::new(*self.read(&keys.issuer, current)?);
        for other in keys.ring.iter().filter(|key| key.id != current.id) {
            ring = ring.with_previous(*self.read(&keys.issuer, other)?);
        }
        Ok(ring)
    }
}
