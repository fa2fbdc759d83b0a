//! Client secrets: generated, shown once, kept as a hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::Choice;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::constant_time::same;
use crate::fixed_bytes::stored_as_bytes;
use crate::secret::{Random, SystemRandom, random_array};

/// The fewest bytes that a client secret may have.
const MIN_BYTES: usize = 16;
/// The most bytes that a client secret may have.
const MAX_BYTES: usize = 512;

/// A client secret in clear: to be handed to the client's developer once.
///
/// # Security
///
/// It is kept as one SHA-256, which is right for secrets of 256 random bits and wrong for anything a person made up: use
/// [`ClientSecret::generate`].
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// Draws a secret of 256 bits with the prefix `ocs_`, by which secret scanners know it.
    pub fn generate() -> Self {
        Self::generate_from(&SystemRandom)
    }

    /// Draws a secret from a given source.
    pub fn generate_from(random: &dyn Random) -> Self {
        let bytes = Zeroizing::new(random_array::<32>(random));
        let mut text = Zeroizing::new(String::with_capacity(47));
        text.push_str("ocs_");
        URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        Self(text)
    }

    /// A secret that was generated elsewhere. Its length is checked when the client is built: 16 to 512 bytes.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn has_fair_length(&self) -> bool {
        (MIN_BYTES..=MAX_BYTES).contains(&self.0.len()) && !self.0.bytes().any(|byte| byte.is_ascii_control())
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is kept of a client secret. Several may be valid at once, so that a client can change its secret without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHash {
    sha256: Sha256Hash,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl SecretHash {
    /// The hash of a secret.
    pub fn of(secret: &ClientSecret) -> Self {
        Self { sha256: Sha256Hash::of(secret.expose()), expires_at: None }
    }

    /// The same, valid until `expires_at`.
    #[must_use]
    pub fn until(self, expires_at: Timestamp) -> Self {
        Self { expires_at: Some(expires_at), ..self }
    }
}

/// A presented secret, hashed as soon as it was read.
pub(super) struct Presented(Sha256Hash);

impl Presented {
    /// `None` for a secret that no client can have.
    pub(super) fn read(secret: &str) -> Option<Self> {
        (secret.len() <= MAX_BYTES).then(|| Self(Sha256Hash::of(secret)))
    }
}

/// Whether a presented secret is one of those kept. Takes the same time whichever it is, and as long for none.
pub(super) fn matches(hashes: &[SecretHash], Presented(presented): &Presented, now: Timestamp) -> bool {
    let mut found = Choice::from(0);
    for hash in hashes {
        let live = hash.expires_at.is_none_or(|end| now < end);
        found |= same(&hash.sha256.0, &presented.0) & Choice::from(u8::from(live));
    }
    found.into()
}

/// Whether a token is one of those kept, in a time that does not tell which.
pub(crate) fn is_one_of(hashes: &[SecretHash], token: &str, now: Timestamp) -> bool {
    Presented::read(token).is_some_and(|presented| matches(hashes, &presented, now))
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Sha256Hash([u8; 32]);

impl Sha256Hash {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

stored_as_bytes!(Sha256Hash);
