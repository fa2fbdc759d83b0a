//! The keys of this moment: one signs, all verify and are published.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use oauth_jose::{CompactSigner, Jwk, JwkSet, Signer, VerifyingKey, VerifyingKeys};

use super::{Schedule, TokenClaims};
use crate::grant::Formats;
use crate::server::Server;
use crate::storage::Version;

/// The `typ` of a JWT access token (RFC 9068 §2.1).
pub(super) const TYP: &str = "at+jwt";

/// The key set document (RFC 7517 §5), and for how long it may be kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeySet {
    /// The document.
    pub json: Arc<[u8]>,
    /// `Cache-Control: max-age`.
    pub max_age: Duration,
}

/// What signs and verifies at this moment.
pub(in crate::server) struct Keyring {
    pub(super) signer: CompactSigner,
    pub(super) keys: VerifyingKeys,
    published: KeySet,
}

/// Everything about signed tokens that a server has.
pub(in crate::server) struct Signing {
    pub(in crate::server) formats: Formats,
    pub(in crate::server) claims: Option<Arc<dyn TokenClaims>>,
    keyring: ArcSwapOption<Keyring>,
    /// For keys in the store.
    schedule: Option<Schedule>,
    /// What the keyring was made from: the version of the record, and the place of the key that signs.
    shown: Mutex<Option<(Version, usize)>>,
}

impl Keyring {
    pub(in crate::server) fn new(
        signer: Arc<dyn Signer>,
        also: &[Jwk],
        max_age: Duration,
    ) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let mut keys = vec![signer.key().clone()];
        for jwk in also {
            let key = VerifyingKey::new(jwk)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let set = JwkSet::new(keys.iter().map(|key| key.jwk().clone()))?;
        let published = KeySet { json: serde_json::to_vec(&set)?.into(), max_age };
        Ok(Self { signer: CompactSigner::new(signer, TYP), keys: VerifyingKeys::new(keys), published })
    }
}

impl Signing {
    pub(in crate::server) fn new(
        formats: Formats,
        claims: Option<Arc<dyn TokenClaims>>,
        keyring: Option<Keyring>,
        schedule: Option<Schedule>,
    ) -> Self {
        let keyring = ArcSwapOption::new(keyring.map(Arc::new));
        Self { formats, claims, keyring, schedule, shown: Mutex::default() }
    }

    pub(in crate::server) fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// Whether the keyring was made from another version, or another key signs by now.
    pub(in crate::server) fn is_new(&self, version: Version, signing: usize) -> bool {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) != Some((version, signing))
    }

    pub(in crate::server) fn show(&self, keyring: Keyring, version: Version, signing: usize) {
        // In one step, so that of two that look at once neither notes down another keyring than the one in use.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        self.keyring.store(Some(Arc::new(keyring)));
        *shown = Some((version, signing));
    }

    pub(super) fn keyring(&self) -> Option<Arc<Keyring>> {
        self.keyring.load_full()
    }
}

impl Server {
    /// The public halves of the keys that sign, have signed or will sign (RFC 7517 §5); empty where nothing is signed.
    pub fn key_set(&self) -> KeySet {
        match &*self.signing.keyring.load() {
            Some(keyring) => keyring.published.clone(),
            None => KeySet { json: (*br#"{"keys":[]}"#).into(), max_age: Duration::from_secs(3600) },
        }
    }
}

impl Server {
    /// Whether [`Server::fresh_key_set`] may know more than [`Server::key_set`].
    pub fn has_stored_signing_keys(&self) -> bool {
        self.signing.schedule.is_some()
    }

    /// The key set, after a look at the store where one is due. A store that fails costs the look, not the answer.
    pub async fn fresh_key_set(&self) -> KeySet {
        if let Err(error) = self.catch_up(self.now()).await {
            tracing::warn!(reason = error.reason(), "key_set_may_be_old");
        }
        self.key_set()
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyring = self.keyring.load();
        f.debug_struct("Signing")
            .field("formats", &self.formats)
            .field("keys", &keyring.as_ref().map(|keyring| &keyring.keys))
            .finish_non_exhaustive()
    }
}
