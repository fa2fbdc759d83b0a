//! Revocation (RFC 7009): of an access token alone, or of the grant by its refresh token.
//!
//! * A refresh token ends its grant, and with it every token of the grant. An old refresh token of the client does so too.
//! * An access token ends alone. A JWT does so for introspection and for verification in this process; resource servers that
//!   check it by themselves take it until it expires.
//! * A code that its confidential client gives back ends its grant. Of a public client it proves too little: whoever saw the
//!   code would end the session, as a replay without the verifier must not (OAuth 2.1 §7.5.2).
//! * A token of another client, an unknown one and one that has ended all get the same empty 200: no oracle.

use http::HeaderMap;

use super::signing::ParsedJwt;
use super::token::{Named, find_named, named_token};
use super::{Server, Step};
use crate::audit::EventKind;
use crate::client::AuthenticatedClient;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::grant::{Grant, Plan, Refusal, RevokeReason};
use crate::handle::{Authenticity, Handle, Kind};
use crate::params::Params;

impl Server {
    /// Answers a revocation request. `Ok` means that the token does not work any more, durably.
    ///
    /// # Errors
    ///
    /// `invalid_request` without a token, `invalid_client`, and 503 when the store fails: never a success that is not true.
    pub async fn revoke(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
        let now = self.now();
        let params = Params::parse(body)?;
        let client = self.authenticate_at(headers, &params, None, now).await?;
        let named = find_named(self, &params, now).await;
        let mut handle = match named.map_err(|error| error.for_client(client.shared_id()))? {
            None | Some(Named::UnknownKey) => return Ok(()),
            Some(Named::Handle(handle)) => handle,
            Some(Named::Jwt(jwt)) => {
                let step = RevokeJwt { server: self, jwt: &jwt, client_id: client.id() };
                let revoked = self.advance(jwt.grant, &step, now).await;
                return answer(revoked, &client);
            }
        };
        if handle.kind == Kind::Code && client.is_public() {
            return Ok(());
        }
        if handle.authenticity == Authenticity::UnknownKey && self.look_for_keys(now).await {
            let Some(Named::Handle(known)) = named_token(self, &params)? else { return Ok(()) };
            handle = known;
        }
        let step = RevokeStep { handle: &handle, client_id: client.id() };
        answer(self.advance(handle.grant, &step, now).await, &client)
    }
}

/// What cannot be revoked does not work already.
fn answer(revoked: Result<((), Option<String>), Error>, client: &AuthenticatedClient) -> Result<(), Error> {
    match revoked {
        Err(error) if error.code() == ErrorCode::InvalidGrant => Ok(()),
        Err(error) => Err(error.for_client(client.shared_id())),
        Ok(_) => Ok(()),
    }
}

/// Ends a JWT for those who ask this server: introspection, and verification in its process.
struct RevokeJwt<'a> {
    server: &'a Server,
    jwt: &'a ParsedJwt,
    client_id: &'a str,
}

impl Step for RevokeJwt<'_> {
    type Outcome = ();

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<()>, Refusal> {
        if *grant.client_id != *self.client_id {
            return Err(Refusal::WrongClient);
        }
        self.jwt.check(grant, now)?;
        Ok(grant.revoke_jwt(self.jwt.jwt, self.jwt.issued_at, self.server.config.max_access, now))
    }

    fn happened(&self, (): &(), written: bool) -> Option<EventKind<'_>> {
        written.then_some(EventKind::TokenRevoked)
    }
}

struct RevokeStep<'a> {
    handle: &'a Handle,
    client_id: &'a str,
}

impl Step for RevokeStep<'_> {
    type Outcome = ();

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<()>, Refusal> {
        if *grant.client_id != *self.client_id {
            return Err(Refusal::WrongClient);
        }
        if self.handle.kind == Kind::Access {
            return Ok(grant.revoke_access(&self.handle.digest()));
        }
        // A user code, and with it the id of its grant, may be drawn again after years: an old device code proves nothing.
        let genuine = self.handle.authenticity == Authenticity::Genuine && self.handle.kind != Kind::Device;
        if grant.knows(self.handle) || genuine {
            return Ok(grant.revoke(RevokeReason::Client, now));
        }
        Err(Refusal::UnknownToken)
    }

    fn happened(&self, (): &(), written: bool) -> Option<EventKind<'_>> {
        written.then_some(match self.handle.kind {
            Kind::Access => EventKind::TokenRevoked,
            _ => EventKind::GrantRevoked { reason: RevokeReason::Client },
        })
    }
}
