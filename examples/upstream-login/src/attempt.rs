//! One way to the provider and back, in a cookie of the browser that goes it: several tabs have one each.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::issuer::Issuer;
use serde::{Deserialize, Serialize};

use crate::cookie;

/// How long somebody may take to sign in there.
const SECONDS: u32 = 600;
/// Browsers keep no longer cookies than 4 KiB, all told.
const MAX_COOKIE: usize = 4000;

/// What has to come back with the provider's answer, and what is checked then.
#[derive(Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    /// The authorization request that waits; it names the client that the person has read about.
    pub(crate) return_to: String,
}

/// The cookie's name, of what can stand in one.
fn name(state: &str) -> String {
    let plain = state.chars().filter(char::is_ascii_alphanumeric);
    format!("upstream-{}", plain.take(8).collect::<String>())
}

impl Attempt {
    /// The cookie.
    pub(crate) fn set(&self, issuer: &Issuer) -> Option<String> {
        let json = serde_json::to_vec(self).ok()?;
        let cookie = cookie::set(issuer, &name(&self.state), &URL_SAFE_NO_PAD.encode(json), SECONDS);
        (cookie.len() < MAX_COOKIE).then_some(cookie)
    }

    /// The attempt of this browser that an answer belongs to.
    pub(crate) fn find(headers: &HeaderMap, issuer: &Issuer, state: &str) -> Option<Self> {
        let value = cookie::get(headers, issuer, &name(state))?;
        let own: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        (own.state == state).then_some(own)
    }

    /// Takes the cookie away.
    pub(crate) fn end(&self, issuer: &Issuer) -> String {
        cookie::set(issuer, &name(&self.state), "", 0)
    }
}
