//! The profile for MCP servers: what clients probe for, what the endpoint answers, and which resource a token is for.

mod endpoint;
mod probes;
mod resource;
#[path = "../support/mod.rs"]
mod support;
mod world;
