//! What a grant type allows: made by few, consumed once.

use std::sync::Arc;
use std::time::Duration;

use super::TokenRequest;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::grant::{Authentication, Refusal, Resources};
use crate::scope::Scope;

/// The decision of a grant type that tokens may be issued.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    pub(crate) subject: Option<Arc<str>>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) scope: Scope,
    pub(crate) resources: Resources,
    pub(crate) first_use: Option<FirstUse>,
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) refreshable: bool,
}

/// A value that the server accepts once.
#[derive(Debug)]
pub struct FirstUse {
    pub(crate) namespace: String,
    pub(crate) value: String,
    pub(crate) until: Timestamp,
}

/// How a grant type knows the subject: kept with the grant, for those who audit it.
#[derive(Clone, Debug)]
pub struct Proof {
    method: Arc<str>,
    authenticated_at: Timestamp,
}

impl Proof {
    /// A subject that was authenticated by `method` at that time.
    pub fn new(method: impl Into<Arc<str>>, authenticated_at: Timestamp) -> Self {
        Self { method: method.into(), authenticated_at }
    }
}

impl Permit {
    /// Allows the client to act for itself, within its own scope and resources, without a refresh token (RFC 6749 §4.4).
    ///
    /// # Errors
    ///
    /// `invalid_scope` or `invalid_target` when the request exceeds what the client may have.
    pub fn for_client(request: &TokenRequest<'_>) -> Result<Self, Error> {
        let (scope, resources) = within_client(request)?;
        Ok(Self {
            subject: None,
            authentication: None,
            scope,
            resources,
            first_use: None,
            not_after: None,
            refreshable: false,
        })
    }

    /// Allows the client to act for a subject, within the client's scope and resources, without a refresh token.
    ///
    /// # Errors
    ///
    /// `invalid_scope` or `invalid_target` when the request exceeds what the client may have; `invalid_grant` when the
    /// subject is empty, longer than 255 bytes, or has control characters.
    pub fn for_subject(
        request: &TokenRequest<'_>,
        subject: impl Into<Arc<str>>,
        proof: Proof,
    ) -> Result<Self, Error> {
        let subject = subject.into();
        if !crate::grant::is_subject(&subject) {
            return Err(Error::new(ErrorCode::InvalidGrant, "the subject is not valid"));
        }
        let authentication = Authentication::new(proof.authenticated_at).by(None, vec![proof.method]);
        Ok(Self {
            subject: Some(subject),
            authentication: Some(authentication),
            ..Self::for_client(request)?
        })
    }

    /// Lets the server accept `value` only once until that time: such as an assertion's `jti`, with its issuer as the
    /// namespace. It is marked as used last, just before the tokens are stored, so a failed request leaves it usable.
    pub fn first_use(
        mut self,
        namespace: impl Into<String>,
        value: impl Into<String>,
        until: Timestamp,
    ) -> Self {
        self.first_use = Some(FirstUse { namespace: namespace.into(), value: value.into(), until });
        self
    }

    /// Lets nothing that is issued live longer than this.
    pub fn not_after(mut self, end: Timestamp) -> Self {
        self.not_after = Some(end);
        self
    }

    /// Also gives a refresh token, if the client may use that grant type.
    pub fn with_refresh_token(mut self) -> Self {
        self.refreshable = true;
        self
    }

    /// When the access token ends.
    pub(crate) fn end(&self, now: Timestamp, lifetime: Duration) -> Timestamp {
        let end = now + lifetime;
        self.not_after.map_or(end, |bound| end.min(bound))
    }
}

fn within_client(request: &TokenRequest<'_>) -> Result<(Scope, Resources), Error> {
    let client = request.client;
    let scope = match request.scope()? {
        None => client.default_scope().clone(),
        Some(scope) if scope.is_subset_of(client.scope()) => scope,
        Some(_) => {
            return Err(Error::new(ErrorCode::InvalidScope, "the client may not have the requested scope"));
        }
    };
    let mut named = request.params.all("resource").peekable();
    if named.peek().is_none() {
        let why = "resource is missing, and there is more than one";
        let default = client.default_resources().ok_or_else(|| Error::new(ErrorCode::InvalidTarget, why))?;
        return Ok((scope, default.clone()));
    }
    let mut resources = Vec::new();
    for requested in named {
        let resource = client.find_resource(requested).ok_or(Refusal::Resource)?;
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    Ok((scope, Resources::new(resources)))
}
