//! The built-in sign-in, consent, device, error and signed-out pages, and the flow between them.
//!
//! 1. Everything works without scripts; each form is sealed for one browser, so no other site can send it (RFC 6819
//!    §4.4.1.8), and several tabs do not disturb each other.
//! 2. After signing in the browser goes back to an authorization request that this server sent away, and nowhere else.
//! 3. Who is signed in is a record in the store, which can be ended; see [`Pages::session_lifetime`].
//! 4. Names and passwords are the host's to check: [`Credentials`].

mod attempt;
mod credentials;
mod device;
mod form;
mod host;
mod known_browser;
mod return_to;
mod session;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;
pub mod view;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use oauth_core::audit;
use oauth_core::authorize::{BrowserCookie, Login, ShowError, ShowKind};
#[cfg(feature = "axum")]
use oauth_core::server::DeviceFlow;
use oauth_core::server::Server;
use oauth_core::storage::{StoreError, StoreResult};

pub use credentials::{Credentials, CredentialsError, Identity};
pub use host::{consent_page, error_page};
pub use view::*;

pub(crate) use host::serve;

use crate::endpoint::{refused_as, seconds};
use form::Refused;
use return_to::ReturnTo;
use session::Live;

/// What the pages that have a path of their own take.
const METHODS: &str = "GET, HEAD, POST, OPTIONS";

const TWO_WEEKS: Duration = Duration::from_secs(14 * 24 * 3600);

/// Built-in pages over a credential check.
pub struct Pages {
    server: Arc<Server>,
    credentials: Arc<dyn Credentials>,
    theme: Theme,
    sign_in: String,
    sign_out: String,
    home: Option<String>,
    lifetime: Duration,
}

/// One of the pages that have a path of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The sign-in page.
    SignIn,
    /// The sign-out page.
    SignOut,
    /// The verification page of the device flow.
    Device,
}

impl Page {
    /// A name for logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Device => "device",
        }
    }
}

impl Pages {
    /// Pages that call the app by the issuer's host; see [`Pages::theme`].
    pub fn new(server: Arc<Server>, credentials: impl Credentials) -> Self {
        let origin = server.issuer().origin();
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        Self {
            theme: Theme::new(host),
            credentials: Arc::new(credentials),
            sign_in: "/sign-in".to_owned(),
            sign_out: "/sign-out".to_owned(),
            home: None,
            lifetime: TWO_WEEKS,
            server,
        }
    }

    /// The app's name and look.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = theme;
        self
    }

    /// The path of the sign-in page, below the issuer's; default `/sign-in`.
    ///
    /// # Panics
    ///
    /// If it does not begin with one slash.
    #[must_use]
    pub fn sign_in_path(mut self, path: impl Into<String>) -> Self {
        self.sign_in = own_path(path.into());
        self
    }

    /// The path of the sign-out page, below the issuer's; default `/sign-out`.
    ///
    /// # Panics
    ///
    /// If it does not begin with one slash.
    #[must_use]
    pub fn sign_out_path(mut self, path: impl Into<String>) -> Self {
        self.sign_out = own_path(path.into());
        self
    }

    /// Where somebody goes who signed in without coming from an app: a path on this origin. Without it they see a page
    /// that says who they are.
    ///
    /// # Panics
    ///
    /// If it does not begin with one slash.
    #[must_use]
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.home = Some(own_path(path.into()));
        self
    }

    /// How long somebody stays signed in; default 14 days.
    #[must_use]
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Who is signed in, in the browser that makes the request.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn login(&self, head: &Parts) -> StoreResult<Option<Login>> {
        Ok(Live::find(&self.server, &head.headers).await?.map(|live| live.login()))
    }

    /// Which page a path is; `path` is relative to the issuer's.
    pub(crate) fn page(&self, path: &str) -> Option<Page> {
        if path == self.sign_in {
            Some(Page::SignIn)
        } else if path == self.sign_out {
            Some(Page::SignOut)
        } else if self.server.device_flow().is_some_and(|flow| path == flow.path()) {
            Some(Page::Device)
        } else {
            None
        }
    }

    /// The paths of the pages, relative to the issuer's.
    #[cfg(feature = "axum")]
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        let device = self.server.device_flow().map(DeviceFlow::path);
        [&*self.sign_in, &*self.sign_out].into_iter().chain(device)
    }

    /// Answers a request for one of the pages, with all its body, which the caller has bounded.
    pub(crate) async fn respond(&self, page: Page, head: &Parts, body: &[u8]) -> Response<String> {
        let answer = match (page, &head.method) {
            (Page::SignIn, &Method::GET | &Method::HEAD) => self.show_sign_in(head).await,
            (Page::SignIn, &Method::POST) => self.take_sign_in(head, body).await,
            (Page::SignOut, &Method::GET | &Method::HEAD) => self.show_sign_out(head).await,
            (Page::SignOut, &Method::POST) => self.take_sign_out(head, body).await,
            (Page::Device, &Method::GET | &Method::HEAD) => self.show_device(head).await,
            (Page::Device, &Method::POST) => self.take_device(head, body).await,
            _ => Err(Failed::Method),
        };
        answer.unwrap_or_else(|failed| self.failed(page, &failed))
    }

    /// The sign-in page's address for a request that waits at `return_to`.
    pub(crate) fn sign_in_address(&self, return_to: &str) -> String {
        self.sign_in_for(return_to, false)
    }

    /// The address at which somebody else signs in for the request that `head` makes at `path`. `None` for a browser without a
    /// cookie yet, to which the return could not be bound.
    pub(crate) fn switch_account_address(&self, head: &Parts, path: &str) -> Option<String> {
        let browser = BrowserCookie::read(&head.headers, self.server.issuer())?;
        let return_to = ReturnTo::anew(&self.server, &browser, path, head.uri.query()?)?;
        Some(self.sign_in_for(&return_to, true))
    }

    fn sign_in_for(&self, return_to: &str, switch: bool) -> String {
        let sealed = ReturnTo::seal(&self.server, return_to, switch);
        format!("{}?{}={sealed}", self.sign_in_full_path(), return_to::PARAM)
    }

    fn sign_in_full_path(&self) -> String {
        format!("{}{}", self.server.issuer().path(), self.sign_in)
    }

    fn sign_out_full_path(&self) -> String {
        format!("{}{}", self.server.issuer().path(), self.sign_out)
    }

    /// The browser's cookie; for a browser that has none, a new one with the header that sets it.
    fn browser(&self, head: &Parts) -> (BrowserCookie, Option<HeaderValue>) {
        let issuer = self.server.issuer();
        if let Some(browser) = BrowserCookie::read(&head.headers, issuer) {
            return (browser, None);
        }
        let browser = BrowserCookie::generate(self.server.random());
        let set = browser.set(issuer);
        (browser, Some(set))
    }

    fn html(&self, status: StatusCode, html: String, set_cookie: Option<HeaderValue>) -> Response<String> {
        let mut response = Response::new(html);
        *response.status_mut() = status;
        *response.headers_mut() = self.theme.headers();
        if let Some(cookie) = set_cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// 303: the browser follows with GET (RFC 9700 §4.12).
    fn see_other(&self, location: &str) -> Result<Response<String>, Failed> {
        let location =
            HeaderValue::try_from(location).map_err(|_| Failed::Internal("the address is no header text"))?;
        let mut response = self.html(StatusCode::SEE_OTHER, String::new(), None);
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }

    fn failed(&self, page: Page, failed: &Failed) -> Response<String> {
        let kind = failed.kind();
        let status = match failed {
            Failed::Refused(refused) => refused.status(),
            _ => StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let audit = self.server.audit();
        match failed {
            Failed::Show(error) => audit.refused(page.name(), error),
            _ => audit.refused(page.name(), audit::Refused::new(kind.code(), failed.to_string())),
        }
        let view = ErrorView {
            title: kind.title(),
            explanation: failed.explanation(),
            remedy: failed.remedy(),
            code: kind.code().as_str(),
            reference: None,
        };
        let mut response = self.html(status, view.render(&self.theme), None);
        refused_as(&mut response, kind.code());
        match failed {
            Failed::Method => {
                let allow = HeaderValue::from_static(METHODS);
                response.headers_mut().insert(header::ALLOW, allow);
            }
            Failed::Store(_) | Failed::Credentials(_) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            Failed::Show(error) => {
                if let Some(after) = error.retry_after() {
                    response.headers_mut().insert(header::RETRY_AFTER, seconds(after));
                }
            }
            _ => {}
        }
        response
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("sign_in", &self.sign_in)
            .field("sign_out", &self.sign_out)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

fn own_path(path: String) -> String {
    let own = view::local_path(&path).is_some() && !path.contains(['?', '#']);
    assert!(own, "{path:?} is not a path on this origin; use something like \"/sign-in\"");
    path
}

/// Why a page cannot answer.
#[derive(Debug)]
enum Failed {
    Refused(Refused),
    Method,
    Store(StoreError),
    Credentials(CredentialsError),
    Internal(&'static str),
    Show(ShowError),
}

impl Failed {
    fn kind(&self) -> ShowKind {
        match self {
            Self::Refused(Refused::Foreign) => ShowKind::OtherBrowser,
            Self::Refused(_) => ShowKind::Malformed,
            Self::Method => ShowKind::Method,
            Self::Store(_) | Self::Credentials(_) => ShowKind::Unavailable,
            Self::Internal(_) => ShowKind::Internal,
            Self::Show(error) => error.kind(),
        }
    }

    fn explanation(&self) -> &'static str {
        match self {
            Self::Refused(Refused::Malformed | Refused::MediaType) => "The form cannot be read.",
            _ => self.kind().explanation(),
        }
    }

    fn remedy(&self) -> &'static str {
        match self {
            Self::Refused(Refused::Foreign) => {
                "Allow cookies for this site, go back, reload the page, and try again."
            }
            Self::Refused(_) | Self::Method => "Go back, reload the page, and try again.",
            _ => self.kind().remedy(),
        }
    }
}

/// For the operator: never what was typed.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(Refused::Foreign) => f.write_str("the form is from another site or browser"),
            Self::Refused(Refused::Malformed) => f.write_str("the form cannot be read"),
            Self::Refused(Refused::MediaType) => f.write_str("the body is not a form"),
            Self::Method => f.write_str("the method is not allowed"),
            Self::Store(error) => write!(f, "store: {error}"),
            Self::Credentials(error) => write!(f, "credentials could not be checked: {error}"),
            Self::Internal(reason) => f.write_str(reason),
            Self::Show(error) => f.write_str(error.reason()),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ShowError> for Failed {
    fn from(error: ShowError) -> Self {
        Self::Show(error)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
