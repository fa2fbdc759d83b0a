//! The crate from outside: vectors of the RFCs, keys of every algorithm, and tokens that must be refused.

mod attacks;
mod claims;
mod keys;
mod vectors;
mod weak_keys;
mod wycheproof;

use std::sync::Arc;

use futures_util::FutureExt as _;
use oauth_jose::{Algorithm, CompactSigner, JwkSet, LocalKey, VerifyingKeys};

/// A token of a key in memory, which never waits.
fn sign(key: &LocalKey, typ: &str, payload: &[u8]) -> String {
    let signer = CompactSigner::new(Arc::new(key.clone()), typ);
    signer.sign(payload).now_or_never().expect("a local key is ready").expect("a signature")
}

/// Verifies with these keys, as a resource server that read their set.
fn verifying(keys: &[&LocalKey]) -> VerifyingKeys {
    use oauth_jose::Signer as _;
    let set = JwkSet::new(keys.iter().map(|key| key.key().jwk().clone())).expect("a set");
    let read = JwkSet::parse(&serde_json::to_vec(&set).expect("JSON")).expect("the same set");
    assert_eq!(read, set);
    VerifyingKeys::from_jwks(&read, &Algorithm::ALL).expect("keys")
}
