//! A client registers (RFC 7591 §3).

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use super::answer::Given;
use super::{ClientInformation, MAX_METADATA, RegistrationRequest, Registrations, client_id, retained};
use crate::audit::EventKind;
use crate::client::{
    AuthMethod, Client, ClientMetadata, ClientSecret, Origin, Registration, SecretHash, Terms, client_key,
    is_one_of,
};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::handle::{GrantId, Kind};
use crate::scope::Scope;
use crate::secret::Secret32;
use crate::storage::{Body, Record};

/// The longest bearer token that is looked at.
const MAX_BEARER: usize = 1024;

impl Registrations<'_> {
    /// Registers a client: the request's headers, its body in JSON, and the address that it came from.
    ///
    /// # Errors
    ///
    /// `invalid_redirect_uri`, `invalid_client_metadata` or `unapproved_software_statement` with a description that names the
    /// member (RFC 7591 §3.2.2); `invalid_token` without a valid initial access token where one is needed; what the policy
    /// says; 503 when the store fails, and then there is no client.
    pub async fn register(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        from: Option<IpAddr>,
    ) -> Result<ClientInformation, Error> {
        let now = self.server.now();
        let tokens = &self.registrar.settings.initial_tokens;
        if !tokens.is_empty() && !bearer(headers).is_some_and(|token| is_one_of(tokens, token, now)) {
            return Err(invalid_token("the initial access token is missing or wrong"));
        }
        let metadata = read(body)?;
        let (terms, allowed) = self.admitted(&metadata, headers, from, None).await?;
        self.server.catch_up(now).await?;

        let id = GrantId::new_random(self.server.random());
        let handles = self.server.handles();
        let token = handles.mint(Kind::Registration, id, 0, Secret32::generate(self.server.random()));
        let origin = Registration {
            issued_at: now,
            expires_at: now + self.registrar.settings.first_period,
            token: token.digest(),
            changed_at: None,
            allowed,
            echoed: metadata.echoed().cloned(),
        };
        let (client, secret) = self.client(
            &metadata,
            client_id(id).into(),
            &terms,
            Origin::Registration(Box::new(origin)),
            now,
        )?;
        let record = Record {
            key: client_key(self.server.issuer.as_str(), client.id()),
            version: self.server.new_version(),
            retain_until: retained(&client),
            body: Body::Client(Box::new(client.clone())),
        };
        if !self.server.insert(record).await? {
            return Err(Error::unavailable("a client of a new id exists already"));
        }
        self.server.tell_of(client.id(), EventKind::ClientRegistered);
        let token = Zeroizing::new(handles.write(&token));
        Ok(ClientInformation::new(client, secret, token, self.location(id)))
    }

    /// Asks the policy. What the client may have, and what the policy has narrowed it to.
    pub(super) async fn admitted(
        &self,
        metadata: &ClientMetadata,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        client_id: Option<&str>,
    ) -> Result<(Terms, Option<Scope>), Error> {
        if metadata.keys().is_some_and(|keys| keys.uri().is_some()) && self.server.fetcher.is_none() {
            return Err(Error::new(ErrorCode::InvalidClientMetadata, "jwks_uri is not supported, use jwks"));
        }
        let mut terms = self.registrar.terms.clone();
        let Some(policy) = &self.registrar.settings.policy else { return Ok((terms, None)) };
        let admission = policy.admit(&RegistrationRequest { metadata, headers, address, client_id }).await?;
        if let Some(scope) = &admission.scope {
            terms.scope = terms.scope.intersection(scope);
        }
        terms.lifetimes = admission.lifetimes;
        Ok((terms, admission.scope))
    }

    /// The client that the metadata describe, with a new secret where it needs one.
    pub(super) fn client(
        &self,
        metadata: &ClientMetadata,
        id: Arc<str>,
        terms: &Terms,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(Client, Option<Given>), Error> {
        // RFC 7591 §2.
        let method = metadata.auth_method().unwrap_or(AuthMethod::ClientSecretBasic);
        let secret = method.has_secret().then(|| ClientSecret::generate_from(self.server.random()));
        let mut client = metadata.client(id, method, secret.as_ref(), terms, origin)?;
        let expires_at = self.registrar.settings.secret_lifetime.map(|lifetime| now + lifetime);
        if let (Some(secret), Some(until)) = (&secret, expires_at) {
            client.secrets = vec![SecretHash::of(secret).until(until)];
        }
        Ok((client, secret.map(|secret| (secret, expires_at))))
    }

    /// Where the client finds its registration again (RFC 7592 §3).
    pub(super) fn location(&self, id: GrantId) -> String {
        format!("{}/{}", self.server.issuer.join(self.path), client_id(id))
    }
}

/// Reads metadata of a bounded length.
pub(super) fn read(body: &[u8]) -> Result<ClientMetadata, Error> {
    if body.len() > MAX_METADATA {
        let why = format!("the metadata are longer than {MAX_METADATA} bytes");
        return Err(Error::new(ErrorCode::InvalidClientMetadata, why));
    }
    ClientMetadata::parse(body)
}

pub(super) fn invalid_token(reason: &'static str) -> Error {
    Error::new(ErrorCode::InvalidToken, "the token does not work here").because(reason)
}

/// The one bearer token of a request (RFC 6750 §2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_BEARER).then_some(token)
}
