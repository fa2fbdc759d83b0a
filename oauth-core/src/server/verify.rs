//! Verifying a bearer token in the process that issued it (RFC 6750): one load.

use std::sync::Arc;

use super::Server;
use super::signing::ParsedJwt;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{Authentication, Confirmation, Grant, Refusal, Resources};
use crate::handle::{GrantId, Handle, Kind};
use crate::scope::Scope;
use crate::soon::Soon;
use crate::storage::{Key, Record};

/// A verified access token: who may do what, where, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessToken {
    /// The issuer.
    pub issuer: Arc<str>,
    /// The client that it was issued to.
    pub client_id: Arc<str>,
    /// The resource owner; absent where the client acts for itself.
    pub subject: Option<Arc<str>>,
    /// What it allows.
    pub scope: Scope,
    /// Where it is meant to be used; empty means that it names no audience.
    pub resources: Resources,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When and how the resource owner authenticated.
    pub authentication: Option<Authentication>,
    /// The key that the sender must prove to hold.
    pub confirmation: Option<Arc<Confirmation>>,
    /// The grant that it belongs to, where the server that issued it has verified it.
    pub grant_id: Option<GrantId>,
    /// All that another source of truth said of it, as a JSON object: the claims of a signed token, or the introspection
    /// answer.
    pub claims: Option<Arc<str>>,
}

impl AccessToken {
    /// A token as another source of truth describes it (a signed token, an introspection answer): of no subject, scope or
    /// audience and not bound to a key, until those fields are set.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        client_id: impl Into<Arc<str>>,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            subject: None,
            scope: Scope::empty(),
            resources: Resources::default(),
            issued_at,
            expires_at,
            authentication: None,
            confirmation: None,
            grant_id: None,
            claims: None,
        }
    }

    /// The resource owner; none where the client acts for itself.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Whether its scope has this token.
    pub fn has_scope(&self, token: &str) -> bool {
        self.scope.contains(token)
    }
}

/// Why a token was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It does not work: 401 with `invalid_token`.
    #[error("{0}")]
    Invalid(Refusal),
    /// It does not work, for a reason that another verifier than the server has.
    #[error("{0}")]
    Rejected(&'static str),
    /// It could not be checked: 503. The client must not throw its token away.
    #[error("{0}")]
    Unavailable(Error),
}

/// What [`Server::parse_access`] read: a handle or a JWT that this server made.
#[derive(Debug)]
pub struct ParsedAccess(Parsed);

#[derive(Debug)]
enum Parsed {
    Handle(Handle),
    Jwt(Box<ParsedJwt>),
    /// A JWT whose key was not known at once.
    Later(Box<str>),
}

impl ParsedAccess {
    /// The grant that it says it belongs to; `None` for a JWT whose key was not known at once.
    pub fn grant(&self) -> Option<GrantId> {
        match &self.0 {
            Parsed::Handle(handle) => Some(handle.grant),
            Parsed::Jwt(jwt) => Some(jwt.grant),
            Parsed::Later(_) => None,
        }
    }
}

impl Server {
    /// Verifies an access token of this server.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Invalid`] for anything that is not a live access token; [`VerifyError::Unavailable`] when the store
    /// fails.
    pub async fn verify(&self, token: &str) -> Result<AccessToken, VerifyError> {
        let parsed = self.parse_access(token)?;
        self.verify_parsed(&parsed).await
    }

    /// Reads an access token without a look at the store: junk, forgeries and other kinds are refused here.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Invalid`].
    pub fn parse_access(&self, token: &str) -> Result<ParsedAccess, VerifyError> {
        if Self::is_jwt(token) {
            return match self.parse_jwt(token) {
                Ok(jwt) => Ok(ParsedAccess(Parsed::Jwt(Box::new(jwt)))),
                // The store may have the key by now; without one there is nothing to look for.
                Err(Refusal::UnknownKey) if self.has_stored_signing_keys() => {
                    Ok(ParsedAccess(Parsed::Later(token.into())))
                }
                Err(refusal) => Err(VerifyError::Invalid(refusal)),
            };
        }
        self.live
            .with_handles(|handles| handles.parse(Kind::Access, token))
            .map(|handle| ParsedAccess(Parsed::Handle(handle)))
            .map_err(|_| VerifyError::Invalid(Refusal::Malformed))
    }

    /// Verifies what [`Server::parse_access`] read.
    ///
    /// # Errors
    ///
    /// As [`Server::verify`].
    pub async fn verify_parsed(&self, parsed: &ParsedAccess) -> Result<AccessToken, VerifyError> {
        let now = self.now();
        self.catch_up(now).await.map_err(refused)?;
        let handle = match &parsed.0 {
            Parsed::Handle(handle) => handle,
            Parsed::Jwt(jwt) => return Box::pin(self.find_jwt(jwt, now)).await.map_err(refused),
            Parsed::Later(token) => return Box::pin(self.find_later(token, now)).await.map_err(refused),
        };
        let (record, place) = self.find_access(handle, now).await.map_err(refused)?;
        let grant = record.grant().ok_or(VerifyError::Invalid(Refusal::Mismatch))?;
        let entry = grant.access_at(place).ok_or(VerifyError::Invalid(Refusal::UnknownToken))?;
        Ok(AccessToken {
            issuer: grant.issuer.clone(),
            client_id: grant.client_id.clone(),
            subject: grant.subject.clone(),
            scope: entry.scope.clone(),
            resources: entry.resources.clone(),
            issued_at: entry.issued_at,
            expires_at: entry.expires_at,
            authentication: entry.authentication.as_deref().or(grant.authentication.as_ref()).cloned(),
            confirmation: entry.confirmation.clone(),
            grant_id: Some(handle.grant),
            claims: None,
        })
    }

    /// The grant of a live access token, and the place of the token's entry in it.
    pub(super) async fn find_access(
        &self,
        handle: &Handle,
        now: Timestamp,
    ) -> Result<(Arc<Record>, usize), Error> {
        let record = self.load_grant(&Key::grant(handle.grant)).await?.ok_or(Refusal::UnknownGrant)?;
        let grant = record.grant().ok_or(Refusal::Mismatch)?;
        let (place, _) = grant.find_live(handle, now)?;
        self.check_lineage(grant, now).await?;
        Ok((record, place))
    }

    /// What a JWT allows whose key was not known, after another look at the keys.
    async fn find_later(&self, token: &str, now: Timestamp) -> Result<AccessToken, Error> {
        let jwt = match self.parse_jwt(token) {
            Err(Refusal::UnknownKey) if self.look_for_keys(now).await => self.parse_jwt(token)?,
            parsed => parsed?,
        };
        self.find_jwt(&jwt, now).await
    }

    /// What a live JWT of this server allows.
    pub(super) async fn find_jwt(&self, jwt: &ParsedJwt, now: Timestamp) -> Result<AccessToken, Error> {
        let record = self.load_grant(&Key::grant(jwt.grant)).await?.ok_or(Refusal::UnknownGrant)?;
        let grant = record.grant().ok_or(Refusal::Mismatch)?;
        jwt.check(grant, now)?;
        self.check_lineage(grant, now).await?;
        Ok(jwt.describe(grant))
    }

    /// Neither the grant nor one that it came from may be behind a fence or have ended.
    fn check_lineage<'a>(&'a self, grant: &'a Grant, now: Timestamp) -> Soon<'a, Result<(), Error>> {
        let behind = self.check_fence(grant);
        let ancestors = grant.details.as_deref().map_or(&[][..], |details| &details.ancestors);
        if behind.is_err() || ancestors.is_empty() {
            return Soon::now(behind.map_err(Error::from));
        }
        Soon::later(async move {
            for ancestor in ancestors {
                let record = self.load_grant(&Key::grant(*ancestor)).await?;
                let ancestor = record.as_deref().and_then(|record| record.grant());
                let ancestor = ancestor.ok_or(Refusal::UnknownGrant)?;
                ancestor.active(now)?;
                self.check_fence(ancestor)?;
            }
            Ok(())
        })
    }
}

fn refused(error: Error) -> VerifyError {
    match error.refusal() {
        Some(refusal) => VerifyError::Invalid(refusal),
        None => VerifyError::Unavailable(error),
    }
}
