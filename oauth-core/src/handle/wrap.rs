//! The key that wraps handle keys where they are stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::KeyId;
use crate::secret::{Random, random_array};
use crate::wiped::Wiped;

const NONCE: usize = 24;
const TAG: usize = 16;

/// The length of a wrapped key in bytes: nonce, encrypted key, tag.
pub const WRAPPED_LEN: usize = NONCE + 32 + TAG;

/// Encrypts the handle keys that are kept in the store (XChaCha20-Poly1305), so that a copy of the store does not hold them.
///
/// ```
/// use oauth_core::handle::{WrappingKey, WrappingKeyError};
///
/// assert!(WrappingKey::parse("too short").unwrap_err().to_string().contains("openssl rand"));
/// // Bytes that count are somebody's example, not a secret.
/// let example = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// assert_eq!(WrappingKey::parse(example).unwrap_err(), WrappingKeyError::Example);
/// ```
///
/// # Security
/// 32 random bytes that are kept apart from the store and its backups: in the environment, or wherever the host keeps secrets.
#[derive(Clone)]
pub struct WrappingKey {
    id: KeyId,
    key: Wiped<32>,
}

/// Why there is no wrapping key. It never shows what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrappingKeyError {
    /// The variable is not there, or empty.
    #[error(
        "the environment variable {0} is not set; put 32 random bytes there, in hex or base64: openssl rand -hex 32"
    )]
    Missing(String),
    /// It does not hold a key.
    #[error(
        "the environment variable {0} does not hold 32 bytes in hex or base64; make some with: openssl rand -hex 32"
    )]
    Variable(String),
    /// The text is no key.
    #[error("a wrapping key is 32 bytes in hex or base64; make some with: openssl rand -hex 32")]
    Text,
    /// All bytes are the same, or each differs from the one before by the same amount.
    #[error("this wrapping key is an example and not a secret; make one with: openssl rand -hex 32")]
    Example,
}

impl WrappingKey {
    /// A key from its bytes.
    pub fn new(key: [u8; 32]) -> Self {
        let [a, b, c, d, ..] = blake3::derive_key("oauth-core 2026 wrapping key id", &key);
        Self { id: KeyId::from_bytes([a, b, c, d]), key: Wiped::new(key) }
    }

    /// Reads a key: 64 hexadecimal digits, or base64 (either alphabet, with or without padding). White space around it is
    /// ignored.
    ///
    /// # Errors
    /// [`WrappingKeyError::Text`], and [`WrappingKeyError::Example`] for what is obviously not random.
    pub fn parse(text: &str) -> Result<Self, WrappingKeyError> {
        let text = text.trim();
        if text.len() == 64 {
            return Self::secret(hex(text.as_bytes()));
        }
        let decode = |engine: &GeneralPurpose| engine.decode(text).ok().map(Zeroizing::new);
        let bytes = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD].into_iter().find_map(decode);
        let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        Self::secret(key)
    }

    fn secret(key: Option<[u8; 32]>) -> Result<Self, WrappingKeyError> {
        let key = key.ok_or(WrappingKeyError::Text)?;
        let step = key[1].wrapping_sub(key[0]);
        if key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
            return Err(WrappingKeyError::Example);
        }
        Ok(Self::new(key))
    }

    /// Reads the key that an environment variable holds, as [`WrappingKey::parse`] does.
    ///
    /// # Errors
    /// [`WrappingKeyError::Missing`], [`WrappingKeyError::Variable`] and [`WrappingKeyError::Example`]: a key that was meant to be there is never done
    /// without.
    pub fn from_env(name: &str) -> Result<Self, WrappingKeyError> {
        match std::env::var(name).map(Zeroizing::new) {
            Ok(text) if !text.trim().is_empty() => Self::parse(&text).map_err(|error| match error {
                WrappingKeyError::Example => error,
                _ => WrappingKeyError::Variable(name.to_owned()),
            }),
            Err(std::env::VarError::NotUnicode(_)) => Err(WrappingKeyError::Variable(name.to_owned())),
            _ => Err(WrappingKeyError::Missing(name.to_owned())),
        }
    }

    /// Names the key; derived from it, stored beside what it wraps, not a secret.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn wrap(
        &self,
        issuer: &str,
        id: KeyId,
        key: &[u8; 32],
        random: &dyn Random,
    ) -> [u8; WRAPPED_LEN] {
        let nonce: [u8; NONCE] = random_array(random);
        let mut sealed = [0; WRAPPED_LEN];
        sealed[..NONCE].copy_from_slice(&nonce);
        let (body, tag) = sealed[NONCE..].split_at_mut(key.len());
        body.copy_from_slice(key);
        let made = self
            .cipher()
            .encrypt_inout_detached(&nonce.into(), &bound(issuer, id), body.into())
            .expect("32 bytes are below the cipher's limit of 256 GiB");
        tag.copy_from_slice(&made);
        sealed
    }

    /// The key that [`WrappingKey::wrap`] wrapped for this issuer and id; `None` if it did not.
    pub(crate) fn unwrap(
        &self,
        issuer: &str,
        id: KeyId,
        sealed: &[u8; WRAPPED_LEN],
    ) -> Option<Zeroizing<[u8; 32]>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (body, tag) = rest.split_first_chunk::<32>()?;
        let mut key = Zeroizing::new(*body);
        let opened = self.cipher().decrypt_inout_detached(
            &(*nonce).into(),
            &bound(issuer, id),
            key.as_mut_slice().into(),
            &<[u8; TAG]>::try_from(tag).ok()?.into(),
        );
        opened.ok().map(|()| key)
    }

    /// Wraps a private key in PKCS#8, of any length.
    pub(crate) fn wrap_signing(&self, issuer: &str, kid: &str, key: &[u8], random: &dyn Random) -> Vec<u8> {
        let nonce: [u8; NONCE] = random_array(random);
        let mut sealed = Vec::with_capacity(NONCE + key.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(key);
        let tag = self
            .cipher()
            .encrypt_inout_detached(
                &nonce.into(),
                &bound_signing(issuer, kid),
                sealed[NONCE..].as_mut().into(),
            )
            .expect("a private key is below the cipher's limit of 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// What [`WrappingKey::wrap_signing`] wrapped for this issuer and id; `None` if it did not.
    pub(crate) fn unwrap_signing(
        &self,
        issuer: &str,
        kid: &str,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (body, tag) = rest.split_last_chunk::<TAG>()?;
        let mut key = Zeroizing::new(body.to_vec());
        let opened = self.cipher().decrypt_inout_detached(
            &(*nonce).into(),
            &bound_signing(issuer, kid),
            key.as_mut_slice().into(),
            &(*tag).into(),
        );
        opened.ok().map(|()| key)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

/// What a wrapped key belongs to: moved to another issuer or id, it does not open.
fn bound(issuer: &str, id: KeyId) -> Vec<u8> {
    [b"oauth-core v1 wrapped handle key", id.as_bytes().as_slice(), issuer.as_bytes()].concat()
}

/// Names the length of the id, so that none of it can pass for a part of the issuer.
fn bound_signing(issuer: &str, kid: &str) -> Vec<u8> {
    let length = u64::try_from(kid.len()).unwrap_or(u64::MAX).to_be_bytes();
    [b"oauth-core v1 wrapped signing key", length.as_slice(), kid.as_bytes(), issuer.as_bytes()].concat()
}

fn hex(text: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(text.chunks_exact(2)) {
        let digit =
            |at: usize| char::from(digits[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(key)
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WrappingKey").field(&self.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SeededRandom;

    #[test]
    fn opens_for_the_same_key_issuer_and_id_only() {
        let (key, other) = (WrappingKey::new([1; 32]), WrappingKey::new([2; 32]));
        let [id, other_id] = [KeyId::from_bytes([1; 4]), KeyId::from_bytes([2; 4])];
        let sealed = key.wrap("https://a.example", id, &[7; 32], &SeededRandom::new(1));
        assert_eq!(*key.unwrap("https://a.example", id, &sealed).unwrap(), [7; 32]);
        assert!(key.unwrap("https://b.example", id, &sealed).is_none());
        assert!(key.unwrap("https://a.example", other_id, &sealed).is_none());
        assert!(other.unwrap("https://a.example", id, &sealed).is_none());
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key.unwrap("https://a.example", id, &flipped).is_none(), "bit {bit}");
        }
        assert!(!sealed.windows(4).any(|window| window == [7; 4]));
    }

    #[test]
    fn a_signing_key_opens_for_the_same_key_issuer_and_id_only() {
        let (key, other) = (WrappingKey::new([1; 32]), WrappingKey::new([2; 32]));
        let sealed = key.wrap_signing("https://a.example", "kid", &[7; 138], &SeededRandom::new(1));
        assert_eq!(**key.unwrap_signing("https://a.example", "kid", &sealed).unwrap(), [7; 138]);
        assert!(key.unwrap_signing("https://b.example", "kid", &sealed).is_none());
        assert!(key.unwrap_signing("dhttps://a.example", "ki", &sealed).is_none());
        assert!(other.unwrap_signing("https://a.example", "kid", &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(key.unwrap_signing("https://a.example", "kid", &sealed[..length]).is_none());
        }
        assert!(!sealed.windows(4).any(|window| window == [7; 4]));
    }

    #[test]
    fn every_usual_spelling_is_read_and_nothing_else() {
        let mut key = [0xfb; 32];
        key[31] = 0xfa;
        let hex = "fb".repeat(31) + "fa";
        let texts = [
            hex.clone(),
            hex.to_uppercase(),
            format!(" {hex}\n"),
            STANDARD.encode(key),
            STANDARD_NO_PAD.encode(key),
            URL_SAFE.encode(key),
            URL_SAFE_NO_PAD.encode(key),
        ];
        for text in texts {
            assert_eq!(WrappingKey::parse(&text).unwrap().id(), WrappingKey::new(key).id(), "{text:?}");
        }
        for text in ["", "fb", &"fg".repeat(32), &"fb".repeat(31), &STANDARD.encode([1; 31]), &"é".repeat(32)]
        {
            assert_eq!(WrappingKey::parse(text).unwrap_err(), WrappingKeyError::Text, "{text:?}");
        }
        for example in ["00".repeat(32), "fb".repeat(32), STANDARD.encode([1; 32])] {
            assert_eq!(WrappingKey::parse(&example).unwrap_err(), WrappingKeyError::Example, "{example}");
        }
    }

    #[test]
    fn a_variable_that_is_not_there_says_what_to_do() {
        let error = WrappingKey::from_env("OAUTH_CORE_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("OAUTH_CORE_TEST_NO_SUCH_VARIABLE is not set"), "{error}");
        // Any variable that surely holds no key.
        let error = WrappingKey::from_env("PATH").unwrap_err();
        assert_eq!(error, WrappingKeyError::Variable("PATH".into()));
    }
}
