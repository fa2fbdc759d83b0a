//! The authorization endpoint's decisions, as tables.

mod browser;
mod request;
mod step;

use crate::client::{Client, ClientSecret};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ISSUER: &str = "https://as.example";

/// A confidential client with one redirect URI.
fn web() -> Client {
    Client::confidential("web", &ClientSecret::generate())
        .redirect_uri("https://app.example/cb")
        .scope("read write admin")
        .default_scope("read")
        .resource("https://api.example")
        .resource("https://files.example/v1")
        .build()
        .unwrap()
}

/// A public client on a loopback address.
fn cli() -> Client {
    Client::public("cli").redirect_uri("http://127.0.0.1/cb").scope("read").build().unwrap()
}

/// The query of a plain request of `web`, and whatever else.
fn query(more: &str) -> String {
    format!(
        "client_id=web&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&state=xyz\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}"
    )
}
