//! The resume token: how a request finds its way back from a detour.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::subkeys::Subkeys;
use super::{Handles, KeyId, SealError};
use crate::clock::Timestamp;

/// What a resume token vouches for: that this request, in this browser, had come this far at that time.
///
/// Readable by whoever holds the token, alterable by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumeClaims {
    /// The digest of the raw request, whose parameters come back beside the token.
    pub digest: [u8; 32],
    /// When the request first arrived: a `prompt=login` is met by a later authentication.
    pub started: Timestamp,
    /// How far it had come.
    pub step: u8,
}

/// Key id 4, digest 32, start 8 (big endian milliseconds), step 1, tag 16.
const BODY: usize = 61;
const TAGGED: std::ops::Range<usize> = 4..45;
const ENCODED: usize = (BODY * 4).div_ceil(3);

impl Handles {
    /// A token of 82 characters of base64url, bound to the issuer and to [`browser_hash`](super::browser_hash).
    pub fn seal_resume(&self, claims: &ResumeClaims, browser: &[u8; 32]) -> String {
        let mut body = [0; BODY];
        body[..4].copy_from_slice(self.current.id.as_bytes());
        body[4..36].copy_from_slice(&claims.digest);
        body[36..44].copy_from_slice(&claims.started.as_millis().to_be_bytes());
        body[44] = claims.step;
        let tag = tag(&self.current, &body, browser);
        body[45..].copy_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(body)
    }

    /// Reads a resume token that was made for the same issuer and browser. Its age is the caller's to check.
    ///
    /// # Errors
    /// If it was not, or its key is not in the ring (any more).
    pub fn open_resume(&self, text: &str, browser: &[u8; 32]) -> Result<ResumeClaims, SealError> {
        let mut body = [0; BODY];
        if text.len() != ENCODED || URL_SAFE_NO_PAD.decode_slice(text, &mut body) != Ok(BODY) {
            return Err(SealError::Malformed);
        }
        let mut rest = body.as_slice();
        let key_id = KeyId::from_bytes(take(&mut rest)?);
        let digest = take(&mut rest)?;
        let started = Timestamp::from_millis(i64::from_be_bytes(take(&mut rest)?));
        let [step] = take(&mut rest)?;
        let keys = self.key(key_id).ok_or(SealError::UnknownKey)?;
        if tag(keys, &body, browser).ct_eq(rest).into() {
            Ok(ResumeClaims { digest, started, step })
        } else {
            Err(SealError::Forged)
        }
    }
}

fn tag(keys: &Subkeys, body: &[u8; BODY], browser: &[u8; 32]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_keyed(&keys.resume);
    hasher.update(&body[TAGGED]);
    hasher.update(browser);
    let mut tag = [0; 16];
    hasher.finalize_xof().fill(&mut tag);
    tag
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SealError> {
    let (head, tail) = rest.split_first_chunk().ok_or(SealError::Malformed)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::{KeyRing, Prefixes, browser_hash};

    fn handles(issuer: &str, ring: KeyRing) -> Handles {
        Handles::new(issuer, ring, Prefixes::default())
    }

    const ISSUER: &str = "https://as.example";
    const CLAIMS: ResumeClaims =
        ResumeClaims { digest: [3; 32], started: Timestamp::from_millis(1_700_000_000_123), step: 200 };

    #[test]
    fn opens_for_the_same_issuer_and_browser_only() {
        let ring = KeyRing::new([1; 32]);
        let here = handles(ISSUER, ring.clone());
        let [mine, theirs] = [browser_hash("mine"), browser_hash("theirs")];
        let text = here.seal_resume(&CLAIMS, &mine);
        assert_eq!(text.len(), ENCODED);
        assert_eq!(here.open_resume(&text, &mine), Ok(CLAIMS));
        assert_eq!(here.open_resume(&text, &theirs), Err(SealError::Forged));
        let there = handles("https://other.example", ring);
        assert_eq!(there.open_resume(&text, &mine), Err(SealError::Forged));
        let rotated = handles(ISSUER, KeyRing::new([2; 32]).with_previous([1; 32]));
        assert_eq!(rotated.open_resume(&text, &mine), Ok(CLAIMS));
        let lost = handles(ISSUER, KeyRing::new([2; 32]));
        assert_eq!(lost.open_resume(&text, &mine), Err(SealError::UnknownKey));
    }

    #[test]
    fn every_single_bit_flip_truncation_and_extension_is_refused() {
        let (handles, browser) = (handles(ISSUER, KeyRing::new([1; 32])), browser_hash("mine"));
        let text = handles.seal_resume(&CLAIMS, &browser);
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(bytes) else { continue };
            assert!(handles.open_resume(&flipped, &browser).is_err(), "bit {bit}");
        }
        for end in 0..text.len() {
            assert_eq!(handles.open_resume(&text[..end], &browser), Err(SealError::Malformed));
        }
        for more in ["A", "=", "=="] {
            assert_eq!(handles.open_resume(&format!("{text}{more}"), &browser), Err(SealError::Malformed));
        }
    }
}
