//! The code that somebody types from one screen into another (RFC 8628 §6.1).

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::{Random, random_array};

/// No vowels, so that no words come up; none that looks like a digit or another letter (RFC 8628 §6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LEN: usize = 8;

/// Eight letters of twenty: 34.5 bits, shown as `WDJB-MJHT`.
///
/// Not printed by `Debug`. Whoever is signed in and knows it can let the device in.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(Zeroizing<[u8; LEN]>);

impl UserCode {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        let mut letters = Zeroizing::new([0; LEN]);
        let mut at = 0;
        while at < LEN {
            for byte in random_array::<16>(random) {
                // 240 is a multiple of 20: each letter is as likely as any other.
                if at < LEN && byte < 240 {
                    letters[at] = ALPHABET[usize::from(byte) % ALPHABET.len()];
                    at += 1;
                }
            }
        }
        Self(letters)
    }

    /// Reads what somebody typed: small letters, spaces and ASCII punctuation do not matter, nothing else is forgiven.
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters = Zeroizing::new([0; LEN]);
        let mut at = 0;
        if text.len() > 64 {
            return None;
        }
        for byte in text.bytes().filter(|byte| !byte.is_ascii_punctuation() && *byte != b' ') {
            let letter = byte.to_ascii_uppercase();
            if !ALPHABET.contains(&letter) {
                return None;
            }
            *letters.get_mut(at)? = letter;
            at += 1;
        }
        (at == LEN).then_some(Self(letters))
    }

    /// The letters alone, for ids.
    pub(crate) fn letters(&self) -> &[u8; LEN] {
        &self.0
    }

    /// As it is shown: in two groups.
    pub fn shown(&self) -> String {
        let letters: String = self.0.iter().map(|letter| char::from(*letter)).collect();
        let (first, second) = letters.split_at(LEN / 2);
        format!("{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCode").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SeededRandom;

    #[test]
    fn dv_11_what_people_type_is_read() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        for typed in ["wdjbmjht", "wdjb-mjht", "WDJB MJHT", " wd.jb_mj/ht ", "W-D-J-B-M-J-H-T", "WDJB–MJHT"]
        {
            assert_eq!(UserCode::parse(typed), (!typed.contains('–')).then(|| code.clone()), "{typed}");
        }
        for other in [
            "",
            "-",
            "WDJB-MJH",
            "WDJB-MJHTB",
            "WDJB-MJHA",
            "WDJB-MJH0",
            "ＷＤＪＢ－ＭＪＨＴ",
            "WDJB\tMJHT",
            "WDJB\nMJHT",
            "ẂDJBMJHT",
            &"-".repeat(65),
        ] {
            assert_eq!(UserCode::parse(other), None, "{other}");
        }
        assert_eq!(code.shown(), "WDJB-MJHT");
        assert!(!format!("{code:?}").contains("WDJB"));
    }

    #[test]
    fn dv_23_codes_have_34_bits_and_every_letter_is_as_likely() {
        assert!((ALPHABET.len() as f64).powi(LEN as i32).log2() > 34.0);
        let random = SeededRandom::new(7);
        let mut counts = [0_u32; 256];
        for _ in 0..10_000 {
            let code = UserCode::generate(&random);
            assert_eq!(UserCode::parse(&code.shown()), Some(code.clone()));
            code.letters().iter().for_each(|letter| counts[usize::from(*letter)] += 1);
        }
        for letter in ALPHABET {
            assert!((3_600..4_400).contains(&counts[usize::from(*letter)]), "{counts:?}");
        }
    }
}
