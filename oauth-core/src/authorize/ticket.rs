//! The ticket: what a consent page carries, sealed, from its rendering to its answer.
//!
//! Bound to the browser, the issuer and the step by the seal, and to the sign-in by what it says. It carries the id of the
//! future grant and the nonce of its code: a double click on "allow" is one grant and one code.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::Login;
use crate::clock::Timestamp;
use crate::handle::{GrantId, Handles, KeyId, SealError, SealPurpose};
use crate::secret::{Random, Secret32};

/// The content of a consent page's seal.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    /// The raw query: parsed and checked again when the answer comes.
    pub(crate) query: String,
    /// What the page said: what the client may have could change until the answer comes.
    pub(crate) shown: [u8; 32],
    /// Who was asked.
    pub(crate) subject: Arc<str>,
    /// When they had authenticated.
    pub(crate) authenticated_at: Timestamp,
    /// In which session of the host.
    pub(crate) session: Option<Arc<str>>,
    /// The id of the grant, should they agree.
    pub(crate) grant: GrantId,
    /// What the code is derived from.
    pub(crate) nonce: Secret32,
    /// And with which key.
    pub(crate) key: KeyId,
    /// Until when it may be answered.
    pub(crate) expires_at: Timestamp,
}

impl Ticket {
    /// Whether this is the same sign-in as the one that the page was shown to.
    pub(crate) fn is_for(&self, login: &Login) -> bool {
        self.subject == login.subject
            && self.authenticated_at == login.authenticated_at
            && self.session == login.session
    }

    /// Seals it for one browser.
    pub(crate) fn seal(&self, handles: &Handles, browser: &[u8; 32], random: &dyn Random) -> String {
        let mut plain = Zeroizing::new(Vec::with_capacity(160 + self.query.len() + self.subject.len()));
        plain.extend_from_slice(self.grant.as_bytes());
        plain.extend_from_slice(self.nonce.expose());
        plain.extend_from_slice(self.key.as_bytes());
        plain.extend_from_slice(&self.shown);
        plain.extend_from_slice(&self.authenticated_at.as_millis().to_be_bytes());
        plain.extend_from_slice(&self.expires_at.as_millis().to_be_bytes());
        plain.push(self.session.is_some().into());
        for text in [&self.query, &*self.subject, self.session.as_deref().unwrap_or_default()] {
            plain.extend_from_slice(&(text.len() as u64).to_be_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        handles.seal(SealPurpose::Consent, browser, &plain, random)
    }

    /// Opens what [`Ticket::seal`] made for the same browser. Its age is the caller's to check.
    pub(crate) fn open(handles: &Handles, browser: &[u8; 32], text: &str) -> Result<Self, SealError> {
        let plain = Zeroizing::new(handles.open(SealPurpose::Consent, browser, text)?);
        let mut rest = plain.as_slice();
        let grant = GrantId::from_bytes(take(&mut rest)?);
        let nonce = Secret32::new(take(&mut rest)?);
        let key = KeyId::from_bytes(take(&mut rest)?);
        let shown = take(&mut rest)?;
        let authenticated_at = Timestamp::from_millis(i64::from_be_bytes(take(&mut rest)?));
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(take(&mut rest)?));
        let [has_session] = take(&mut rest)?;
        let query = take_text(&mut rest)?.to_owned();
        let subject = take_text(&mut rest)?.into();
        let session = take_text(&mut rest)?;
        let session = (has_session != 0).then(|| session.into());
        Ok(Self { query, shown, subject, authenticated_at, session, grant, nonce, key, expires_at })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SealError> {
    let (head, tail) = rest.split_first_chunk().ok_or(SealError::Malformed)?;
    *rest = tail;
    Ok(*head)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, SealError> {
    let len = usize::try_from(u64::from_be_bytes(take(rest)?)).map_err(|_| SealError::Malformed)?;
    let (text, tail) = rest.split_at_checked(len).ok_or(SealError::Malformed)?;
    *rest = tail;
    std::str::from_utf8(text).map_err(|_| SealError::Malformed)
}
