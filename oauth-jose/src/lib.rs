//! Signed tokens: compact JWS, JWK and JWT access tokens (RFC 7515, 7517, 7519, 9068).
//!
//! 1. A key has exactly one [algorithm](Algorithm), decided when the key is made or read and never by a token.
//! 2. Keys are parsed once; a verification costs the bare signature check and less than a microsecond.
//! 3. Only the compact form with three parts is read: no JWE, no JSON form, no detached payload, no `none`, no HMAC.
//! 4. Of a header `alg`, `typ` and `kid` count. `crit` and `b64` are refused; a key or the address of one (`jwk`, `jku`,
//!    `x5c`, `x5u`) is never looked at (RFC 8725 §3.10).
//! 5. JSON is read strictly: a member twice is an error, in a header, in a claims set and below.
//!
//! The algorithms are those of `aws-lc-rs`. A [`Signer`] may be elsewhere, in a KMS or an HSM; a [`LocalKey`] is one in memory.
//!
//! ```
//! # use oauth_jose::*;
//! let key = LocalKey::generate(Algorithm::Es256)?;
//! let signer = CompactSigner::new(std::sync::Arc::new(key), "at+jwt");
//! # let token = block_on(signer.sign(b"{}"))?;
//!
//! let set = JwkSet::new([signer.key().jwk().clone()])?;
//! let keys = VerifyingKeys::from_jwks(&set, &[Algorithm::Es256])?;
//! assert_eq!(keys.verify(&token, &["at+jwt"])?.payload(), b"{}");
//! assert_eq!(keys.verify(&token, &["dpop+jwt"]).unwrap_err(), JwsError::Typ);
//! # fn block_on<F: Future>(future: F) -> F::Output {
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     match std::pin::pin!(future).poll(&mut context) { std::task::Poll::Ready(out) => out, _ => unreachable!() }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod base64url;
mod claims;
mod compact;
mod der;
mod header;
mod jwk;
mod jwk_set;
mod local_key;
mod pem;
mod plain_claims;
mod read_claims;
mod signer;
mod small_order;
mod strict_json;
mod usual_header;
mod verify;
mod verifying_key;

pub use algorithm::Algorithm;
pub use claims::{AccessTokenClaims, Audience, ClaimsError, Expected};
pub use compact::{CompactSigner, MAX_TOKEN};
pub use jwk::{Jwk, JwkError};
pub use jwk_set::{JwkSet, JwkSetError, MAX_KEYS, MAX_SET};
pub use local_key::{KeyError, LocalKey};
pub use signer::{SignError, Signer};
pub use verify::{JwsError, VerifiedJws, VerifyingKeys};
pub use verifying_key::VerifyingKey;
