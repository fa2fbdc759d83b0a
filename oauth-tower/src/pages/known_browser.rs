//! A browser that somebody has been signed in with before: its guesses are counted apart, so that nobody can lock the owner of
//! an account out by guessing at it from elsewhere.
//!
//! The cookie is a seal that names no one: it opens for the account only that it was made for.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, header};
use oauth_core::clock::Timestamp;
use oauth_core::handle::SealPurpose;
use oauth_core::secret::random_array;
use oauth_core::server::Server;

/// How long a browser is remembered after a sign-in.
const LIFETIME: Duration = Duration::from_secs(180 * 24 * 3600);

/// The id of a browser that has been signed in to an account before.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownBrowser(pub(super) [u8; 16]);

impl KnownBrowser {
    /// The browser that makes the request, if it is known for that account.
    pub(super) fn read(server: &Server, head: &Parts, account: &str) -> Option<Self> {
        let name = cookie_name(server);
        let values = head.headers.get_all(header::COOKIE).iter();
        let mut values = values
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let sealed = std::str::from_utf8(values.next()?).ok()?;
        if values.next().is_some() {
            return None;
        }
        let text = server.handles().open(SealPurpose::KnownBrowser, account.as_bytes(), sealed).ok()?;
        let (id, until) = text.split_first_chunk::<16>()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(until.try_into().ok()?));
        (server.now() < until).then_some(Self(*id))
    }

    /// The `Set-Cookie` value for a browser that has just been signed in to the account.
    pub(super) fn remember(server: &Server, before: Option<Self>, account: &str) -> HeaderValue {
        let id = before.map_or_else(|| random_array(server.random()), |before| before.0);
        let until = (server.now() + LIFETIME).as_millis().to_be_bytes();
        let text = [&id[..], &until].concat();
        let sealed =
            server.handles().seal(SealPurpose::KnownBrowser, account.as_bytes(), &text, server.random());
        let secure = if server.issuer().is_https() { "; Secure" } else { "" };
        let (name, max_age) = (cookie_name(server), LIFETIME.as_secs());
        let cookie = format!("{name}={sealed}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
        let mut value = HeaderValue::try_from(cookie).expect("base64url and constants are header text");
        value.set_sensitive(true);
        value
    }
}

fn cookie_name(server: &Server) -> &'static str {
    if server.issuer().is_https() { "__Host-oauth-known" } else { "oauth-known" }
}
