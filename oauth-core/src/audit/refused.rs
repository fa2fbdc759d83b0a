//! A refused request, as the operator sees it.

use std::borrow::Cow;

use super::EventKind;
use crate::authorize::{AuthorizeError, ShowError};
use crate::error::{Error, ErrorCode};
use crate::handle::GrantId;
use crate::limit::Rule;
use crate::server::RateLimited;

/// Why an endpoint refuses a request: made from the errors of this crate, told by
/// [`Audit::refused`](crate::server::Audit::refused).
#[derive(Clone, Debug)]
pub struct Refused<'a> {
    pub(crate) error: ErrorCode,
    pub(crate) reason: Cow<'a, str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) grant_id: Option<GrantId>,
    pub(crate) rule: Option<Rule>,
    /// Whether an operator should look at it: reuse, replay, a store that lies, and what is the server's own fault.
    pub(crate) alarming: bool,
}

impl<'a> Refused<'a> {
    /// What the client hears, and why in the operator's words.
    pub fn new(error: ErrorCode, reason: impl Into<Cow<'a, str>>) -> Self {
        let alarming = error.status() >= 500;
        Self { error, reason: reason.into(), client_id: None, grant_id: None, rule: None, alarming }
    }

    pub(crate) fn kind<'b>(&'b self, endpoint: &'b str) -> EventKind<'b> {
        let reason = &*self.reason;
        match (self.rule, self.error) {
            (Some(rule), _) => EventKind::LimitReached { endpoint, rule },
            (None, ErrorCode::InvalidClient) => EventKind::ClientAuthenticationFailed { endpoint, reason },
            (None, error) => EventKind::RequestRefused { endpoint, error, reason },
        }
    }
}

impl<'a> From<&'a Error> for Refused<'a> {
    fn from(error: &'a Error) -> Self {
        let own = Self::new(error.code(), error.reason());
        Self {
            client_id: error.client_id(),
            grant_id: error.grant_id(),
            rule: error.rule(),
            alarming: own.alarming || error.refusal().is_some_and(|refusal| refusal.is_alarming()),
            ..own
        }
    }
}

impl<'a> From<&'a ShowError> for Refused<'a> {
    fn from(error: &'a ShowError) -> Self {
        let kind = error.kind();
        let own = Self::new(kind.code(), error.reason());
        Self { client_id: error.client_id(), alarming: kind.status() >= 500, ..own }
    }
}

impl<'a> From<&'a AuthorizeError> for Refused<'a> {
    fn from(error: &'a AuthorizeError) -> Self {
        match error {
            AuthorizeError::Show(show) => show.into(),
            AuthorizeError::Redirect(redirect) => Self {
                client_id: Some(redirect.client_id()),
                alarming: false,
                ..Self::new(redirect.code(), redirect.description())
            },
        }
    }
}

impl From<&RateLimited> for Refused<'_> {
    fn from(limited: &RateLimited) -> Self {
        Self { rule: Some(limited.rule), ..Self::new(ErrorCode::TooManyRequests, limited.to_string()) }
    }
}
