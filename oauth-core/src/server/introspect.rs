//! Introspection (RFC 7662): for the token's own client and for the resource servers that it is meant for.
//!
//! Everybody else, and every token that does not work for whatever reason, gets `{"active":false}` and nothing more.

use std::sync::Arc;

use http::HeaderMap;
use serde::Serialize;

use super::token::named_token;
use super::{AccessToken, Server};
use crate::client::AuthenticatedClient;
use crate::error::{Error, ErrorCode};
use crate::grant::{Grant, Refusal, Resources};
use crate::handle::{Handle, Kind};
use crate::params::Params;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::storage::Key;

/// An introspection response (RFC 7662 §2.2). Absent members are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Introspection {
    /// Whether the token works, and may be shown to this caller.
    pub active: bool,
    /// Everything else; absent when inactive.
    #[serde(flatten)]
    pub token: Option<ActiveToken>,
}

/// What is said of a token that works.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActiveToken {
    /// What it allows.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// The client that it was issued to.
    pub client_id: Arc<str>,
    /// The resource owner; the client's own id where it acts for itself (RFC 9068 §2.2).
    pub sub: Arc<str>,
    /// `Bearer`; absent for refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// When it was issued, in seconds since the epoch.
    pub iat: i64,
    /// The issuer.
    pub iss: Arc<str>,
    /// Where it is meant to be used: a string for one, an array for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    /// When the resource owner authenticated, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The authentication context class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Arc<str>>,
}

/// The audience of a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Audience {
    /// One.
    One(Resource),
    /// Several.
    Many(Resources),
}

impl Server {
    /// Answers an introspection request.
    ///
    /// # Errors
    ///
    /// `invalid_client` also for public clients: only those who can prove who they are may ask (RFC 7662 §2.1).
    pub async fn introspect(&self, headers: &HeaderMap, body: &[u8]) -> Result<Introspection, Error> {
        let params = Params::parse(body)?;
        let client = self.authenticate(headers, &params).await?;
        if client.is_public() {
            return Err(Error::new(ErrorCode::InvalidClient, "client authentication failed")
                .because("a public client may not introspect tokens")
                .for_client(client.shared_id()));
        }
        let Some((handle, _)) = named_token(self, &params)? else { return Ok(Introspection::default()) };
        let found = match handle.kind {
            Kind::Access => self.introspect_access(&handle, &client).await,
            Kind::Refresh => self.introspect_refresh(&handle, &client).await,
            _ => Ok(None),
        };
        match found {
            Ok(token) => Ok(Introspection { active: token.is_some(), token }),
            Err(error) if error.refusal().is_some() => Ok(Introspection::default()),
            Err(error) => Err(error.for_client(client.shared_id())),
        }
    }

    async fn introspect_access(
        &self,
        handle: &Handle,
        caller: &AuthenticatedClient,
    ) -> Result<Option<ActiveToken>, Error> {
        let token = match self.verify_parsed(handle).await {
            Ok(token) => token,
            Err(super::VerifyError::Invalid(refusal)) => return Err(refusal.into()),
            Err(super::VerifyError::Unavailable(error)) => return Err(error),
        };
        let serves = token.resources.iter().any(|resource| caller.serves().contains(resource.as_str()));
        if *token.client_id != *caller.id() && !serves {
            return Ok(None);
        }
        self.check_alive(&token.client_id, token.subject.as_deref(), caller).await?;
        Ok(Some(ActiveToken::of(token)))
    }

    async fn introspect_refresh(
        &self,
        handle: &Handle,
        caller: &AuthenticatedClient,
    ) -> Result<Option<ActiveToken>, Error> {
        let now = self.now();
        let record = self.load_grant(&Key::grant(handle.grant)).await?;
        let Some(grant) = record.as_deref().and_then(|record| record.grant()) else { return Ok(None) };
        if *grant.client_id != *caller.id() {
            return Ok(None);
        }
        let refresh = grant.active(now)?.refresh.as_ref().ok_or(Refusal::NoRefresh)?;
        if refresh.digest != handle.digest() || now >= refresh.expires_at {
            return Ok(None);
        }
        self.check_alive(&grant.client_id, grant.subject.as_deref(), caller).await?;
        Ok(Some(ActiveToken::of_refresh(grant, refresh.expires_at.as_secs())))
    }

    /// The client of the token must still exist, and its subject be active.
    async fn check_alive(
        &self,
        client_id: &str,
        subject: Option<&str>,
        caller: &AuthenticatedClient,
    ) -> Result<(), Error> {
        if client_id != caller.id() {
            let client = self.client(client_id).await?;
            if client.is_none_or(|client| client.is_disabled()) {
                return Err(Refusal::Revoked.into());
            }
        }
        if self.check_subject(subject).await? { Ok(()) } else { Err(Refusal::SubjectInactive.into()) }
    }
}

impl ActiveToken {
    fn of(token: AccessToken) -> Self {
        Self {
            scope: token.scope,
            sub: token.subject.unwrap_or_else(|| token.client_id.clone()),
            client_id: token.client_id,
            token_type: Some("Bearer"),
            exp: token.expires_at.as_secs(),
            iat: token.issued_at.as_secs(),
            iss: token.issuer,
            aud: Audience::of(token.resources),
            auth_time: token.authentication.as_ref().map(|own| own.time.as_secs()),
            acr: token.authentication.as_ref().and_then(|own| own.acr.clone()),
        }
    }

    fn of_refresh(grant: &Grant, exp: i64) -> Self {
        Self {
            scope: grant.scope.clone(),
            client_id: grant.client_id.clone(),
            sub: grant.subject.clone().unwrap_or_else(|| grant.client_id.clone()),
            token_type: None,
            exp,
            iat: grant.created_at.as_secs(),
            iss: grant.issuer.clone(),
            aud: Audience::of(grant.resources.clone()),
            auth_time: grant.authentication.as_ref().map(|own| own.time.as_secs()),
            acr: grant.authentication.as_ref().and_then(|own| own.acr.clone()),
        }
    }
}

impl Audience {
    fn of(resources: Resources) -> Option<Self> {
        let mut list = resources.iter();
        match (list.next(), list.next()) {
            (None, _) => None,
            (Some(one), None) => Some(Self::One(one.clone())),
            _ => Some(Self::Many(resources)),
        }
    }
}
