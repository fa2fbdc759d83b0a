//! One key per purpose, derived once from each key of the ring and the issuer.

use aes::Aes128Enc;
use aes::cipher::KeyInit;

use super::ring::{KeyId, RingKey};
use crate::wiped::Wiped;

type Key = Wiped<32>;

/// The issuer is part of the derivation, so that nothing made for one issuer verifies at another that shares the ring.
pub(super) struct Subkeys {
    pub(super) id: KeyId,
    pub(super) tag: Aes128Enc,
    pub(super) code: Key,
    pub(super) successors: Key,
    pub(super) ids: Key,
    pub(super) seal: Key,
    pub(super) resume: Key,
}

impl Subkeys {
    pub(super) fn new(key: &RingKey, issuer: &str) -> Self {
        let derive = |context: &str| {
            let mut hasher = blake3::Hasher::new_derive_key(context);
            hasher.update(key.bytes.as_slice());
            hasher.update(issuer.as_bytes());
            Key::new(hasher.finalize().into())
        };
        let tag = derive("oauth-core 2025 cipher of handle tags");
        let (tag, _) = tag.split_first_chunk::<16>().expect("32 bytes");
        Self {
            id: key.id,
            tag: Aes128Enc::new(tag.into()),
            code: derive("oauth-core 2025 authorization code from nonce"),
            successors: derive("oauth-core 2025 successor tokens"),
            ids: derive("oauth-core 2025 keyed id"),
            seal: derive("oauth-core 2025 browser seal"),
            resume: derive("oauth-core 2025 resume token"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aes::cipher::BlockCipherDecrypt;

    use super::*;
    use crate::handle::{GrantId, Handle, KeyRing, Kind};
    use crate::keyed_hash::keyed_output;
    use crate::secret::Secret32;

    fn mint(keys: &Subkeys) -> Handle {
        Handle::mint(keys, Kind::Code, GrantId::from_bytes([3; 16]), 5, Secret32::new([4; 32]))
    }

    /// The id of a key is short, and shown to everybody.
    #[test]
    fn the_tag_takes_the_key_and_not_its_id_alone() {
        let ring = KeyRing::new([1; 32]);
        let other = RingKey { id: ring.current().id, bytes: Wiped::new([2; 32]) };
        let [here, there] =
            [ring.current(), &other].map(|key| mint(&Subkeys::new(key, "https://as.example")));
        assert_eq!(here.digest(), there.digest());
        assert_ne!(here.tag(), there.tag());
    }

    /// Digest and tag, from the construction as it is described.
    #[test]
    fn digest_and_tag_are_parts_of_one_hash() {
        let ring = KeyRing::new([1; 32]);
        let handle = mint(&Subkeys::new(ring.current(), "https://as.example"));
        let says =
            [&[4; 32][..], &[3; 16], &[0, 0, 0, 5], ring.current().id.as_bytes(), &[1], &[0; 7]].concat();
        let stored = blake3::derive_key("oauth-core 2025 digest of a secret at rest", &[]);
        let [first, second] = keyed_output(&stored, says.as_slice().try_into().unwrap());
        assert_eq!(handle.digest().as_bytes()[..], first[..24]);

        let key = blake3::derive_key(
            "oauth-core 2025 cipher of handle tags",
            &[&[1; 32][..], b"https://as.example"].concat(),
        );
        let cipher = aes::Aes128::new(key[..16].try_into().unwrap());
        let mut block = (*handle.tag()).into();
        cipher.decrypt_block(&mut block);
        assert_eq!(block[..], second[..16]);
    }
}
