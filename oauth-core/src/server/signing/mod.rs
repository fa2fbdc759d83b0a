//! JWT access tokens (RFC 9068): for the resources that [`jwt_for`](crate::server::ServerBuilder::jwt_for) names.
//!
//! 1. The claims are those of RFC 9068 §2.2, and what the host's [`TokenClaims`] adds.
//! 2. A JWT is signed before its grant is written and sent afterwards, so none is out whose grant is not stored.
//! 3. It takes no entry in its grant. Its `jti` names the grant, so that revocation, introspection and verification in this
//!    process know whether it still counts; to resource servers that check it by themselves it is good until `exp`.
//! 4. The keys are the host's ([`SigningKeys::given`]), or kept in the store beside the handle keys and rotated there
//!    ([`SigningKeys::stored`]): published before they sign for twice as long as the key set may be kept, and until the last
//!    token that they signed has expired.
//! 5. A refresh that is asked for again is answered with an equal token: the same `jti`, times and claims.

mod config;
mod issue;
mod key_set;
mod token_claims;
mod verify;

pub use config::SigningKeys;
pub use key_set::KeySet;
pub use token_claims::{TokenClaims, TokenContext};

pub(in crate::server) use config::{DEFAULT_LIFETIME, Kept, Schedule};
pub(in crate::server) use key_set::{Keyring, Signing};
pub(in crate::server) use verify::ParsedJwt;
