//! Where the browser goes after signing in: back to an authorization request that we sent away, and nowhere else.

use oauth_core::authorize::{BrowserCookie, Prompt, Query};
use oauth_core::clock::Timestamp;
use oauth_core::handle::ResumeClaims;
use oauth_core::params::Params;
use oauth_core::server::{AUTHORIZE_PATH, Server};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The query parameter of the sign-in page.
pub(super) const PARAM: &str = "return_to";

/// What would end the value, or be decoded once too often; the rest may stand in a query as it is.
const RESERVED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>');

/// An address that this server issued to this browser.
#[derive(Debug)]
pub(super) struct ReturnTo {
    /// Path and query of the authorization request, with its resume token.
    pub(super) address: String,
    /// When the request first arrived.
    pub(super) started: Timestamp,
    /// The client that waits.
    pub(super) client_id: String,
    /// Who the client thinks will sign in.
    pub(super) login_hint: Option<String>,
    /// Whether the client wants the visitor to choose an account.
    pub(super) choose: bool,
}

impl ReturnTo {
    /// Takes an address only if it is the authorization endpoint's own path, followed by a request whose resume token was
    /// made for that very request and this browser.
    pub(super) fn check(server: &Server, browser: &BrowserCookie, address: &str) -> Option<Self> {
        let rest = address.strip_prefix(server.issuer().path())?;
        let raw = rest.strip_prefix(AUTHORIZE_PATH)?.strip_prefix('?')?;
        let query = Query::parse(raw).ok()?;
        let claims = server.handles().open_resume(query.resume()?, &browser.hash()).ok()?;
        if claims.digest != query.digest() {
            return None;
        }
        let params = Params::parse(raw.as_bytes()).ok()?;
        let prompt = params.one("prompt").ok().flatten().and_then(Prompt::parse).unwrap_or_default();
        Some(Self {
            address: address.to_owned(),
            started: claims.started,
            client_id: query.client_id().to_owned(),
            login_hint: params.one("login_hint").ok().flatten().map(str::to_owned),
            choose: prompt.select_account(),
        })
    }

    /// The address of a request as it has just arrived, for signing in as somebody else: only a sign-in from now on
    /// counts.
    pub(super) fn anew(server: &Server, browser: &BrowserCookie, raw: &str) -> Option<String> {
        let query = Query::parse(raw).ok()?;
        let claims = ResumeClaims { digest: query.digest(), started: server.now(), step: 1 };
        let token = server.handles().seal_resume(&claims, &browser.hash());
        let (path, query) = (server.issuer().path(), query.without_resume());
        Some(format!("{path}{AUTHORIZE_PATH}?{query}&{}={token}", oauth_core::authorize::RESUME_PARAM))
    }

    /// The sign-in page's query for an address.
    pub(super) fn query(address: &str) -> String {
        format!("{PARAM}={}", utf8_percent_encode(address, RESERVED))
    }
}
