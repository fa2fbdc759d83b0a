//! Proof Key for Code Exchange, `S256` only (RFC 7636, OAuth 2.1 §4.1.1, §7.5.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::any_byte::any_byte;
use crate::constant_time::same;
use crate::fixed_bytes::stored_as_bytes;

/// The length of an `S256` challenge: 32 bytes in base64url without padding.
const CHALLENGE_LEN: usize = 43;

/// A `code_challenge`: the SHA-256 of the verifier. Not a secret. Serializes as base64url.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge([u8; 32]);

/// Why the PKCE parameters of an authorization request are refused. All are `invalid_request`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PkceError {
    /// A challenge without a method would mean `plain` (RFC 7636 §4.3), which is never accepted.
    #[error("code_challenge_method is missing, use S256")]
    MethodMissing,
    /// `plain` or an unknown method.
    #[error("code_challenge_method is not supported, use S256")]
    MethodUnsupported,
    /// A method without a challenge.
    #[error("code_challenge is missing")]
    ChallengeMissing,
    /// Not the base64url encoding of 32 bytes.
    #[error("code_challenge is malformed")]
    ChallengeMalformed,
}

impl Challenge {
    /// Reads the two parameters; neither gives `None`.
    ///
    /// # Errors
    ///
    /// [`PkceError`] for one without the other, any method but `S256`, or a challenge that is not exactly 43
    /// canonical base64url characters.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>, PkceError> {
        match (challenge, method) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(PkceError::MethodMissing),
            (_, Some(method)) if method != "S256" => Err(PkceError::MethodUnsupported),
            (None, Some(_)) => Err(PkceError::ChallengeMissing),
            (Some(challenge), Some(_)) => Self::decode(challenge).map(Some),
        }
    }

    /// The challenge that `verifier` answers.
    pub fn of_verifier(verifier: &str) -> Self {
        Self(Sha256::digest(verifier.as_bytes()).into())
    }

    /// Whether `verifier` is well formed and answers this challenge.
    ///
    /// # Security
    ///
    /// Compares in constant time.
    pub fn verify(&self, verifier: &str) -> bool {
        is_verifier(verifier) && bool::from(same(&Self::of_verifier(verifier).0, &self.0))
    }

    /// The decoded digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn decode(challenge: &str) -> Result<Self, PkceError> {
        if challenge.len() != CHALLENGE_LEN {
            return Err(PkceError::ChallengeMalformed);
        }
        // One byte more than needed: the decoder asks for room by an estimate.
        let mut bytes = [0; 33];
        match URL_SAFE_NO_PAD.decode_slice(challenge, &mut bytes) {
            Ok(32) => {
                let mut digest = [0; 32];
                digest.copy_from_slice(&bytes[..32]);
                Ok(Self(digest))
            }
            _ => Err(PkceError::ChallengeMalformed),
        }
    }
}

/// Whether the text is a `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
pub fn is_verifier(text: &str) -> bool {
    // Arithmetic instead of branches, which nobody could predict for random characters.
    let is_unreserved = |byte: u8| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        letter
            | (byte.wrapping_sub(b'0') < 10)
            | (byte == b'-')
            | (byte == b'.')
            | (byte == b'_')
            | (byte == b'~')
    };
    (43..=128).contains(&text.len()) && !any_byte(text.as_bytes(), |byte| !is_unreserved(byte))
}

stored_as_bytes!(Challenge);

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn parse(challenge: &str) -> Result<Option<Challenge>, PkceError> {
        Challenge::parse(Some(challenge), Some("S256"))
    }

    #[test]
    fn rfc_7636_appendix_b() {
        let challenge = parse(CHALLENGE).unwrap().unwrap();
        assert!(challenge.verify(VERIFIER));
        assert_eq!(Challenge::of_verifier(VERIFIER), challenge);
        assert_eq!(challenge.as_bytes()[..4], [0x13, 0xd3, 0x1e, 0x96]);
        assert_eq!(Challenge::parse(None, None), Ok(None));
    }

    #[test]
    fn pk_03_to_06_methods() {
        let parse = Challenge::parse;
        assert_eq!(parse(Some(VERIFIER), Some("plain")), Err(PkceError::MethodUnsupported));
        assert_eq!(parse(Some(CHALLENGE), None), Err(PkceError::MethodMissing));
        for method in ["s256", "S512", "none", "", "S256 "] {
            assert_eq!(parse(Some(CHALLENGE), Some(method)), Err(PkceError::MethodUnsupported));
        }
        assert_eq!(parse(None, Some("S256")), Err(PkceError::ChallengeMissing));
    }

    #[test]
    fn a_verifier_is_made_of_unreserved_characters_only() {
        for byte in 0..=127_u8 {
            let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            for at in [0, 20, 42] {
                let mut text = VERIFIER.as_bytes().to_vec();
                text[at] = byte;
                let text = String::from_utf8(text).unwrap();
                assert_eq!(is_verifier(&text), unreserved, "{byte:#04x} at {at}");
            }
        }
        assert!(!is_verifier(&"\u{e1}".repeat(22)));
    }

    #[test]
    fn pk_07_08_challenge_syntax() {
        let with_last = |c: char| format!("{}{c}", &CHALLENGE[..42]);
        let mut bad = vec![
            String::new(),
            CHALLENGE[..42].into(),
            "A".repeat(44),
            "A".repeat(129),
            "é".repeat(21) + "A",
        ];
        bad.extend(['=', '+', '/', ' '].map(with_last));
        // A last character with bits that encode nothing: several texts for one digest.
        bad.push(with_last('N'));
        for challenge in bad {
            assert_eq!(parse(&challenge), Err(PkceError::ChallengeMalformed), "{challenge}");
        }
    }

    #[test]
    fn pk_10_11_wrong_verifiers() {
        let challenge = Challenge::of_verifier(VERIFIER);
        assert!(!challenge.verify(&VERIFIER.replace('d', "e")));
        assert!(!challenge.verify(CHALLENGE));
        assert!(!challenge.verify(""));
        let short = "a".repeat(42);
        assert!(!Challenge::of_verifier(&short).verify(&short));
        let long = "a".repeat(129);
        assert!(!Challenge::of_verifier(&long).verify(&long));
        assert!(is_verifier(&"~".repeat(43)) && is_verifier(&"a".repeat(128)));
        assert!(!is_verifier(&"é".repeat(30)) && !is_verifier(&"+".repeat(43)));
    }

    // How long the comparison takes is `constant_time`'s to keep, which has no branch; that no part of it is left out is seen here.
    #[test]
    fn pk_20_all_of_the_digest_counts_however_much_of_it_fits() {
        let digest = *Challenge::of_verifier(VERIFIER).as_bytes();
        assert!(Challenge(digest).verify(VERIFIER));
        for bit in 0..256 {
            let mut other = digest;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!Challenge(other).verify(VERIFIER), "{bit}");
        }
    }

    #[test]
    fn serializes_as_base64url() {
        let json = serde_json::to_string(&Challenge::of_verifier(VERIFIER)).unwrap();
        assert_eq!(json, format!("\"{CHALLENGE}\""));
        assert_eq!(serde_json::from_str::<Challenge>(&json).unwrap(), Challenge::of_verifier(VERIFIER));
        assert!(serde_json::from_str::<Challenge>("\"x\"").is_err());
    }
}
