//! What the confirmation page of a device carries, sealed for one browser.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::authorize::Login;
use crate::clock::Timestamp;
use crate::handle::{GrantId, Handles, SealError, SealPurpose};
use crate::secret::Random;

/// Which question was asked of whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DeviceTicket {
    pub(super) grant: GrantId,
    pub(super) user_code: String,
    subject: Arc<str>,
    authenticated_at: Timestamp,
    session: Option<Arc<str>>,
    pub(super) shown_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl DeviceTicket {
    pub(super) fn new(
        grant: GrantId,
        user_code: String,
        login: &Login,
        shown_at: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        let (subject, session) = (login.subject.clone(), login.session.clone());
        Self {
            grant,
            user_code,
            subject,
            authenticated_at: login.authenticated_at,
            session,
            shown_at,
            expires_at,
        }
    }

    /// Whether this is the same sign-in as the one that the page was shown to.
    pub(super) fn is_for(&self, login: &Login) -> bool {
        self.subject == login.subject
            && self.authenticated_at == login.authenticated_at
            && self.session == login.session
    }

    pub(super) fn seal(&self, handles: &Handles, browser: &[u8; 32], random: &dyn Random) -> String {
        let text = rmp_serde::to_vec(self).expect("writing to memory does not fail");
        handles.seal(SealPurpose::Device, browser, &text, random)
    }

    pub(super) fn open(handles: &Handles, browser: &[u8; 32], text: &str) -> Result<Self, SealError> {
        let text = handles.open(SealPurpose::Device, browser, text)?;
        rmp_serde::from_slice(&text).map_err(|_| SealError::Malformed)
    }
}
