//! The authorization endpoint: read the request, decide, and ask or answer (RFC 6749 §3.1, OAuth 2.1 §3.1).
//!
//! 1. A GET asks; only a POST with the page's ticket answers. No other method issues or changes anything.
//! 2. Everything that leaves through the browser and comes back is bound to its cookie.
//! 3. Who is signed in is the host's to say, each time.
//! 4. A client that described itself hears of an error only once somebody is signed in.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method};

use super::{ConsentPolicy, Decision, Pending, Server};
use crate::authorize::{
    AuthorizeError, BrowserCookie, Login, LoginReason, Next, Query, RESUME_PARAM, Request, ShowError,
    ShowKind, Situation, Ticket, is_same_origin,
};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::handle::{ResumeClaims, SealError};
use crate::limit::RequestAddress;
use crate::scope::Scope;
use crate::secret::{Secret32, random_array};

/// The path of the authorization endpoint, below the issuer's.
pub const AUTHORIZE_PATH: &str = "/authorize";

/// How long a detour may take, such as signing in with a second factor.
const MAX_DETOUR: Duration = Duration::from_secs(60 * 60);

/// What the authorization endpoint answers.
#[derive(Debug)]
pub struct Authorization {
    /// What to do.
    pub step: AuthorizeStep,
    /// The `Set-Cookie` header of the answer, if the browser is a new one.
    pub set_cookie: Option<HeaderValue>,
}

/// What to do with an authorization request.
#[derive(Debug)]
pub enum AuthorizeStep {
    /// Let somebody sign in, then send the browser back.
    Login(SignIn),
    /// Ask for consent.
    Consent(Box<Pending>),
    /// Nothing to ask: send the browser to the client.
    Issue(Answer),
}

/// A request that waits for somebody to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// Where to send the browser afterwards: path and query, relative to the issuer's origin. It carries the request and a
    /// resume token. The path is [`AUTHORIZE_PATH`] below the issuer's: an app that calls [`Server::authorize`] at another path
    /// puts its own in front of the query.
    pub return_to: String,
    /// Why.
    pub reason: LoginReason,
    /// Who the client thinks will sign in. Anybody may have written it.
    pub login_hint: Option<Arc<str>>,
    /// The client that asks.
    pub client: Arc<Client>,
    /// What it asks for.
    pub scope: Scope,
    /// Who would receive the answer: a host, or a custom scheme.
    pub redirect_host: Box<str>,
}

/// The answer for the client.
#[derive(Clone)]
pub struct Answer {
    pub(super) location: String,
}

impl Answer {
    /// Where to send the browser, with status 303 (RFC 9700 §4.12). Contains the code: not for logs.
    pub fn location(&self) -> &str {
        &self.location
    }
}

/// Shows nothing: the location has the code.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// A checked request on its way to a decision.
struct Arrival<'a> {
    query: &'a Query<'a>,
    request: Request,
    client: Arc<Client>,
    browser: BrowserCookie,
    resume: Option<ResumeClaims>,
    now: Timestamp,
}

impl Server {
    /// Answers a GET on the authorization endpoint: reads query and cookies of `head`; `login` is who the host says is
    /// signed in.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError`]: shown here, or told to the client.
    pub async fn authorize(
        self: &Arc<Self>,
        head: &Parts,
        login: Option<Login>,
    ) -> Result<Authorization, AuthorizeError> {
        self.arrive(head, login, true).await
    }

    /// The same request for a consent page of the host's own, at whatever path, with the query of
    /// [`Pending::query`]: it never issues, so where nothing would have to be asked the answer is
    /// [`AuthorizeStep::Consent`] too.
    ///
    /// # Errors
    ///
    /// As [`Server::authorize`].
    pub async fn pending(
        self: &Arc<Self>,
        head: &Parts,
        login: Option<Login>,
    ) -> Result<Authorization, AuthorizeError> {
        self.arrive(head, login, false).await
    }

    /// Takes the POST of a consent page: `ticket` is what [`Pending::ticket`] put into the page, `login` is who the host says
    /// is signed in now.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError::Show`] where the ticket is for another browser, another sign-in or too old; and whatever the client's
    /// registration, as it is now, says about the request.
    ///
    /// # Security
    ///
    /// Cross-site requests are refused by `Sec-Fetch-Site` and `Origin`; what protects is the cookie that the ticket is bound
    /// to.
    pub async fn resume_pending(
        self: &Arc<Self>,
        head: &Parts,
        ticket: &str,
        login: Option<Login>,
    ) -> Result<Decision, AuthorizeError> {
        if head.method != Method::POST {
            return Err(ShowError::new(ShowKind::Method, "an answer to a consent page must be a POST").into());
        }
        if !is_same_origin(head, self.issuer()) {
            return Err(ShowError::new(ShowKind::OtherBrowser, "the answer came from another site").into());
        }
        let browser = BrowserCookie::read(&head.headers, self.issuer()).ok_or_else(|| {
            ShowError::new(ShowKind::OtherBrowser, "the browser cookie is missing or twice")
        })?;
        let now = self.now();
        self.catch_up(now).await?;
        let open = || Ticket::open(&self.handles(), &browser.hash(), ticket);
        let ticket = match open() {
            Err(SealError::UnknownKey) if self.look_for_keys(now).await => open(),
            opened => opened,
        };
        let ticket = ticket.map_err(unsealed)?;
        if now >= ticket.expires_at {
            return Err(ShowError::new(ShowKind::Expired, "the ticket has expired").into());
        }
        if self.live.is_fenced(ticket.expires_at - self.config.ticket_lifetime) {
            return Err(
                ShowError::new(ShowKind::Expired, "the page was shown before the issuer's fence").into()
            );
        }
        let text = ticket.query.clone();
        let query = Query::parse(&text)?;
        let client = self.known_client(&query, RequestAddress::of(&head.extensions)).await?;
        let request = query.check(&client)?;
        if request.shown() != ticket.shown {
            let why = "what the client may ask for has changed since the page was shown";
            return Err(ShowError::new(ShowKind::Expired, why).for_client(request.client_id()).into());
        }
        let changed = |why| ShowError::new(ShowKind::LoginChanged, why).for_client(request.client_id());
        let login = login.ok_or_else(|| changed("nobody is signed in any more"))?;
        if !ticket.is_for(&login) {
            return Err(changed("subject, authentication or session is another").into());
        }
        let new = request.scope().clone();
        Ok(Decision::new(Pending::new(self.clone(), client, request, login, ticket, &browser, None, new)))
    }

    /// Whether `address` is a [`SignIn::return_to`] that the browser of this request was given: what a sign-in page of the host's
    /// own checks before it sends anybody there.
    pub fn is_return_to(&self, head: &Parts, address: &str) -> bool {
        let Some((path, raw)) = address.split_once('?') else { return false };
        // Browsers read a backslash as a slash, and skip control characters.
        let strange = |c: char| c == '\\' || c.is_control();
        let is_local = path.starts_with('/') && !path.starts_with("//") && !address.contains(strange);
        let browser = BrowserCookie::read(&head.headers, self.issuer());
        let query = Query::parse(raw).ok();
        is_local
            && query.zip(browser).is_some_and(|(query, own)| self.resumed(&query, &own, self.now()).is_some())
    }

    async fn arrive(
        self: &Arc<Self>,
        head: &Parts,
        login: Option<Login>,
        may_issue: bool,
    ) -> Result<Authorization, AuthorizeError> {
        if head.method != Method::GET {
            return Err(ShowError::new(ShowKind::Method, "an authorization request must be a GET").into());
        }
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        let client = self.known_client(&query, RequestAddress::of(&head.extensions)).await?;
        let no_redirector = |error| if login.is_some() { error } else { kept_here(error, &client) };
        let request = query.check(&client).map_err(no_redirector)?;
        if let Some(login) = &login {
            login.check()?;
        }
        let now = self.now();
        self.catch_up(now).await?;
        let known = BrowserCookie::read(&head.headers, self.issuer());
        let resume = known.as_ref().and_then(|browser| self.resumed(&query, browser, now));
        let (browser, set_cookie) = match known {
            Some(browser) => (browser, None),
            None => {
                let browser = BrowserCookie::generate(self.random());
                let set = browser.set(self.issuer());
                (browser, Some(set))
            }
        };
        let arrival = Arrival { query: &query, request, client, browser, resume, now };
        let step = self.decide(arrival, login, may_issue).await?;
        Ok(Authorization { step, set_cookie })
    }

    async fn decide(
        self: &Arc<Self>,
        arrival: Arrival<'_>,
        login: Option<Login>,
        may_issue: bool,
    ) -> Result<AuthorizeStep, AuthorizeError> {
        let Arrival { request, client, now, .. } = &arrival;
        let consent = match &login {
            Some(login) if self.may_skip_consent(request, client) => {
                let remembered = self.remembered(client.id(), &login.subject).await?;
                remembered
                    .filter(|consent| client.origin().changed_at().is_none_or(|at| consent.given_at >= at))
            }
            _ => None,
        };
        let situation = Situation {
            request,
            client,
            login: login.as_ref(),
            resume: arrival.resume.as_ref(),
            consent: consent.as_ref(),
            now: *now,
        };
        match (situation.next(), login) {
            (Next::Login(reason), _) => Ok(AuthorizeStep::Login(self.sign_in(&arrival, reason))),
            (Next::Consent { new }, Some(login)) => {
                Ok(AuthorizeStep::Consent(Box::new(self.ask(arrival, login, new))))
            }
            (Next::Issue, Some(login)) if !may_issue => {
                Ok(AuthorizeStep::Consent(Box::new(self.ask(arrival, login, Scope::empty()))))
            }
            (Next::Issue, Some(login)) => {
                let ticket = self.ticket(&arrival, &login, Duration::ZERO);
                let answer =
                    self.approve(&client.clone(), &arrival.request, &login, &ticket, None, false).await?;
                Ok(AuthorizeStep::Issue(answer))
            }
            (Next::Refuse(error), Some(_)) => Err(error.into()),
            (Next::Refuse(error), None) => Err(kept_here(error.into(), client)),
            (Next::Stuck, _) => {
                let why = "the browser came back from the sign-in page without the required authentication";
                Err(ShowError::new(ShowKind::SignInLoop, why).for_client(client.id()).into())
            }
            (Next::Consent { .. } | Next::Issue, None) => {
                Err(ShowError::new(ShowKind::Internal, "a decision without a sign-in").into())
            }
        }
    }

    async fn known_client(
        &self,
        query: &Query<'_>,
        from: Option<IpAddr>,
    ) -> Result<Arc<Client>, AuthorizeError> {
        let client = self.client_for(query.client_id(), from).await?;
        let unknown = || ShowError::new(ShowKind::UnknownClient, "no client has this id");
        Ok(client.ok_or_else(|| unknown().for_client(query.client_id()))?)
    }

    /// Whether it is worth looking for remembered consent.
    fn may_skip_consent(&self, request: &Request, client: &Client) -> bool {
        self.config.consent != ConsentPolicy::AlwaysAsk
            && !client.is_first_party()
            && !request.prompt().consent()
            && request.may_remember(client)
    }

    /// What the resume token vouches for; anything wrong with it is as if it were not there.
    fn resumed(&self, query: &Query<'_>, browser: &BrowserCookie, now: Timestamp) -> Option<ResumeClaims> {
        let claims = self.handles().open_resume(query.resume()?, &browser.hash()).ok()?;
        (claims.digest == query.digest() && now.since(claims.started) <= MAX_DETOUR).then_some(claims)
    }

    fn sign_in(&self, arrival: &Arrival<'_>, reason: LoginReason) -> SignIn {
        let before = arrival.resume;
        let claims = ResumeClaims {
            digest: arrival.query.digest(),
            started: before.map_or(arrival.now, |claims| claims.started),
            step: before.map_or(0, |claims| claims.step).saturating_add(1),
        };
        let token = self.handles().seal_resume(&claims, &arrival.browser.hash());
        let (path, query) = (self.issuer().path(), arrival.query.without_resume());
        SignIn {
            return_to: format!("{path}{AUTHORIZE_PATH}?{query}&{RESUME_PARAM}={token}"),
            reason,
            login_hint: arrival.request.login_hint().map(Into::into),
            client: arrival.client.clone(),
            scope: arrival.request.scope().clone(),
            redirect_host: arrival.request.registered_uri().display_host().into(),
        }
    }

    fn ask(self: &Arc<Self>, arrival: Arrival<'_>, login: Login, new: Scope) -> Pending {
        let ticket = self.ticket(&arrival, &login, self.config.ticket_lifetime);
        let Arrival { request, client, browser, resume, .. } = arrival;
        Pending::new(self.clone(), client, request, login, ticket, &browser, resume, new)
    }

    fn ticket(&self, arrival: &Arrival<'_>, login: &Login, lifetime: Duration) -> Ticket {
        Ticket {
            query: arrival.query.without_resume(),
            shown: arrival.request.shown(),
            subject: login.subject.clone(),
            authenticated_at: login.authenticated_at,
            session: login.session.clone(),
            grant: self.new_grant_id(arrival.now, random_array(self.random())),
            nonce: Secret32::generate(self.random()),
            key: self.handles().current_key(),
            expires_at: arrival.now + lifetime,
        }
    }
}

/// Without a sign-in, an error for a client that nobody here has registered is shown instead: otherwise anybody could register a
/// client and have a link of this server lead straight to their own pages (RFC 9700 §4.11.2).
fn kept_here(error: AuthorizeError, client: &Client) -> AuthorizeError {
    match error {
        AuthorizeError::Redirect(error) if client.is_self_described() => {
            let why = format!("not told to a client that described itself: {error}");
            ShowError::new(ShowKind::NotTold, why).for_client(client.id()).into()
        }
        error => error,
    }
}

pub(super) fn unsealed(error: SealError) -> ShowError {
    let kind = match error {
        SealError::UnknownKey => ShowKind::Expired,
        SealError::Forged => ShowKind::OtherBrowser,
        _ => ShowKind::Malformed,
    };
    ShowError::new(kind, error.to_string())
}
