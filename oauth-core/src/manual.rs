//! Threats, defaults and invariants: what the server promises, and what it does not.
//!
//! # Invariants
//!
//! Asserted after every step of the model test (`tests/core`), and after every injected fault and dropped future.
//!
//! 1. At most one successful redemption of a code or, outside the retry window, of a refresh token.
//! 2. At most one live refresh branch of a grant.
//! 3. After a revocation has returned, nothing that starts later succeeds with any handle of that grant.
//! 4. Every live token's grant is active, and its scope and audience lie within the grant's.
//! 5. No handle works for another client, kind, issuer or sender key.
//! 6. A failed request changes nothing, except used `jti`s and the revocation on a valid replay.
//! 7. A success response implies durable state, acknowledged before the first byte of the response.
//! 8. A 5xx leaves the full state before or the full state after, never a mixture.
//! 9. A retry after a 5xx or a lost response ends in success, or in a clean `invalid_grant` that leaves no orphan.
//! 10. Used stays used: across restart, purge, clock steps and changes of the stored format.
//! 11. A visitor who has not approved creates no state at all; only signing in with the built-in pages stores a session.
//! 12. Stored bytes, logs, traces and errors never contain a usable secret.
//!
//! # Defaults
//!
//! | setting | default | bounds | why |
//! | --- | --- | --- | --- |
//! | code lifetime | 60 s | 1 s to 10 min | OAuth 2.1 §4.1.2 |
//! | access token | 1 h, opaque | 1 s to 10 years | revocable at once: each use reads the grant |
//! | refresh token, unused | 30 days | | |
//! | grant, however often refreshed | 90 days | | rotation never extends it |
//! | retry window | 60 s | off to 10 min | a lost response must not log a user out (truth table: [`grant::refresh`](crate::grant::refresh)) |
//! | code replay tolerance | off | at most 10 s | a valid replay revokes (OAuth 2.1 §4.1.3) |
//! | consent page | 15 min | 1 s to 1 day | |
//! | remembered consent | 90 days | off | never for public clients on loopback or custom schemes |
//! | access tokens of one grant | 16 | 1 to 64 | the one nearest its expiry goes |
//! | look for changed keys and fences | 2 s | 1 s to 1 min | seen by every replica after twice this; one load of one request |
//! | registration of clients | off | | those of strangers: no scope that is not described, no grant type without a person, consent always |
//! | registration, never used | 24 h | 1 min to 90 days | until somebody has completed a sign-in with it |
//! | registration, since its last use | 90 days | 10 days to 10 years | written down at most every tenth of it |
//! | client cache | 5 s | off to 1 h | how long a change in the host's table may go unseen |
//! | rate limits | in memory, by address prefix | see [`Rule`](crate::limit::Rule) | [`Unlimited`](crate::limit::Unlimited) switches them off |
//! | device and user code | 10 min | 1 to 15 min | RFC 8628 §6.1: a code is typed at once or not at all |
//! | polls of a device | every 5 s | 1 s to 1 min | each `slow_down` adds 5 s, up to a minute (RFC 8628 §3.5) |
//! | wrong user codes of one person | 5, then one in 2 min | [`Rule::UserCodeSubject`](crate::limit::Rule) | 20⁸ codes: of a thousand that wait, one guess in 25 million finds one |
//! | metadata documents | fresh 5 min to 1 day, stale 7 days | [`ClientIdMetadataDocuments`](crate::server::ClientIdMetadataDocuments) | off until switched on |
//! | PKCE | S256, mandatory | opt-out for confidential clients only | OAuth 2.1 §4.1.1 |
//!
//! # What strangers can make a server keep
//!
//! Nothing that lasts. An authorization request, a wrong password, code, token, device code or assertion stores nothing. A device
//! authorization request stores a grant for 11 minutes, an assertion of a client that proves who it is its `jti` until it expires;
//! both are limited, and purged. A document of a client that nobody has consented to is in memory only, among at most 4096, and
//! forgotten when its time is over. Limits are counted in a table of fixed size. `tests/attacks/tests/flood.rs` sends thousands of
//! each without limits, `benches/strangers` a million: rows and heap come back to where they were.
//!
//! # The device flow
//!
//! * When a device polled last is known to the limiter alone: a poll is one load. The record is written when `slow_down` raises its
//!   interval, which happens at most eleven times.
//! * Wrong user codes are counted in the store by who is signed in, since a guesser with many addresses is still one person. Right
//!   ones cost nothing, and nobody else can use up somebody's attempts.
//! * Consent that was given before never answers for a device: the code may have come from a stranger (RFC 8628 §5.4).
//! * A device that asks twice with one code after more than 2 s ends its grant: so an answer that was lost leaves no orphan.
//!
//! # What a store sees, and what a thief of it gets
//!
//! A record keeps digests, never secrets. Whoever reads the store cannot make a working code or token; whoever has only the
//! keys of the [ring](crate::handle::KeyRing) cannot either. Whoever can *write* the store can grant themselves anything, as
//! they could in any authorization server.
//!
//! [Keys that are kept in the store](crate::server::StoredKeys) are in every copy of it, unless a
//! [`WrappingKey`](crate::handle::WrappingKey) wraps them. A thief of store and keys together still cannot make a token that
//! works; what they can do is listed at [`server::keys`](crate::server::keys).
//!
//! # When keys are lost
//!
//! Handles whose key is gone are looked up all the same: the digest in the record decides. So access tokens and current
//! refresh tokens go on working. What is lost is the way to tell an old refresh token from a forged one: neither revokes then.
//! Open consent pages are void.
//!
//! # Restoring a backup
//!
//! Whatever was used, rotated or revoked after the backup was taken is alive again in it. So before the restored store is
//! served, call [`raise_fence_all`](crate::server::Grants::raise_fence_all): it ends every grant, open page, remembered consent
//! and sign-in of the built-in pages that began before that moment, with one write. Servers that run see it within 4 s (twice
//! [`reload_every`](crate::server::ServerBuilder::reload_every)), those that start later at once; a fence never falls, also when
//! the store goes back in time below a running server. A refresh token that is newer than its record is refused without
//! revoking anything, and said so at level `WARN`.
//!
//! What no fence can know: clients that were disabled, or whose secret was changed, after the backup; and `jti`s that were used
//! after it, which may be used once more until their proofs expire.
//!
//! # What the retry window costs
//!
//! Inside the window, whoever presents the previous refresh token gets its successor. A thief who follows the client at each
//! refresh is therefore not noticed by reuse detection. They are bounded by the grant's absolute lifetime, shown by
//! `refresh_retried` events with a growing `streak`, and ended by
//! [`max_retry_streak`](crate::server::ServerBuilder::max_retry_streak). `retry_window(Duration::ZERO)` closes it.
//!
//! # When a subject or a client goes
//!
//! Redemption, refresh and introspection ask the host's [`SubjectStatus`](crate::server::SubjectStatus); verifying a bearer
//! token does not, since that is one load and nothing else. So a host that locks or deletes a subject, or deletes a client
//! from its own table, also calls [`revoke_all`](crate::server::Grants::revoke_all): it ends every token at once, approvals
//! in flight included. Remembered consent is forgotten by [`consents`](crate::server::Server::consents).
//!
//! # Clients that register themselves
//!
//! Nobody vouches for what they say: the built-in pages call them unverified and show where the answer goes, and consent that
//! was given before an [update](crate::server::Registrations::update) of name, keys, redirect URIs or authentication does not
//! count after it. What they may have follows the server's terms of today, not those of the day on which they registered.
//!
//! The registration access token stays the same for the registration's life: a client that has lost an answer asks again. Only
//! its digest is kept, and it is told again to whoever presents it. Whoever has it can redirect the client's users elsewhere
//! after a new consent; [`Clients::disable`](crate::server::Clients::disable) ends it.
//!
//! A client that is gone hears 401 `invalid_client` at the token endpoint, by which real clients know to register anew; people
//! see that the app is not known here. Switching registration off ends no registration that there is.
//!
//! # Clocks
//!
//! Replicas should agree within a second or two. Whether something was used is a stored flag and never a comparison of times,
//! so a clock that jumps can end things early or late, but brings nothing back that was used. One comparison is between
//! replicas: [`revoke_all`](crate::server::Grants::revoke_all) ends approvals that began before it by its own clock. One that
//! is in flight at a replica whose clock is ahead began later than that, and may survive; one that follows within the
//! difference at a replica whose clock is behind is refused with `access_denied`.
