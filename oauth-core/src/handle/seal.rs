//! Seals: what the server hands to the browser and reads again, encrypted and bound to where it belongs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

use super::subkeys::Subkeys;
use super::{Handles, KeyId};
use crate::secret::{Random, random_array};

/// The longest seal that is opened, in characters: 32 KiB, which holds about 24 000 bytes.
pub const MAX_SEALED_LEN: usize = 32 * 1024;

/// The step that a seal belongs to; one made for another step does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealPurpose {
    /// A request that continues after a detour.
    Resume,
    /// The request that a consent page shows.
    Consent,
    /// The request that a sign-in page continues with.
    SignIn,
    /// A session of the built-in sign-in.
    Session,
    /// A browser that has been signed in to an account before.
    KnownBrowser,
    /// The device request that a verification page shows.
    Device,
}

impl SealPurpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Resume => b"resume",
            Self::Consent => b"consent",
            Self::SignIn => b"sign-in",
            Self::Session => b"session",
            Self::KnownBrowser => b"known browser",
            Self::Device => b"device",
        }
    }
}

/// Why a seal does not open. To a browser all of them read the same: start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Longer than [`MAX_SEALED_LEN`].
    #[error("seal too long")]
    TooLong,
    /// Not the shape of a seal.
    #[error("malformed seal")]
    Malformed,
    /// Made with a key that is not in the ring (any more).
    #[error("sealed with an unknown key")]
    UnknownKey,
    /// Altered, or made for another issuer, purpose, step or browser.
    #[error("forged seal")]
    Forged,
}

const KEY_ID: usize = 4;
const NONCE: usize = 24;
const TAG: usize = 16;

impl Handles {
    /// Encrypts `plaintext` under the current key (XChaCha20-Poly1305, random 192-bit nonce), bound to the issuer, to
    /// `purpose` and to `associated` (such as [`browser_hash`](super::browser_hash)), none of which it carries.
    ///
    /// Text longer than [`MAX_SEALED_LEN`] is made all the same, and never opened: bound the plaintext.
    ///
    /// # Security
    /// A seal does not expire and opens any number of times: put an expiry inside.
    pub fn seal(
        &self,
        purpose: SealPurpose,
        associated: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> String {
        let nonce: [u8; NONCE] = random_array(random);
        let mut sealed = Vec::with_capacity(KEY_ID + NONCE + plaintext.len() + TAG);
        sealed.extend_from_slice(self.current.id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = cipher(&self.current)
            .encrypt_inout_detached(
                &nonce.into(),
                &bound(purpose, associated),
                (&mut sealed[KEY_ID + NONCE..]).into(),
            )
            .expect("a plaintext in memory is shorter than the cipher's limit of 256 GiB");
        sealed.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens a seal that was made for the same issuer, `purpose` and `associated`, with any key of the ring.
    ///
    /// # Errors
    /// If it was not.
    pub fn open(&self, purpose: SealPurpose, associated: &[u8], text: &str) -> Result<Vec<u8>, SealError> {
        let mut sealed = decode(text)?;
        let (key_id, rest) = sealed.split_first_chunk_mut::<KEY_ID>().ok_or(SealError::Malformed)?;
        let (nonce, rest) = rest.split_first_chunk_mut::<NONCE>().ok_or(SealError::Malformed)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(SealError::Malformed)?;
        let keys = self.key(KeyId::from_bytes(*key_id)).ok_or(SealError::UnknownKey)?;
        cipher(keys)
            .decrypt_inout_detached(
                &(*nonce).into(),
                &bound(purpose, associated),
                (&mut *body).into(),
                &(*tag).into(),
            )
            .map_err(|_| SealError::Forged)?;
        sealed.drain(..KEY_ID + NONCE);
        sealed.truncate(sealed.len() - TAG);
        Ok(sealed)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, SealError> {
    if text.len() > MAX_SEALED_LEN {
        return Err(SealError::TooLong);
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed)
}

fn cipher(keys: &Subkeys) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*keys.seal).into())
}

/// The issuer is in the key already; here the purpose and what the caller binds to, kept apart by their lengths.
fn bound(purpose: SealPurpose, associated: &[u8]) -> Vec<u8> {
    let label = purpose.label();
    let mut bound = Vec::with_capacity(16 + label.len() + associated.len());
    for part in [label, associated] {
        bound.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::{KeyRing, Prefixes, browser_hash};
    use crate::secret::SeededRandom;

    fn handles(issuer: &str, ring: KeyRing) -> Handles {
        Handles::new(issuer, ring, Prefixes::default())
    }

    const ISSUER: &str = "https://as.example";
    const PURPOSES: [SealPurpose; 6] = [
        SealPurpose::Resume,
        SealPurpose::Consent,
        SealPurpose::SignIn,
        SealPurpose::Session,
        SealPurpose::KnownBrowser,
        SealPurpose::Device,
    ];

    #[test]
    fn opens_for_the_same_issuer_purpose_and_browser_only() {
        let (ring, random) = (KeyRing::new([1; 32]), SeededRandom::new(1));
        let here = handles(ISSUER, ring.clone());
        let [mine, theirs] = [browser_hash("mine"), browser_hash("theirs")];
        let text = here.seal(SealPurpose::Consent, &mine, b"request", &random);
        assert_eq!(here.open(SealPurpose::Consent, &mine, &text).unwrap(), b"request");
        assert_eq!(here.open(SealPurpose::Consent, &theirs, &text), Err(SealError::Forged));
        assert_eq!(here.open(SealPurpose::Consent, &[], &text), Err(SealError::Forged));
        for purpose in PURPOSES.into_iter().filter(|purpose| *purpose != SealPurpose::Consent) {
            assert_eq!(here.open(purpose, &mine, &text), Err(SealError::Forged));
        }
        let there = handles("https://as.example/tenant", ring);
        assert_eq!(there.open(SealPurpose::Consent, &mine, &text), Err(SealError::Forged));
    }

    #[test]
    fn every_single_bit_flip_and_truncation_is_refused() {
        let handles = handles(ISSUER, KeyRing::new([1; 32]));
        for plaintext in [&b""[..], b"a", b"ab", b"abc"] {
            let text = handles.seal(SealPurpose::SignIn, b"browser", plaintext, &SeededRandom::new(1));
            assert_eq!(handles.open(SealPurpose::SignIn, b"browser", &text).unwrap(), plaintext);
            for bit in 0..text.len() * 8 {
                let mut bytes = text.clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let Ok(flipped) = String::from_utf8(bytes) else { continue };
                assert!(handles.open(SealPurpose::SignIn, b"browser", &flipped).is_err(), "bit {bit}");
            }
            for end in 0..text.len() {
                assert!(handles.open(SealPurpose::SignIn, b"browser", &text[..end]).is_err());
            }
            for more in ["A", "=", "==", "\n"] {
                assert!(handles.open(SealPurpose::SignIn, b"browser", &format!("{text}{more}")).is_err());
            }
        }
    }

    #[test]
    fn the_ring_rotates_and_a_lost_key_is_told_apart() {
        let random = SeededRandom::new(1);
        let old = handles(ISSUER, KeyRing::new([1; 32]));
        let text = old.seal(SealPurpose::Session, b"", b"alice", &random);
        let rotated = handles(ISSUER, KeyRing::new([2; 32]).with_previous([1; 32]));
        assert_eq!(rotated.open(SealPurpose::Session, b"", &text).unwrap(), b"alice");
        let lost = handles(ISSUER, KeyRing::new([2; 32]));
        assert_eq!(lost.open(SealPurpose::Session, b"", &text), Err(SealError::UnknownKey));
    }

    #[test]
    fn hides_its_content_and_never_repeats() {
        let (handles, random) = (handles(ISSUER, KeyRing::new([1; 32])), SeededRandom::new(1));
        let seal = || handles.seal(SealPurpose::Session, b"", b"alice alice alice alice", &random);
        let (one, two) = (seal(), seal());
        assert_ne!(one[7..], two[7..]);
        let bytes = URL_SAFE_NO_PAD.decode(&one).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"alice"));
    }

    #[test]
    fn too_long_is_refused_before_it_is_decoded() {
        let (handles, random) = (handles(ISSUER, KeyRing::new([1; 32])), SeededRandom::new(1));
        let open = |text: &str| handles.open(SealPurpose::Consent, b"", text);
        assert_eq!(open(&"A".repeat(MAX_SEALED_LEN + 1)), Err(SealError::TooLong));
        assert_eq!(open(&"!".repeat(MAX_SEALED_LEN)), Err(SealError::Malformed));
        let fits = vec![7; 24_000];
        assert_eq!(open(&handles.seal(SealPurpose::Consent, b"", &fits, &random)).unwrap(), fits);
        let long = handles.seal(SealPurpose::Consent, b"", &[7; 25_000], &random);
        assert_eq!(open(&long), Err(SealError::TooLong));
    }
}
