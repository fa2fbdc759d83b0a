//! The handle keys in the store, and what else the replicas of an issuer share.
//!
//! 1. One record per issuer holds the keys and the issuer's fence. It is inserted if absent: of many replicas that start at
//!    once one generates the first key, and all use it.
//! 2. A server reads it at [`start`](crate::server::ServerBuilder::start), then again with the first request that comes when
//!    the last look is [`reload_every`](crate::server::ServerBuilder::reload_every) old (2 s unless set). A server that could
//!    not look for twice as long answers 503 until it can: what another replica has changed is unseen for at most 4 s.
//!    No request but those pays for it: a bearer check stays one load.
//! 3. [`rotate_keys`](crate::server::Server::rotate_keys) publishes a key one minute before it mints. Its phases are times in
//!    the record (`next`, `current`, `previous`), so that replicas switch without another write, and one that has switched
//!    mints nothing that another could not check.
//! 4. A previous key is dropped when nothing that it tagged is left: after the longest lifetime of a grant.
//! 5. The keys that sign JWTs are in the same record ([`signing`](crate::server::signing)).
//! 6. A refresh token or a page with a key that is not known asks for another look, at most once in a second.
//!
//! # Security
//!
//! Without a [`WrappingKey`](crate::handle::WrappingKey) whoever reads the database also reads the handle keys. They still
//! cannot make a token that works: records hold digests of random secrets, and successors are derived from the token that was
//! presented, which is not stored. What they can do: tag handles that pass for old refresh tokens, and so end the sessions of
//! public clients (a confidential client must authenticate first); open the seals of pages that they have captured; and seal
//! pages and detours for browsers whose cookie they know, such as their own, where a detour could pretend that a sign-in asked
//! for by `prompt=login` or `max_age` has been seen. With a wrapping key a copy of the database allows none of this.

mod config;
mod error;
mod fence;
mod live;
mod plan;
mod reload;
mod rotate;
mod signing;

pub use config::StoredKeys;
pub use error::{KeysError, StartError};
pub use plan::KeyPhase;
pub use reload::keys_key;
pub use rotate::HandleKey;
pub use signing::SigningKey;

pub(super) use live::Live;
