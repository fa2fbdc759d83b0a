//! The scenarios, each a story over real sockets.

mod api;
mod beside_an_app;
mod client_credentials;
mod code_flow;
mod consent;
mod cors;
mod deadline;
mod host_doors;
mod metadata;
mod narrowing;
mod own_consent_page;
mod prompt;
mod shutdown;
mod storage_failure;
mod strict_clients;
mod tabs;
