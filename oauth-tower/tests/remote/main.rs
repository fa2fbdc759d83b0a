//! Verifiers that ask other servers: well-behaved ones, and others. Tests that are named by a case of the list of attacks begin
//! with its id.

mod elsewhere;
mod hostile;
mod introspection;
mod issuer;
mod jwks;
mod jwt;
mod lies;
mod no_runtime;
mod rotation;
