//! Who may say no to a registration, and what a yes is worth.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use http::HeaderMap;

use crate::client::{ClientMetadata, Lifetimes};
use crate::error::Error;
use crate::scope::Scope;

/// What a policy decides about: a registration, or an update of one.
#[non_exhaustive]
pub struct RegistrationRequest<'a> {
    /// What the client says about itself. Each member was read, and nothing of it is vouched for.
    pub metadata: &'a ClientMetadata,
    /// The headers of the request. They may hold credentials.
    pub headers: &'a HeaderMap,
    /// Where it comes from, if that is known.
    pub address: Option<IpAddr>,
    /// The client, where it updates its registration.
    pub client_id: Option<&'a str>,
}

/// Shows no headers: there are credentials in them.
impl fmt::Debug for RegistrationRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationRequest")
            .field("metadata", self.metadata)
            .field("address", &self.address)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A yes, and what it is limited to. It never gives more than the server's terms do.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Admission {
    pub(super) scope: Option<Scope>,
    pub(super) lifetimes: Lifetimes,
}

impl Admission {
    /// All that registered clients may have.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the scope that registered clients may have, this part.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Other lifetimes than the server's for what the client gets.
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }
}

/// Decides who may register, and with what.
///
/// # Correctness
///
/// A "no" is an [`Error`] with one of the codes of RFC 7591 §3.2.2, or
/// [`AccessDenied`](crate::error::ErrorCode::AccessDenied); its description is told to the client. What is down is
/// [`Error::unavailable`], and never a "yes". It is asked within the request's deadline.
#[async_trait]
pub trait RegistrationPolicy: fmt::Debug + Send + Sync + 'static {
    /// Whether the client may register, or update its registration, with these metadata.
    async fn admit(&self, request: &RegistrationRequest<'_>) -> Result<Admission, Error>;
}
