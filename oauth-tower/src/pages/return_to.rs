//! Where the browser goes after signing in: back to an authorization request that we sent away, or to the verification page of
//! the device flow, and nowhere else.

use oauth_core::authorize::{BrowserCookie, Prompt, Query, RESUME_PARAM};
use oauth_core::clock::Timestamp;
use oauth_core::handle::{ResumeClaims, SealPurpose};
use oauth_core::params::Params;
use oauth_core::server::Server;

/// The query parameter of the sign-in page: a sealed address, so that nobody else can name one.
pub(super) const PARAM: &str = "return_to";

/// Stands before the address where the visitor wants to be somebody else; no path begins with it.
const SWITCH: &str = "switch ";

/// An address that this server issued to this browser.
#[derive(Debug)]
pub(super) struct ReturnTo {
    /// Path and query of the authorization request, with its resume token.
    pub(super) address: String,
    /// When the request first arrived.
    started: Timestamp,
    /// The client that waits.
    pub(super) client_id: String,
    /// Who the client thinks will sign in.
    pub(super) login_hint: Option<String>,
    /// Whether an account is to be chosen, so that none is suggested.
    pub(super) choose: bool,
    /// Whether the visitor, who was signed in, wants to be somebody else.
    switch: bool,
}

impl ReturnTo {
    /// Seals an address of ours for the sign-in page's query; `switch` where the visitor wants to be somebody else.
    pub(super) fn seal(server: &Server, address: &str, switch: bool) -> String {
        let text = [if switch { SWITCH } else { "" }, address].concat();
        server.handles().seal(SealPurpose::Resume, PARAM.as_bytes(), text.as_bytes(), server.random())
    }

    /// Opens what [`ReturnTo::seal`] made.
    pub(super) fn open(server: &Server, browser: &BrowserCookie, sealed: &str) -> Option<Self> {
        let address = server.handles().open(SealPurpose::Resume, PARAM.as_bytes(), sealed).ok()?;
        let text = String::from_utf8(address).ok()?;
        let (address, switch) = text.strip_prefix(SWITCH).map_or((&*text, false), |address| (address, true));
        let own = Self::read(server, browser, address)?;
        Some(Self { choose: own.choose || switch, switch, ..own })
    }

    /// Reads an address that was sealed: its request must carry a resume token that was made for that very request and for
    /// this browser.
    pub(super) fn read(server: &Server, browser: &BrowserCookie, address: &str) -> Option<Self> {
        if let Some(device) = Self::device(server, address) {
            return Some(device);
        }
        let (_, raw) = address.split_once('?')?;
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
            switch: false,
        })
    }

    /// The verification page: whoever is signed in may go there.
    fn device(server: &Server, address: &str) -> Option<Self> {
        let path = address.split_once('?').map_or(address, |(path, _)| path);
        (path == server.verification_path()?).then(|| Self {
            address: address.to_owned(),
            started: Timestamp::EPOCH,
            client_id: String::new(),
            login_hint: None,
            choose: false,
            switch: false,
        })
    }

    /// Whether somebody who signed in at that time did so for this request. Whoever wants to be somebody else was signed in
    /// when `started` was set, perhaps at that very moment.
    pub(super) fn is_met_by(&self, authenticated_at: Timestamp) -> bool {
        authenticated_at > self.started || (authenticated_at == self.started && !self.switch)
    }

    /// The address of a request as it has just arrived at `path`, for signing in as somebody else: only a sign-in from now
    /// on counts.
    pub(super) fn anew(server: &Server, browser: &BrowserCookie, path: &str, raw: &str) -> Option<String> {
        let query = Query::parse(raw).ok()?;
        let claims = ResumeClaims { digest: query.digest(), started: server.now(), step: 1 };
        let token = server.handles().seal_resume(&claims, &browser.hash());
        Some(format!("{path}?{}&{RESUME_PARAM}={token}", query.without_resume()))
    }
}
