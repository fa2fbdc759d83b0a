//! The step of a refresh token that becomes its successor (RFC 6749 §6).

use std::sync::Arc;

use super::{Server, Step};
use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{
    Allowed, Ask, Format, Grant, JwtId, Plan, RefreshOutcome, RefreshRequest, Refusal, Salt, Unsigned,
};
use crate::handle::{Handle, Handles, Kind};
use crate::secret::{Drawn, Secret32};
use crate::token::{TokenRequest, TokenResponse};

/// A token request with a refresh token, and the random bytes that it may need.
pub(super) struct RefreshStep<'a> {
    server: &'a Server,
    /// One ring for the whole step, whatever rotates meanwhile.
    handles: Arc<Handles>,
    request: &'a TokenRequest<'a>,
    presented: &'a str,
    pub(super) handle: Handle,
    ask: Ask<'a>,
    salt: Salt,
    fresh: Secret32,
}

impl<'a> RefreshStep<'a> {
    pub(super) fn new(server: &'a Server, request: &'a TokenRequest<'a>) -> Result<Self, Error> {
        let presented = request.required("refresh_token")?;
        let ask = request.ask()?;
        let handles = server.handles();
        let handle = handles.parse(Kind::Refresh, presented).map_err(|_| Refusal::Malformed)?;
        let drawn = Drawn::<44>::new(&*server.random);
        let (salt, fresh) = (Salt::from_bytes(drawn.take()), Secret32::new(drawn.take()));
        Ok(Self { server, handles, request, presented, handle, ask, salt, fresh })
    }

    pub(super) fn answer(self, outcome: RefreshOutcome, jwt: Option<String>) -> TokenResponse {
        let (client, grant) = (self.request.client, self.handle.grant);
        if let Some(streak) = outcome.retried {
            tracing::info!(client_id = client.id(), grant_id = %grant, streak, "refresh_retried");
        }
        if outcome.evicted {
            tracing::info!(client_id = client.id(), grant_id = %grant, "access_token_evicted");
        }
        let successor = outcome.successor.as_ref();
        TokenResponse {
            access_token: jwt.unwrap_or_else(|| self.handles.write(&outcome.access)),
            token_type: "Bearer",
            expires_in: outcome.expires_at.since(self.request.now).as_secs(),
            refresh_token: Some(
                successor.map_or_else(|| self.presented.to_owned(), |next| self.handles.write(next)),
            ),
            scope: outcome.scope,
        }
    }
}

impl Step for RefreshStep<'_> {
    type Outcome = RefreshOutcome;

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<RefreshOutcome>, Refusal> {
        let (server, client) = (self.server, self.request.client);
        server.check_fence(grant)?;
        let request = RefreshRequest {
            handle: &self.handle,
            issuer: server.issuer.as_str(),
            client_id: client.id(),
            rotation: client.rotation(),
            ask: &self.ask,
            allowed: Allowed { scope: client.scope(), resources: client.resources() },
            access_lifetime: server.access_lifetime(client),
            formats: &server.signing.formats,
            idle_lifetime: server.refresh_idle(client),
            retry_window: server.config.retry_window,
            max_retry_streak: server.config.max_retry_streak,
            max_access: server.config.max_access,
            handles: &self.handles,
            salt: self.salt,
            fresh: &self.fresh,
        };
        grant.refresh(&request, now)
    }

    fn happened<'a>(&'a self, outcome: &'a RefreshOutcome, _written: bool) -> Option<EventKind<'a>> {
        let RefreshOutcome { scope, expires_at, retried, .. } = outcome;
        Some(EventKind::TokenRefreshed { scope, expires_at: *expires_at, again: retried.is_some() })
    }

    fn unsigned(&self, outcome: &RefreshOutcome) -> Option<Unsigned> {
        (outcome.format == Format::Jwt).then(|| Unsigned {
            id: JwtId::of(&outcome.access.digest()),
            scope: outcome.scope.clone(),
            resources: outcome.resources.clone(),
            issued_at: outcome.issued_at,
            expires_at: outcome.expires_at,
        })
    }

    fn asks_host(&self) -> bool {
        true
    }
}
