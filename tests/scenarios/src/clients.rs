//! The clients of every scenario.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth_core::client::{Client, ClientBuilder, ClientSecret};

use crate::encode;

/// Where the clients `web`, `post` and `spa` get their answers.
pub const REDIRECT: &str = "https://app.example/callback";
/// What the API `api` serves.
pub const API: &str = "https://api.example/notes";
/// What the API `files` serves.
pub const FILES: &str = "https://files.example";

/// The secret of a confidential client. It has what a form must encode, so that a server which reads HTTP Basic without
/// decoding refuses it.
pub fn secret(client_id: &str) -> String {
    format!("{client_id}: 100% se+cret/&= \u{e9}")
}

/// The `Authorization` value of HTTP Basic, form-encoded first (RFC 6749 §2.3.1).
pub fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret))))
}

/// | id | what it is |
/// | --- | --- |
/// | `web`, `post` | confidential, by HTTP Basic and by the body |
/// | `spa` | public, with an `https` redirect URI |
/// | `cli` | public, with a loopback redirect URI |
/// | `own` | the host's own app: nobody is asked |
/// | `job` | a machine |
/// | `api`, `files` | APIs that introspect |
pub(crate) fn clients() -> Vec<ClientBuilder> {
    const SCOPE: &str = "notes:read notes:write profile";
    let of = |id| ClientSecret::from_text(secret(id));
    let web = |id| {
        Client::confidential(id, &of(id)).redirect_uri(REDIRECT).scope(SCOPE).resource(API).resource(FILES)
    };
    vec![
        web("web").name("The Notebook"),
        web("post").name("The Ledger").secret_in_body(),
        Client::public("spa")
            .name("The Page")
            .redirect_uri(REDIRECT)
            .scope(SCOPE)
            .resource(API)
            .resource(FILES),
        Client::public("cli").name("The Tool").redirect_uri("http://127.0.0.1/callback").scope(SCOPE),
        web("own").name("The House").first_party(),
        Client::machine("job", &of("job")).scope("notes:read notes:write").resource(API),
        Client::resource_server("api", &of("api"), API),
        Client::resource_server("files", &of("files"), FILES),
    ]
}
