//! The clients and values that the tests are about.

use oauth_core::client::{Client, ClientBuilder, ClientSecret};

/// The issuer.
pub const ISSUER: &str = "https://as.example";
/// The redirect URI of `web` and `web2`.
pub const APP: &str = "https://app.example/cb";
/// The redirect URI of `spa`.
pub const SPA: &str = "https://spa.example/cb";
/// What `rs1` serves.
pub const API1: &str = "https://api1.example";
/// What `rs2` serves.
pub const API2: &str = "https://api2.example";
/// When the clock starts, in seconds since the epoch.
pub const START: i64 = 1_700_000_000;
/// A PKCE verifier (RFC 7636 Appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its `S256` challenge.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The secret of a confidential fixture client.
pub fn secret(client_id: &str) -> String {
    format!("{client_id}-secret-that-is-long-enough")
}

/// `web` and `web2` confidential, of which `web2` keeps its refresh tokens; `spa` public; `m2m` for itself; `rs1` and `rs2`
/// are APIs.
pub fn clients() -> Vec<ClientBuilder> {
    let own = |id| ClientSecret::from_text(secret(id));
    let web = |id| {
        Client::confidential(id, &own(id))
            .redirect_uri(APP)
            .scope("read write")
            .resource(API1)
            .resource(API2)
            .grant_types(["authorization_code", "refresh_token", "client_credentials"])
    };
    vec![
        web("web"),
        web("web2").rotation(oauth_core::grant::Rotation::Never),
        Client::public("spa").redirect_uri(SPA).scope("read write").resource(API1),
        Client::machine("m2m", &own("m2m")).scope("read write").resource(API1),
        Client::resource_server("rs1", &own("rs1"), API1),
        Client::resource_server("rs2", &own("rs2"), API2),
    ]
}
