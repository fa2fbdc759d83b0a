//! Introspection (RFC 7662): for the token's own client and for the resource servers that it is meant for.
//!
//! Everybody else, and every token that does not work for whatever reason, gets `{"active":false}` and nothing more.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use serde::{Serialize, Serializer};

use super::signing::ParsedJwt;
use super::token::{Named, find_named};
use super::{AccessToken, Concerned, Server};
use crate::audit::EventKind;
use crate::client::AuthenticatedClient;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::grant::{Refusal, Resources};
use crate::handle::{Handle, Kind};
use crate::json::{Json, Members};
use crate::params::Params;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::soon::Soon;
use crate::storage::{Key, Record};

/// An introspection response (RFC 7662 §2.2). Absent members are left out.
#[derive(Clone, Default)]
pub struct Introspection(Option<Found>);

/// A token that works, and may be shown to this caller.
#[derive(Clone)]
enum Found {
    Stored {
        record: Arc<Record>,
        /// The place of an access token's entry; `None` is the refresh token.
        place: Option<usize>,
    },
    Jwt(Box<AccessToken>),
}

/// What is said of a token that works.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActiveToken<'a> {
    /// What it allows.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: &'a Scope,
    /// The client that it was issued to.
    pub client_id: &'a str,
    /// The resource owner; the client's own id where it acts for itself (RFC 9068 §2.2).
    pub sub: &'a str,
    /// `Bearer`; absent for refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// When it was issued, in seconds since the epoch.
    pub iat: i64,
    /// The issuer.
    pub iss: &'a str,
    /// Where it is meant to be used: written as a string for one, as an array for several.
    #[serde(skip_serializing_if = "Resources::is_empty", serialize_with = "audience")]
    pub aud: &'a Resources,
    /// When the resource owner authenticated, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The authentication context class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
}

impl Introspection {
    /// Whether the token works, and may be shown to this caller.
    pub fn is_active(&self) -> bool {
        self.token().is_some()
    }

    /// Everything else; absent when inactive.
    pub fn token(&self) -> Option<ActiveToken<'_>> {
        let (record, place) = match self.0.as_ref()? {
            Found::Stored { record, place } => (record, place),
            Found::Jwt(token) => return Some(ActiveToken::of(token)),
        };
        let grant = record.grant()?;
        let (scope, resources, entry) = match place {
            Some(place) => {
                let entry = grant.access_at(*place)?;
                (&entry.scope, &entry.resources, Some(entry))
            }
            None => (&grant.scope, &grant.resources, None),
        };
        let (issued_at, expires_at) = match entry {
            Some(entry) => (entry.issued_at, entry.expires_at),
            None => (grant.created_at, grant.refresh_token()?.expires_at),
        };
        let own = entry.and_then(|entry| entry.authentication.as_deref());
        let authentication = own.or(grant.authentication.as_ref());
        Some(ActiveToken {
            scope,
            client_id: &grant.client_id,
            sub: grant.subject.as_ref().unwrap_or(&grant.client_id),
            token_type: entry.map(|_| "Bearer"),
            exp: expires_at.as_secs(),
            iat: issued_at.as_secs(),
            iss: &grant.issuer,
            aud: resources,
            auth_time: authentication.map(|own| own.time.as_secs()),
            acr: authentication.and_then(|own| own.acr()).map(|acr| &**acr),
        })
    }

    /// The JSON document of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        self.token().map_or_else(|| b"{\"active\":false}".to_vec(), |token| Json::to_json(&token))
    }
}

impl Json for ActiveToken<'_> {
    fn members(&self, json: &mut impl Members) {
        json.literal(r#"{"active":true"#);
        if !self.scope.is_empty() {
            json.plain(r#","scope":"#, self.scope.as_str());
        }
        json.text(r#","client_id":"#, self.client_id);
        json.text(r#","sub":"#, self.sub);
        if let Some(token_type) = self.token_type {
            json.plain(r#","token_type":"#, token_type);
        }
        json.number(r#","exp":"#, self.exp);
        json.number(r#","iat":"#, self.iat);
        json.plain(r#","iss":"#, self.iss);
        match self.aud.only() {
            Some(one) => json.plain(r#","aud":"#, one.as_str()),
            None if self.aud.is_empty() => {}
            None => json.texts(r#","aud":"#, self.aud.iter().map(Resource::as_str)),
        }
        if let Some(auth_time) = self.auth_time {
            json.number(r#","auth_time":"#, auth_time);
        }
        if let Some(acr) = self.acr {
            json.text(r#","acr":"#, acr);
        }
    }
}

impl<'a> ActiveToken<'a> {
    fn of(token: &'a AccessToken) -> Self {
        let authentication = token.authentication.as_ref();
        Self {
            scope: &token.scope,
            client_id: &token.client_id,
            sub: token.subject.as_ref().unwrap_or(&token.client_id),
            token_type: Some("Bearer"),
            exp: token.expires_at.as_secs(),
            iat: token.issued_at.as_secs(),
            iss: &token.issuer,
            aud: &token.resources,
            auth_time: authentication.map(|own| own.time.as_secs()),
            acr: authentication.and_then(|own| own.acr()).map(|acr| &**acr),
        }
    }
}

impl Serialize for Introspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            active: bool,
            #[serde(flatten)]
            token: Option<ActiveToken<'a>>,
        }

        let token = self.token();
        Members { active: token.is_some(), token }.serialize(serializer)
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Introspection").field(&self.token()).finish()
    }
}

fn audience<S: Serializer>(audience: &&Resources, serializer: S) -> Result<S::Ok, S::Error> {
    match audience.only() {
        Some(one) => one.serialize(serializer),
        None => audience.serialize(serializer),
    }
}

impl Server {
    /// Answers an introspection request.
    ///
    /// # Errors
    ///
    /// `invalid_client` also for public clients: only those who can prove who they are may ask (RFC 7662 §2.1).
    pub async fn introspect(&self, headers: &HeaderMap, body: &[u8]) -> Result<Introspection, Error> {
        let now = self.now();
        // Two futures, one after the other, have room in the place of one.
        let (client, named) = self.asked(headers, body, now).await?;
        let found = match &named {
            None => Ok(None),
            Some(named) => self.find_for(&client, named, now).await,
        };
        let found = match found {
            Err(error) if error.refusal().is_some() => None,
            found => found.map_err(|error| error.for_client(client.shared_id()))?,
        };
        let grant_id = named.and_then(|named| named.grant());
        let concerned = Concerned { client_id: Some(client.id()), subject: None, grant_id };
        self.tell(concerned, EventKind::TokenIntrospected { active: found.is_some() });
        Ok(Introspection(found))
    }

    /// Who asks, and about which token.
    async fn asked(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(AuthenticatedClient, Option<Named>), Error> {
        let params = Params::parse(body)?;
        let client = self.authenticate_at(headers, &params, None, now).await?;
        if client.is_public() {
            return Err(Error::new(ErrorCode::InvalidClient, "client authentication failed")
                .because("a public client may not introspect tokens")
                .for_client(client.shared_id()));
        }
        let named = find_named(self, &params, now).await;
        let named = named.map_err(|error| error.for_client(client.shared_id()))?;
        Ok((client, named))
    }

    async fn find_for(
        &self,
        caller: &AuthenticatedClient,
        named: &Named,
        now: Timestamp,
    ) -> Result<Option<Found>, Error> {
        self.catch_up(now).await?;
        match named {
            Named::UnknownKey => Ok(None),
            // Boxed, so that the common future has no room for it.
            Named::Jwt(jwt) => Box::pin(self.introspect_jwt(jwt, caller, now)).await,
            Named::Handle(handle) => self.introspect_handle(handle, caller, now).await,
        }
    }

    async fn introspect_handle(
        &self,
        handle: &Handle,
        caller: &AuthenticatedClient,
        now: Timestamp,
    ) -> Result<Option<Found>, Error> {
        let (record, place) = match handle.kind {
            Kind::Access => {
                let (record, place) = self.find_access(handle, now).await?;
                let grant = record.grant().ok_or(Refusal::Mismatch)?;
                let entry = grant.access_at(place).ok_or(Refusal::UnknownToken)?;
                if *grant.client_id != *caller.id() && !serves(caller, &entry.resources) {
                    return Ok(None);
                }
                (record, Some(place))
            }
            Kind::Refresh => {
                let Some(record) = self.load_grant(&Key::grant(handle.grant)).await? else { return Ok(None) };
                let grant = record.grant().ok_or(Refusal::Mismatch)?;
                self.check_fence(grant)?;
                let refresh = grant.active(now)?.refresh.as_ref().ok_or(Refusal::NoRefresh)?;
                let works = refresh.digest == handle.digest() && now < refresh.expires_at;
                if *grant.client_id != *caller.id() || !works {
                    return Ok(None);
                }
                (record, None)
            }
            _ => return Ok(None),
        };
        let grant = record.grant().ok_or(Refusal::Mismatch)?;
        let alive = self.is_alive(&grant.client_id, grant.subject.as_deref(), caller, now).await?;
        Ok(alive.then_some(Found::Stored { record, place }))
    }

    async fn introspect_jwt(
        &self,
        jwt: &ParsedJwt,
        caller: &AuthenticatedClient,
        now: Timestamp,
    ) -> Result<Option<Found>, Error> {
        let token = self.find_jwt(jwt, now).await?;
        if *token.client_id != *caller.id() && !serves(caller, &token.resources) {
            return Ok(None);
        }
        let alive = self.is_alive(&token.client_id, token.subject(), caller, now).await?;
        Ok(alive.then(|| Found::Jwt(Box::new(token))))
    }

    /// The client of the token must still exist, and its subject be active.
    fn is_alive<'a>(
        &'a self,
        client_id: &'a str,
        subject: Option<&'a str>,
        caller: &AuthenticatedClient,
        now: Timestamp,
    ) -> Soon<'a, Result<bool, Error>> {
        let own = client_id == caller.id();
        let client = if own { Soon::now(Ok(true)) } else { self.may_act(client_id, now) };
        match (client, self.check_subject(subject)) {
            (Soon::Now(Some(Ok(client))), Soon::Now(Some(Ok(subject)))) => Soon::now(Ok(client && subject)),
            (client, subject) => Soon::later(async { Ok(client.await? && subject.await?) }),
        }
    }
}

/// As a bearer layer compares them: client and API may have registered two spellings of one resource.
fn serves(caller: &AuthenticatedClient, resources: &Resources) -> bool {
    resources.iter().any(|own| caller.serves().find(own.as_str()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{Access, AccessTokens, Active, Authentication, Grant, Refresh, State};
    use crate::secret::{Digest, SeededRandom};
    use crate::storage::{Body, Namespace, Version};

    fn found(resources: &[&str], place: Option<usize>) -> Introspection {
        let resources = Resources::new(resources.iter().map(|text| Resource::parse(text).unwrap()));
        let (scope, now) = (Scope::parse("read write").unwrap(), Timestamp::from_secs(1_700_000_000));
        let digest = Digest::from_bytes([1; 24]);
        let access = Access {
            digest,
            scope: scope.clone(),
            resources: resources.clone(),
            issued_at: now,
            expires_at: now,
            confirmation: None,
            authentication: None,
        };
        let refresh = Some(Refresh { digest, expires_at: now, previous: None });
        let grant = Grant {
            issuer: "https://as.example".into(),
            client_id: "a \"client\"".into(),
            subject: place.map(|_| "Zoë".into()),
            session: None,
            scope: if place.is_some() { Scope::empty() } else { scope },
            resources,
            created_at: now,
            expires_at: now,
            generation: 0,
            state: State::Active(Active { access: AccessTokens::one(access), refresh }),
            code: None,
            authentication: place.map(|_| {
                let acr = Some("urn:example:gold".into());
                Authentication::new(now).by(acr, Vec::new())
            }),
            details: None,
        };
        let record = Record {
            key: Key::new(Namespace::Grant, [0; 16]),
            version: Version::generate(&SeededRandom::new(1)),
            retain_until: now,
            body: Body::Grant(grant),
        };
        Introspection(Some(Found::Stored { record: Arc::new(record), place }))
    }

    #[test]
    fn both_ways_to_json_agree() {
        let (a, b) = ("https://a.example", "https://b.example");
        for place in [None, Some(0)] {
            for resources in [&[][..], &[a], &[a, b]] {
                let answer = found(resources, place);
                assert_eq!(answer.to_json(), serde_json::to_vec(&answer).unwrap());
            }
        }
        assert_eq!(
            serde_json::to_vec(&Introspection::default()).unwrap(),
            Introspection::default().to_json()
        );
    }
}
