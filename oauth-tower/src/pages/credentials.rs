//! Who somebody is, by name and password: the host's to say.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// The failure of a credential check that could not be made. It never counts as a wrong password.
pub type CredentialsError = Box<dyn std::error::Error + Send + Sync>;

/// Checks what was typed into the sign-in page.
///
/// # Security
///
/// * A wrong password and an unknown name must not be told apart, also not by time: hash the password in both cases.
/// * Password hashing takes tens of milliseconds of a whole core: run it off the async threads, and bound how many run at
///   once (`tokio::task::spawn_blocking` behind a semaphore).
/// * Guessing is slowed down by the pages: see the `SignIn` rules of [`Rule`](oauth_core::limit::Rule).
///
/// Passwords longer than 1 KiB and names longer than 255 bytes never get here.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not check credentials for the sign-in page",
    note = "implement `oauth_tower::pages::Credentials`"
)]
pub trait Credentials: Send + Sync + 'static {
    /// Who it is, or `None` if name and password do not belong together.
    ///
    /// # Errors
    ///
    /// When the check could not be made; the visitor sees 503 and may try again.
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError>;
}

#[async_trait]
impl<C: Credentials + ?Sized> Credentials for Arc<C> {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        (**self).check(username, password).await
    }
}

/// Somebody who has just proven who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(super) subject: Arc<str>,
    pub(super) acr: Option<Arc<str>>,
    pub(super) amr: Vec<Arc<str>>,
}

impl Identity {
    /// The subject identifier: 1 to 255 bytes without control characters, never given to another person.
    pub fn new(subject: impl Into<Arc<str>>) -> Self {
        Self { subject: subject.into(), acr: None, amr: vec!["pwd".into()] }
    }

    /// The authentication context class reference (`acr`).
    #[must_use]
    pub fn acr(mut self, acr: impl Into<Arc<str>>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// The authentication methods (`amr`, RFC 8176), instead of `pwd` alone.
    #[must_use]
    pub fn amr<T: Into<Arc<str>>>(mut self, amr: impl IntoIterator<Item = T>) -> Self {
        self.amr = amr.into_iter().map(Into::into).collect();
        self
    }
}

/// The longest name that is checked, in bytes.
const MAX_USERNAME: usize = 255;
/// The longest password that is checked, in bytes; also what bounds the work of a slow hash.
const MAX_PASSWORD: usize = 1024;

/// What was typed, within its bounds.
pub(super) struct Typed<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
}

impl<'a> Typed<'a> {
    /// `None` where it cannot be anybody's.
    pub(super) fn new(username: &'a str, password: &'a str) -> Option<Self> {
        let fits =
            (1..=MAX_USERNAME).contains(&username.len()) && (1..=MAX_PASSWORD).contains(&password.len());
        fits.then_some(Self { username, password })
    }
}

impl fmt::Debug for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").field("username", &self.username).finish_non_exhaustive()
    }
}
