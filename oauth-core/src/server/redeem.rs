//! The step of a code, or of a device code, that becomes tokens (RFC 6749 §4.1.3, RFC 8628 §3.4).

use std::sync::Arc;
use std::time::Duration;

use super::device::SENT_TWICE;
use super::{DeviceFlow, Server, Step};
use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{Allowed, Ask, Format, Grant, JwtId, Plan, Redeem, Redemption, Refusal, Unsigned};
use crate::handle::{Handle, Handles, Kind};
use crate::secret::{Drawn, Secret32};
use crate::token::{TokenRequest, TokenResponse};

/// A token request with a code, and the tokens that it would buy.
pub(super) struct RedeemStep<'a> {
    server: &'a Server,
    /// One ring for the whole step, whatever rotates meanwhile.
    handles: Arc<Handles>,
    request: &'a TokenRequest<'a>,
    pub(super) handle: Handle,
    redirect_uri: Option<&'a str>,
    verifier: Option<&'a str>,
    ask: Ask<'a>,
    access: Handle,
    refresh: Option<Handle>,
    /// For how long after the redemption the same code is refused without ending the grant.
    tolerance: Duration,
}

impl<'a> RedeemStep<'a> {
    pub(super) fn new(server: &'a Server, request: &'a TokenRequest<'a>) -> Result<Self, Error> {
        let code = request.required("code")?;
        let (redirect_uri, verifier) = (request.param("redirect_uri")?, request.param("code_verifier")?);
        let step = Self::for_handle(server, request, Kind::Code, code)?;
        Ok(Self { redirect_uri, verifier, ..step })
    }

    pub(super) fn for_device(server: &'a Server, request: &'a TokenRequest<'a>) -> Result<Self, Error> {
        let step = Self::for_handle(server, request, Kind::Device, request.required("device_code")?)?;
        Ok(Self { tolerance: step.tolerance.max(SENT_TWICE), ..step })
    }

    fn for_handle(
        server: &'a Server,
        request: &'a TokenRequest<'a>,
        kind: Kind,
        code: &str,
    ) -> Result<Self, Error> {
        let ask = request.ask()?;
        let handles = server.handles();
        let handle = handles.parse(kind, code).map_err(|_| Refusal::Malformed)?;
        let tolerance = server.config.code_replay_tolerance;
        let drawn = Drawn::<64>::new(&*server.random);
        let mint = |kind| handles.mint(kind, handle.grant, 0, Secret32::new(drawn.take()));
        let access = mint(Kind::Access);
        let refresh = request.client.may_use("refresh_token").then(|| mint(Kind::Refresh));
        let (redirect_uri, verifier) = (None, None);
        Ok(Self { server, handles, request, handle, redirect_uri, verifier, ask, access, refresh, tolerance })
    }

    pub(super) fn answer(self, redemption: Redemption, jwt: Option<String>) -> TokenResponse {
        TokenResponse {
            access_token: jwt.unwrap_or_else(|| self.handles.write(&self.access)),
            token_type: "Bearer",
            expires_in: redemption.expires_at.since(self.request.now).as_secs(),
            refresh_token: self.refresh.as_ref().map(|token| self.handles.write(token)),
            scope: redemption.scope,
        }
    }
}

impl Step for RedeemStep<'_> {
    type Outcome = Redemption;

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<Redemption>, Refusal> {
        let (server, client) = (self.server, self.request.client);
        server.check_fence(grant)?;
        let redeem = Redeem {
            handle: &self.handle,
            issuer: server.issuer.as_str(),
            client_id: client.id(),
            registered_uris: client.redirect_uris(),
            redirect_uri: self.redirect_uri,
            redirect_uri_required: client.requires_redirect_uri(),
            verifier: self.verifier,
            ask: &self.ask,
            allowed: Allowed { scope: client.scope(), resources: client.resources() },
            access: self.access.digest(),
            access_lifetime: server.access_lifetime(client),
            formats: &server.signing.formats,
            refresh: self.refresh.as_ref().map(|token| (token.digest(), server.refresh_idle(client))),
            grant_lifetime: client.lifetimes().grant.unwrap_or(server.config.grant_lifetime),
            replay_tolerance: self.tolerance,
        };
        grant.redeem(&redeem, now)
    }

    fn unsigned(&self, redemption: &Redemption) -> Option<Unsigned> {
        (redemption.format == Format::Jwt).then(|| Unsigned {
            id: JwtId::of(&self.access.digest()),
            scope: redemption.scope.clone(),
            resources: redemption.resources.clone(),
            issued_at: redemption.issued_at,
            expires_at: redemption.expires_at,
        })
    }

    fn happened<'a>(&'a self, redemption: &'a Redemption, _written: bool) -> Option<EventKind<'a>> {
        let grant_type = match self.handle.kind {
            Kind::Device => DeviceFlow::GRANT_TYPE,
            _ => "authorization_code",
        };
        let Redemption { scope, expires_at, .. } = redemption;
        Some(EventKind::TokenIssued { grant_type, scope, expires_at: *expires_at })
    }

    fn asks_host(&self) -> bool {
        true
    }
}
