//! The token endpoint: authenticate, pick the grant type, advance, answer (RFC 6749 §3.2).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::HeaderMap;

use super::pending::CLOCK_SKEW;
use super::redeem::RedeemStep;
use super::refresh::RefreshStep;
use super::signing::ParsedJwt;
use super::{Concerned, DeviceFlow, Inserted, NewGrant, Server};
use crate::audit::EventKind;
use crate::client::Client;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::grant::{Access, AccessTokens, Active, Format, Grant, JwtId, Refresh, Refusal, State, Unsigned};
use crate::handle::{Authenticity, GrantId, Handle, IdContext, Kind};
use crate::params::Params;
use crate::secret::{Drawn, Secret32};
use crate::soon::Soon;
use crate::storage::{Body, Key, Marker, Namespace, Record};
use crate::token::{ClientCredentials, FirstUse, GrantType, Permit, TokenRequest, TokenResponse};

/// What `first_use` may be kept for at most, so that no request can pin a record for ever.
const MAX_FIRST_USE: Duration = Duration::from_secs(366 * 24 * 3600);

/// A new grant and its answer, which waits for its JWT where there is one to be signed.
struct Prepared {
    id: GrantId,
    new: NewGrant,
    response: TokenResponse,
    unsigned: Option<Unsigned>,
    first_use: Option<FirstUse>,
}

/// What answers a token request.
enum Picked<'a> {
    Own(&'a dyn GrantType),
    Code,
    Refresh,
    Device,
}

static FIRST_USE: IdContext = IdContext::new("oauth-core v1 first use");

impl Server {
    /// Answers a token request: its headers, and its body in `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    ///
    /// The RFC's code in every case. A failed request has consumed nothing; a storage failure is
    /// [`ErrorCode::TemporarilyUnavailable`].
    pub async fn token(&self, headers: &HeaderMap, body: &[u8]) -> Result<TokenResponse, Error> {
        let now = self.now();
        let params = Params::parse(body)?;
        let client = self.authenticate_at(headers, &params, None, now).await?;
        let answer = self.token_for(&TokenRequest { client: &client, params: &params, now }).await;
        if answer.is_ok() && client.origin().registration().is_some() {
            // Boxed, so that the common future has no room for it.
            Box::pin(self.note_use(client.client(), now)).await;
        }
        answer.map_err(|error| error.for_client(client.shared_id()))
    }

    /// Each grant type has a box of its size: allocators keep small blocks at hand, and look for one of more than a kilobyte.
    async fn token_for(&self, request: &TokenRequest<'_>) -> Result<TokenResponse, Error> {
        let answer: Pin<Box<dyn Future<Output = _> + Send>> = match self.pick(request)? {
            Picked::Own(own) => Box::pin(self.issue(request, own)),
            Picked::Code => Box::pin(self.redeem(request)),
            Picked::Refresh => Box::pin(self.refresh(request)),
            Picked::Device => Box::pin(self.poll(request)),
        };
        answer.await
    }

    /// What answers a request of this grant type, if this client may use it.
    fn pick(&self, request: &TokenRequest<'_>) -> Result<Picked<'_>, Error> {
        let grant_type = request.required("grant_type")?;
        let own = self.grant_types.iter().find(|own| own.name() == grant_type);
        let picked = match (own, grant_type) {
            (Some(own), _) => Picked::Own(&**own),
            (None, "refresh_token") => Picked::Refresh,
            (None, "authorization_code") => Picked::Code,
            (None, DeviceFlow::GRANT_TYPE) if self.device_flow.is_some() => Picked::Device,
            _ => {
                return Err(Error::new(
                    ErrorCode::UnsupportedGrantType,
                    "the server does not know this grant type",
                ));
            }
        };
        if !request.client.may_use(grant_type) {
            return Err(Error::new(ErrorCode::UnauthorizedClient, "the client may not use this grant type"));
        }
        Ok(picked)
    }

    async fn redeem(&self, request: &TokenRequest<'_>) -> Result<TokenResponse, Error> {
        self.catch_up(request.now).await?;
        let step = RedeemStep::new(self, request)?;
        let id = step.handle.grant;
        let advanced = self.advance(id, &step, request.now).await;
        let (redemption, jwt) = advanced.map_err(|error| error.for_grant(id))?;
        Ok(step.answer(redemption, jwt))
    }

    async fn refresh(&self, request: &TokenRequest<'_>) -> Result<TokenResponse, Error> {
        self.catch_up(request.now).await?;
        let mut step = RefreshStep::new(self, request)?;
        if step.handle.authenticity == Authenticity::UnknownKey && self.look_for_keys(request.now).await {
            step = RefreshStep::new(self, request)?;
        }
        let id = step.handle.grant;
        let advanced = self.advance(id, &step, request.now).await;
        let (outcome, jwt) = advanced.map_err(|error| error.for_grant(id))?;
        Ok(step.answer(outcome, jwt))
    }

    /// Issues what a grant type permits: a new grant that is active at once.
    async fn issue(&self, request: &TokenRequest<'_>, own: &dyn GrantType) -> Result<TokenResponse, Error> {
        self.catch_up(request.now).await?;
        let permit = self.permit(request, own).await?;
        let Prepared { id, new, mut response, unsigned, first_use } = self.prepare(request, permit)?;
        if let Some(unsigned) = unsigned {
            let grant = new.grant().ok_or(Refusal::Mismatch)?;
            // Boxed, so that the common future has no room for it.
            response.access_token = Box::pin(self.sign_access(id, grant, &unsigned)).await?;
        }
        if let Some(first_use) = first_use {
            // Boxed, so that the common future has no room for it.
            Box::pin(self.use_once(first_use, request.now)).await?;
        }
        let subject = match new.grant() {
            Some(grant) if self.is_heard() => grant.subject.clone(),
            _ => None,
        };
        match self.insert_grant(new).await? {
            Inserted::New => {
                let scope = &response.scope;
                let expires_at = request.now + Duration::from_secs(response.expires_in);
                self.tell(
                    Concerned {
                        client_id: Some(request.client.id()),
                        subject: subject.as_deref(),
                        grant_id: Some(id),
                    },
                    EventKind::TokenIssued { grant_type: own.name(), scope, expires_at },
                );
                Ok(response)
            }
            Inserted::Fenced => Err(Refusal::Revoked.into()),
            Inserted::Exists(_) => Err(Error::unavailable("a grant of a new id exists already")),
        }
    }

    /// What the grant type decides, for a subject that may still act.
    async fn permit(&self, request: &TokenRequest<'_>, own: &dyn GrantType) -> Result<Permit, Error> {
        let permit = match own.name() {
            // The commonest grant type is spared the box of a dynamic future.
            ClientCredentials::NAME => Permit::for_client(request)?,
            _ => own.permit(request).await?,
        };
        if self.check_subject(permit.subject.as_deref()).await? {
            Ok(permit)
        } else {
            Err(Refusal::SubjectInactive.into())
        }
    }

    /// The grant that a permit leads to, and its answer.
    fn prepare(&self, request: &TokenRequest<'_>, permit: Permit) -> Result<Prepared, Error> {
        let (client, now) = (request.client, request.now);
        let handles = self.handles();
        let drawn = Drawn::<48>::new(&*self.random);
        let id = self.new_grant_id(now, drawn.take());
        let access = handles.mint(Kind::Access, id, 0, Secret32::new(drawn.take()));
        let refresh = (permit.refreshable && client.may_use("refresh_token"))
            .then(|| handles.mint(Kind::Refresh, id, 0, Secret32::generate(&*self.random)));
        let formats = &self.signing.formats;
        let format = formats.of(&permit.resources)?;
        let expires_at = permit.end(now, formats.lifetime(format, self.access_lifetime(client)));
        if expires_at <= now {
            return Err(Refusal::Expired.into());
        }
        let ends = match refresh {
            Some(_) => permit
                .end(now, client.lifetimes().grant.unwrap_or(self.config.grant_lifetime))
                .max(expires_at),
            None => expires_at,
        };
        let response = TokenResponse {
            access_token: match format {
                Format::Opaque => handles.write(&access),
                Format::Jwt => String::new(),
            },
            token_type: "Bearer",
            expires_in: expires_at.since(now).as_secs(),
            refresh_token: refresh.as_ref().map(|token| handles.write(token)),
            scope: permit.scope.clone(),
        };
        let digest = access.digest();
        let (scope, resources) = (permit.scope.clone(), permit.resources.clone());
        let (entries, unsigned) = match format {
            Format::Jwt => {
                let id = JwtId::of(&digest);
                (AccessTokens::default(), Some(Unsigned { id, scope, resources, issued_at: now, expires_at }))
            }
            Format::Opaque => {
                let (confirmation, authentication) = (None, None);
                let entry = Access {
                    digest,
                    scope,
                    resources,
                    issued_at: now,
                    expires_at,
                    confirmation,
                    authentication,
                };
                (AccessTokens::one(entry), None)
            }
        };
        let refresh = refresh.map(|token| Refresh {
            digest: token.digest(),
            expires_at: (now + self.refresh_idle(client)).min(ends),
            previous: None,
        });
        let grant = Grant {
            issuer: self.issuer_text.clone(),
            client_id: client.shared_id(),
            subject: permit.subject,
            session: None,
            scope: permit.scope,
            resources: permit.resources,
            created_at: now,
            expires_at: ends,
            generation: 0,
            state: State::Active(Active { access: entries, refresh }),
            code: None,
            authentication: permit.authentication,
            details: None,
        };
        let new = self.new_grant(id, grant, client.fence());
        Ok(Prepared { id, new, response, unsigned, first_use: permit.first_use })
    }

    pub(super) async fn use_once(&self, first_use: FirstUse, now: Timestamp) -> Result<(), Error> {
        if first_use.until <= now {
            return Err(Refusal::Expired.into());
        }
        let parts =
            [self.issuer.as_str().as_bytes(), first_use.namespace.as_bytes(), first_use.value.as_bytes()];
        let record = Record {
            key: Key::new(Namespace::Marker, FIRST_USE.id(&parts)),
            version: self.new_version(),
            // Another replica may still take the proof when this one's clock says that it is over.
            retain_until: first_use.until.min(now + MAX_FIRST_USE) + CLOCK_SKEW,
            body: Body::Marker(Marker { used_at: now }),
        };
        if self.insert(record).await? {
            return Ok(());
        }
        Err(Error::new(ErrorCode::InvalidGrant, "this proof has been used before")
            .because("a value that may be used once came again"))
    }

    pub(super) fn access_lifetime(&self, client: &Client) -> Duration {
        client.lifetimes().access_token.unwrap_or(self.config.access_lifetime)
    }

    pub(super) fn refresh_idle(&self, client: &Client) -> Duration {
        client.lifetimes().refresh_token_idle.unwrap_or(self.config.refresh_idle)
    }
}

/// Any of our tokens.
pub(super) enum Named {
    Handle(Handle),
    Jwt(Box<ParsedJwt>),
    /// A JWT whose key may be found by another look.
    UnknownKey,
}

impl Named {
    /// The grant that it says it belongs to.
    pub(super) fn grant(&self) -> Option<GrantId> {
        match self {
            Self::Handle(handle) => Some(handle.grant),
            Self::Jwt(jwt) => Some(jwt.grant),
            Self::UnknownKey => None,
        }
    }
}

/// What a revocation or an introspection names: a handle by its prefix, a JWT by its dots.
pub(super) fn named_token(server: &Server, params: &Params<'_>) -> Result<Option<Named>, Error> {
    let token = params.one("token")?.ok_or_else(|| Error::invalid_request("token is missing"))?;
    params.one("token_type_hint")?;
    if Server::is_jwt(token) {
        return Ok(match server.parse_jwt(token) {
            Ok(jwt) => Some(Named::Jwt(Box::new(jwt))),
            Err(Refusal::UnknownKey) => Some(Named::UnknownKey),
            Err(_) => None,
        });
    }
    Ok(server.live.with_handles(|handles| handles.parse_any(token)).ok().map(Named::Handle))
}

/// As [`named_token`], with another look at the keys where that may help.
pub(super) fn find_named<'a>(
    server: &'a Server,
    params: &'a Params<'_>,
    now: Timestamp,
) -> Soon<'a, Result<Option<Named>, Error>> {
    match named_token(server, params) {
        Ok(Some(Named::UnknownKey)) => Soon::later(async move {
            if server.look_for_keys(now).await {
                named_token(server, params)
            } else {
                Ok(Some(Named::UnknownKey))
            }
        }),
        named => Soon::now(named),
    }
}
