//! Who is signed in, as the host says.

use std::sync::Arc;

use super::{ShowError, ShowKind};
use crate::clock::Timestamp;
use crate::grant::Authentication;

/// The longest subject, in bytes (OpenID Connect Core §2 allows 255 ASCII characters).
const MAX_SUBJECT_BYTES: usize = 255;

/// The person that is signed in to the host, in the browser that makes the request.
///
/// # Correctness
///
/// `authenticated_at` is when they last proved who they are, not when they were last seen: it answers `prompt=login` and
/// `max_age`, and a consent page counts only for the very sign-in that it was shown to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The subject identifier: 1 to 255 bytes without control characters, never given to another person.
    pub subject: Arc<str>,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// The host's session: grants can be listed and revoked by it.
    pub session: Option<Arc<str>>,
    /// The authentication context class reference (`acr`).
    pub acr: Option<Arc<str>>,
    /// The authentication methods (`amr`, RFC 8176).
    pub amr: Vec<Arc<str>>,
    /// Whatever the host wants to find again in the grant; never shown to clients.
    pub host_data: Option<Arc<str>>,
}

impl Login {
    /// Somebody who proved who they are at that time.
    pub fn new(subject: impl Into<Arc<str>>, authenticated_at: Timestamp) -> Self {
        Self {
            subject: subject.into(),
            authenticated_at,
            session: None,
            acr: None,
            amr: Vec::new(),
            host_data: None,
        }
    }

    /// The host's session.
    #[must_use]
    pub fn session(mut self, session: impl Into<Arc<str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// How they authenticated: `acr`.
    #[must_use]
    pub fn acr(mut self, acr: impl Into<Arc<str>>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// How they authenticated: `amr`.
    #[must_use]
    pub fn amr<T: Into<Arc<str>>>(mut self, amr: impl IntoIterator<Item = T>) -> Self {
        self.amr = amr.into_iter().map(Into::into).collect();
        self
    }

    /// What the host wants to find again in the grant.
    #[must_use]
    pub fn host_data(mut self, data: impl Into<Arc<str>>) -> Self {
        self.host_data = Some(data.into());
        self
    }

    /// Whether the subject can be used at all.
    pub(crate) fn check(&self) -> Result<(), ShowError> {
        let valid = (1..=MAX_SUBJECT_BYTES).contains(&self.subject.len())
            && !self.subject.chars().any(char::is_control);
        if valid {
            return Ok(());
        }
        Err(ShowError::new(
            ShowKind::Internal,
            "the host named a subject that is empty, longer than 255 bytes, or has control characters",
        ))
    }

    pub(crate) fn authentication(&self) -> Authentication {
        Authentication::new(self.authenticated_at).by(self.acr.clone(), self.amr.clone())
    }
}
