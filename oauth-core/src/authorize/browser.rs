//! The browser cookie: what ties a page and its answer, or a detour and its return, to one browser.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};

use crate::handle::browser_hash;
use crate::issuer::Issuer;
use crate::secret::{Random, Secret32};

/// 32 random bytes in base64url.
const VALUE_LEN: usize = 43;

/// One browser, shared by its tabs. Says nothing about who is signed in.
#[derive(Clone)]
pub struct BrowserCookie(Box<str>);

/// The cookie's name. `__Host-` keeps subdomains and plain `http` from setting it; an `http` issuer, which is a loopback
/// address, cannot have it.
pub fn cookie_name(issuer: &Issuer) -> &'static str {
    if issuer.is_https() { "__Host-oauth-browser" } else { "oauth-browser" }
}

impl BrowserCookie {
    /// A cookie for a browser that has none.
    pub fn generate(random: &dyn Random) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Secret32::generate(random).expose()).into())
    }

    /// The cookie that a request carries; `None` where it is absent, malformed or there twice.
    ///
    /// # Security
    ///
    /// Of two cookies of the name one may have been planted, and nothing tells which.
    pub fn read(headers: &HeaderMap, issuer: &Issuer) -> Option<Self> {
        let name = cookie_name(issuer);
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let value = std::str::from_utf8(values.next()?).ok()?;
        let decoded = URL_SAFE_NO_PAD.decode(value).ok()?;
        let valid = value.len() == VALUE_LEN && decoded.len() == 32 && values.next().is_none();
        valid.then(|| Self(value.into()))
    }

    /// What seals and resume tokens are bound to.
    pub fn hash(&self) -> [u8; 32] {
        browser_hash(&self.0)
    }

    /// The `Set-Cookie` value: until the browser closes, for this host only, not for scripts.
    pub fn set(&self, issuer: &Issuer) -> HeaderValue {
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(issuer), self.0);
        let mut value = HeaderValue::try_from(cookie).expect("base64url and constants are header text");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for BrowserCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserCookie([redacted])")
    }
}
