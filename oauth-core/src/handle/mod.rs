//! Handles: codes and tokens on the wire; and, with the same keys, what travels through the browser.
//!
//! `<prefix>_<base64url, no padding: key id · generation · grant id · secret · tag>`
//!
//! 1. The grant id finds the record; the record's [`Digest`](crate::secret::Digest) of the handle authenticates.
//! 2. The tag filters: junk, truncated and spliced handles are refused without a look at the store, and a genuine old
//!    refresh token is told from a forged one at any age. Only a genuine one may revoke a family.
//! 3. The tag covers kind, issuer, generation, grant id and secret; a handle has exactly one spelling.
//! 4. A handle whose key is not in the ring is not refused: its digest alone decides.
//! 5. Generation and grant id are readable by whoever holds a handle; by default the grant id shows when the grant began.
//!
//! ```
//! use oauth_core::handle::{Authenticity, GrantId, HandleError, Handles, KeyRing, Kind, Prefixes};
//! use oauth_core::secret::{Secret32, SystemRandom};
//!
//! let handles = Handles::new("https://as.example", KeyRing::generate(&SystemRandom), Prefixes::default());
//! let (grant, secret) = (GrantId::new_random(&SystemRandom), Secret32::generate(&SystemRandom));
//! let code = handles.mint(Kind::Code, grant, 0, secret);
//! let (code, digest) = (handles.write(&code), code.digest());
//!
//! let parsed = handles.parse(Kind::Code, &code)?;
//! assert_eq!((parsed.grant, parsed.authenticity), (grant, Authenticity::Genuine));
//! assert_eq!(parsed.digest(), digest);
//! assert_eq!(handles.parse(Kind::Refresh, &code).unwrap_err(), HandleError::WrongKind);
//! # Ok::<(), HandleError>(())
//! ```

mod derive;
mod grant_id;
mod kind;
mod resume;
mod ring;
mod seal;
mod subkeys;
mod user_code;
mod wire;
mod wrap;

pub use derive::{IdContext, Successors, browser_hash};
pub use grant_id::{GrantId, ParseGrantIdError};
pub use kind::{Kind, PrefixError, Prefixes};
pub use resume::ResumeClaims;
pub use ring::{KeyId, KeyRing, KeyRingError, ParseKeyIdError};
pub use seal::{MAX_SEALED_LEN, SealError, SealPurpose};
pub use user_code::UserCode;
pub use wire::{Authenticity, Handle, HandleError};
pub use wrap::{WRAPPED_LEN, WrappingKey, WrappingKeyError};

use crate::secret::Secret32;
use subkeys::Subkeys;

/// Mints and parses the handles of one issuer, derives their secrets, seals and opens what its pages carry.
pub struct Handles {
    issuer: Box<str>,
    prefixes: Prefixes,
    current: Subkeys,
    previous: Vec<Subkeys>,
}

impl Handles {
    /// Every key is derived here, so that minting and parsing cost one hash and one block of a cipher each.
    pub fn new(issuer: &str, ring: KeyRing, prefixes: Prefixes) -> Self {
        Self {
            issuer: issuer.into(),
            prefixes,
            current: Subkeys::new(ring.current(), issuer),
            previous: ring.previous().iter().map(|key| Subkeys::new(key, issuer)).collect(),
        }
    }

    /// Mints with the current key.
    pub fn mint(&self, kind: Kind, grant: GrantId, generation: u32, secret: Secret32) -> Handle {
        Handle::mint(&self.current, kind, grant, generation, secret)
    }

    /// Mints with a given key, to repeat an answer to the letter; `None` if it is not in the ring (any more).
    pub fn mint_with(
        &self,
        key: KeyId,
        kind: Kind,
        grant: GrantId,
        generation: u32,
        secret: Secret32,
    ) -> Option<Handle> {
        Some(Handle::mint(self.key(key)?, kind, grant, generation, secret))
    }

    /// The key that mints.
    pub fn current_key(&self) -> KeyId {
        self.current.id
    }

    fn keys(&self) -> impl Iterator<Item = &Subkeys> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    fn key(&self, id: KeyId) -> Option<&Subkeys> {
        self.keys().find(|keys| keys.id == id)
    }
}

#[cfg(test)]
mod tests;
