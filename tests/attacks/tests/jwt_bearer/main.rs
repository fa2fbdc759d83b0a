//! Attacks with JWTs (JW) on an API that verifies the tokens of an issuer elsewhere: on a socket, by keys that it fetches.
//!
//! Where a token is wrong in one point it is right in every other, and signed with a key that the API trusts, so that a check
//! that is missing shows.

mod api;
mod encrypted;
mod keys;
mod shape;
mod unlisted;
