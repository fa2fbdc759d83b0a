//! Clients that know nothing but the URL of the example's endpoint.

mod conformance;
mod rmcp_client;
mod support;
