//! What happens next with a request: sign in, ask for consent, refuse, or issue a code.
//!
//! 1. `prompt=login` and `prompt=select_account` are met by an authentication at or after the first arrival of the
//!    request, and by nothing else; the resume token vouches for that time.
//! 2. `max_age` is met by an authentication that is young enough, or by one at or after the first arrival: so `max_age=0`
//!    can be met too.
//! 3. `prompt=none` shows nothing: what would have to be shown is an error instead.
//! 4. Remembered consent counts where it covers all that is asked, and never for a public client that is reached by a
//!    loopback address or a custom scheme: any program on the device could pose as it (RFC 8252 §8.6).
//!
//! "At or after" is to the millisecond where the host's time of authentication has milliseconds. Many hosts keep whole seconds;
//! then the whole second of the arrival counts, since a sign-in within it cannot be told from one just before it.

use std::time::Duration;

use super::{Login, RedirectError, Request};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::error::ErrorCode;
use crate::handle::ResumeClaims;
use crate::redirect_uri::RedirectKind;
use crate::scope::Scope;
use crate::storage::Consent;

/// How often a request may come back from the sign-in page without being met, before it is an error.
pub const MAX_DETOURS: u8 = 3;

/// Everything that the next step depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its client.
    pub client: &'a Client,
    /// Who is signed in.
    pub login: Option<&'a Login>,
    /// The verified resume token of this very request, in this browser.
    pub resume: Option<&'a ResumeClaims>,
    /// What this subject has allowed this client before, if that is remembered.
    pub consent: Option<&'a Consent>,
    /// The time.
    pub now: Timestamp,
}

/// What happens next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Somebody must sign in.
    Login(LoginReason),
    /// The person must be asked.
    Consent {
        /// What they have not allowed before.
        new: Scope,
    },
    /// The client is told no.
    Refuse(RedirectError),
    /// A code is issued.
    Issue,
    /// The sign-in page was visited [`MAX_DETOURS`] times, and still the request is not met.
    Stuck,
}

/// Why somebody must sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginReason {
    /// Nobody is signed in.
    NotSignedIn,
    /// The client asks for a new authentication (`prompt=login`).
    PromptLogin,
    /// The client asks for a choice of accounts (`prompt=select_account`).
    SelectAccount,
    /// The authentication is older than the client accepts (`max_age`).
    TooOld,
}

impl Situation<'_> {
    /// Decides.
    pub fn next(&self) -> Next {
        let request = self.request;
        let login = match self.login {
            Some(login) => self.why_again(login).map_or(Ok(login), Err),
            None => Err(LoginReason::NotSignedIn),
        };
        let login = match login {
            Ok(login) => login,
            Err(_) if request.prompt().none() => {
                let why = "the person must sign in, and prompt=none forbids to ask";
                return Next::Refuse(request.refuse(ErrorCode::LoginRequired, why));
            }
            Err(_) if self.resume.is_some_and(|resume| resume.step >= MAX_DETOURS) => return Next::Stuck,
            Err(reason) => return Next::Login(reason),
        };
        match self.unconsented(login) {
            None => Next::Issue,
            Some(_) if request.prompt().none() => {
                let why = "the person must consent, and prompt=none forbids to ask";
                Next::Refuse(request.refuse(ErrorCode::ConsentRequired, why))
            }
            Some(new) => Next::Consent { new },
        }
    }

    /// Why an authentication that exists is not enough.
    fn why_again(&self, login: &Login) -> Option<LoginReason> {
        if self.resume.is_some_and(|resume| is_since(resume.started, login.authenticated_at)) {
            return None;
        }
        let prompt = self.request.prompt();
        let age = self.now.since(login.authenticated_at);
        // Also an authentication of this very instant was there before the request asked for a new one.
        let young = |max_age: u32| max_age > 0 && age <= Duration::from_secs(max_age.into());
        if prompt.login() {
            Some(LoginReason::PromptLogin)
        } else if prompt.select_account() {
            Some(LoginReason::SelectAccount)
        } else if self.request.max_age().is_some_and(|max_age| !young(max_age)) {
            Some(LoginReason::TooOld)
        } else {
            None
        }
    }

    /// What must be asked for; `None` where nothing must.
    fn unconsented(&self, login: &Login) -> Option<Scope> {
        let scope = self.request.scope();
        let given = self.consent.filter(|consent| {
            self.request.may_remember(self.client)
                && *consent.client_id == *self.client.id()
                && consent.subject == login.subject
                && self.now < consent.expires_at
        });
        // What was allowed for other resources was not allowed for these.
        let given = given.filter(|given| {
            let asked = self.request.resources();
            asked.is_empty() == given.resources.is_empty()
                && asked.iter().all(|asked| given.resources.contains(asked))
        });
        let new = given.map_or_else(|| scope.clone(), |given| scope.difference(&given.scope));
        // Whose own a native public client is cannot be told from its id, which any program on the device can use.
        let own = self.client.is_first_party() && self.request.may_remember(self.client);
        let skip = own || (given.is_some() && new.is_empty());
        (self.request.prompt().consent() || !skip).then_some(new)
    }
}

fn is_since(arrival: Timestamp, authenticated_at: Timestamp) -> bool {
    if authenticated_at.as_millis() % 1000 == 0 {
        authenticated_at.as_secs() >= arrival.as_secs()
    } else {
        authenticated_at >= arrival
    }
}

impl Request {
    /// Whether consent to this request may stand in for a later one.
    pub(crate) fn may_remember(&self, client: &Client) -> bool {
        let uri = self.registered_uri();
        !client.is_public() || (uri.kind() == RedirectKind::Https && !uri.is_on_this_device())
    }
}
