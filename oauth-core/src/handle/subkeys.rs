//! One key per purpose, derived once from each key of the ring and the issuer.

use aes::Aes128;
use aes::cipher::KeyInit;

use super::ring::{KeyId, RingKey};
use crate::wiped::Wiped;

type Key = Wiped<32>;

/// The issuer is part of the derivation, so that nothing made for one issuer verifies at another that shares the ring.
pub(super) struct Subkeys {
    pub(super) id: KeyId,
    pub(super) tag: Aes128,
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
        let tag = derive("oauth-core 2025 handle tag");
        let (tag, _) = tag.split_first_chunk::<16>().expect("32 bytes");
        Self {
            id: key.id,
            tag: Aes128::new(tag.into()),
            code: derive("oauth-core 2025 authorization code from nonce"),
            successors: derive("oauth-core 2025 successor tokens"),
            ids: derive("oauth-core 2025 keyed id"),
            seal: derive("oauth-core 2025 browser seal"),
            resume: derive("oauth-core 2025 resume token"),
        }
    }
}
