//! Signing in from a terminal (RFC 8628): ask, show the code, poll until its owner has decided.
//!
//! For a server that is not on this machine, build `reqwest` with one of its TLS features.

mod poll;

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;

pub use poll::poll;

/// What the tool must know to sign in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The authorization server.
    pub issuer: String,
    /// The tool's id there.
    pub client_id: String,
    /// What it asks for.
    pub scope: String,
}

/// The tool's tokens. Keep them where only the user reads them.
#[derive(Deserialize)]
pub struct Tokens {
    /// For the API.
    pub access_token: String,
    /// For the next access token.
    pub refresh_token: Option<String>,
    /// What was allowed.
    #[serde(default)]
    pub scope: String,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be asked.
    #[error("the server cannot be reached: {0}")]
    Network(#[from] reqwest::Error),
    /// The document of another issuer, or of a server without the device flow.
    #[error("{0} has no device flow")]
    NoDeviceFlow(String),
    /// Somebody has said no.
    #[error("the request was denied")]
    Denied,
    /// Nobody has said anything.
    #[error("the code has expired; run this again")]
    Expired,
    /// Anything else that the server says.
    #[error("the server refused: {0}")]
    Refused(String),
}

/// What was found out about the server (RFC 8414 §3.2).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
}

/// What to show, and what to poll with (RFC 8628 §3.2).
#[derive(Deserialize)]
pub struct Device {
    device_code: String,
    /// What the owner types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same in one link.
    pub verification_uri_complete: Option<String>,
    expires_in: u64,
    #[serde(default = "five")]
    interval: u64,
}

fn five() -> u64 {
    5
}

/// Signs in: `show` is given the code as soon as there is one, then this waits for its owner.
///
/// # Errors
///
/// When the server has no device flow or refuses, and when the owner says no or nothing.
pub async fn sign_in(settings: &Settings, show: impl FnOnce(&Device)) -> Result<Tokens, Error> {
    let http = Client::builder().timeout(Duration::from_secs(10)).build()?;
    let Settings { issuer, client_id, scope } = settings;

    // The document must name the very issuer that was asked (RFC 8414 §3.3).
    let document = format!("{issuer}/.well-known/oauth-authorization-server");
    let metadata: Metadata = http.get(document).send().await?.error_for_status()?.json().await?;
    let (Some(device_endpoint), Some(token_endpoint), true) =
        (&metadata.device_authorization_endpoint, &metadata.token_endpoint, metadata.issuer == *issuer)
    else {
        return Err(Error::NoDeviceFlow(issuer.clone()));
    };

    let ask = http.post(device_endpoint).form(&[("client_id", client_id), ("scope", scope)]);
    let answer = ask.send().await?;
    if !answer.status().is_success() {
        return Err(Error::Refused(answer.text().await?));
    }
    let device: Device = answer.json().await?;
    show(&device);
    poll(&http, token_endpoint, client_id, &device).await
}
