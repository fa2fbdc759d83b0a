//! The authorization endpoint's decisions (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1, RFC 9207): pure functions over values.
//!
//! `Query ─check(client)→ Request ─next(login, consent, now)→ Next::{Login, Consent, Refuse, Issue, Stuck}`
//!
//! 1. Errors are of two types that cannot be confused: [`ShowError`] is rendered here, since client or redirect URI are
//!    not trusted; [`RedirectError`] carries a redirect URI that has been validated.
//! 2. Only [`Query::check`] makes a [`Request`]; what travels through the browser is checked again when it comes back.
//! 3. `state` comes back byte for byte, `iss` goes with every answer, success or error.
//! 4. Nothing is written for a visitor who has not approved: the request travels sealed in the page.

mod browser;
mod error;
mod login;
mod prompt;
mod query;
mod request;
mod same_origin;
mod step;
#[cfg(test)]
mod tests;
mod ticket;

pub use browser::{BrowserCookie, cookie_name};
pub use error::{AuthorizeError, RedirectError, ShowError, ShowKind};
pub use login::Login;
pub use prompt::Prompt;
pub use query::{MAX_QUERY_BYTES, Query, RESUME_PARAM};
pub use request::{MAX_LOGIN_HINT_BYTES, MAX_NONCE_BYTES, MAX_STATE_BYTES, Request};
pub use same_origin::is_same_origin;
pub use step::{LoginReason, MAX_DETOURS, Next, Situation};

pub(crate) use ticket::Ticket;
