//! What proves that a form was ours, and in this browser: a sealed token, bound to the browser cookie.

use http::request::Parts;
use http::{Method, StatusCode};
use oauth_core::authorize::{BrowserCookie, is_same_origin};
use oauth_core::clock::Timestamp;
use oauth_core::handle::{SealError, SealPurpose};
use oauth_core::params::Params;
use oauth_core::server::Server;
use serde::{Deserialize, Serialize};

use crate::endpoint::check_form;

/// How long a page may stay open before its form is shown anew.
const LIFETIME: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// The hidden field that carries the token.
pub(super) const FIELD: &str = "form";

/// What a form carries, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FormToken {
    expires_at: i64,
    /// Where the browser goes on; checked before it was sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) return_to: Option<String>,
    /// The session that the page spoke of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
}

impl FormToken {
    pub(super) fn new(server: &Server) -> Self {
        Self { expires_at: (server.now() + LIFETIME).as_millis(), return_to: None, session: None }
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        now.as_millis() >= self.expires_at
    }

    pub(super) fn seal(&self, server: &Server, purpose: SealPurpose, browser: &BrowserCookie) -> String {
        let text = serde_json::to_vec(self).expect("strings and numbers are JSON");
        server.handles().seal(purpose, &browser.hash(), &text, server.random())
    }

    fn open(
        server: &Server,
        purpose: SealPurpose,
        browser: &BrowserCookie,
        text: &str,
    ) -> Result<Self, SealError> {
        let text = server.handles().open(purpose, &browser.hash(), text)?;
        serde_json::from_slice(&text).map_err(|_| SealError::Malformed)
    }
}

/// Why a form is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another site's page sent it, another browser, or one without cookies.
    Foreign,
    /// It is not a form of ours.
    Malformed,
    /// It is not a form at all.
    MediaType,
}

impl Refused {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// A form that came back from our page in the same browser.
#[derive(Debug)]
pub(super) struct Posted<'a> {
    pub(super) token: FormToken,
    pub(super) browser: BrowserCookie,
    params: Params<'a>,
}

impl<'a> Posted<'a> {
    pub(super) fn read(
        server: &Server,
        purpose: SealPurpose,
        head: &Parts,
        body: &'a [u8],
    ) -> Result<Self, Refused> {
        debug_assert_eq!(head.method, Method::POST);
        if check_form(&head.headers).is_err() {
            return Err(Refused::MediaType);
        }
        if !is_same_origin(head, server.issuer()) {
            return Err(Refused::Foreign);
        }
        let browser = BrowserCookie::read(&head.headers, server.issuer()).ok_or(Refused::Foreign)?;
        let params = Params::parse(body).map_err(|_| Refused::Malformed)?;
        let sealed = params.one(FIELD).ok().flatten().ok_or(Refused::Malformed)?;
        let token = match FormToken::open(server, purpose, &browser, sealed) {
            Ok(token) => token,
            // A key that has left the ring: as old as an expired page, so it is shown anew.
            Err(SealError::UnknownKey) => FormToken { expires_at: 0, return_to: None, session: None },
            Err(SealError::Forged) => return Err(Refused::Foreign),
            Err(_) => return Err(Refused::Malformed),
        };
        Ok(Self { token, browser, params })
    }

    /// A field; empty where it is absent.
    pub(super) fn field(&self, name: &'static str) -> Result<&str, Refused> {
        self.params.one(name).map(Option::unwrap_or_default).map_err(|_| Refused::Malformed)
    }
}
