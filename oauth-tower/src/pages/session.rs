//! The session of a signed-in browser: a record in the store, found by a cookie.
//!
//! 1. The cookie holds a secret of 256 bits; the record is found by a digest of it and keeps another.
//! 2. Each sign-in begins a new session and ends the one that the browser had (session fixation, ASVS 7.2.4).
//! 3. Two cookies of the name count as none: one of them may have been planted.
//! 4. Signing out ends the record, so that a copied cookie is worth nothing afterwards.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use oauth_core::authorize::Login;
use oauth_core::clock::Timestamp;
use oauth_core::grant::Authentication;
use oauth_core::handle::IdContext;
use oauth_core::issuer::Issuer;
use oauth_core::secret::{Digest, Secret32};
use oauth_core::server::Server;
use oauth_core::storage::{Body, Key, Namespace, Record, Session, StoreError, StoreResult, Swap, Version};

use super::Identity;

static SESSION: IdContext = IdContext::new("oauth-tower v1 session");

const VALUE_LEN: usize = 43;
/// How often ending a session is tried anew when something else writes it meanwhile; only another end does.
const ATTEMPTS: usize = 4;

/// The cookie of one session.
#[derive(Debug)]
pub(super) struct SessionCookie(Secret32);

/// A session that is alive.
#[derive(Clone, Debug)]
pub(super) struct Live {
    id: [u8; 16],
    session: Session,
}

pub(super) fn cookie_name(issuer: &Issuer) -> &'static str {
    if issuer.is_https() { "__Host-oauth-session" } else { "oauth-session" }
}

impl SessionCookie {
    fn generate(server: &Server) -> Self {
        Self(Secret32::generate(server.random()))
    }

    /// The cookie that a request carries; `None` where it is absent, malformed or there twice.
    pub(super) fn read(headers: &HeaderMap, issuer: &Issuer) -> Option<Self> {
        let name = cookie_name(issuer);
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        let value = values.next().filter(|value| value.len() == VALUE_LEN)?;
        if values.next().is_some() {
            return None;
        }
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        Some(Self(Secret32::new(bytes)))
    }

    /// The `Set-Cookie` value: for this host only, not for scripts, not on requests that another site's pages make.
    fn set(&self, issuer: &Issuer, lifetime: Duration) -> HeaderValue {
        set_cookie(issuer, &URL_SAFE_NO_PAD.encode(self.0.expose()), lifetime)
    }

    fn key(&self, issuer: &Issuer) -> Key {
        let id = SESSION.id(&[issuer.as_str().as_bytes(), self.0.expose()]);
        Key::new(Namespace::Session, id)
    }
}

/// The `Set-Cookie` value that removes the cookie.
pub(super) fn clear(issuer: &Issuer) -> HeaderValue {
    set_cookie(issuer, "", Duration::ZERO)
}

fn set_cookie(issuer: &Issuer, value: &str, lifetime: Duration) -> HeaderValue {
    let (name, max_age) = (cookie_name(issuer), lifetime.as_secs());
    let secure = if issuer.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::try_from(cookie).expect("base64url and constants are header text");
    value.set_sensitive(true);
    value
}

impl Live {
    /// The session that the request's cookie names, if it is alive.
    pub(super) async fn find(server: &Server, headers: &HeaderMap) -> StoreResult<Option<Self>> {
        let Some(cookie) = SessionCookie::read(headers, server.issuer()) else { return Ok(None) };
        let key = cookie.key(server.issuer());
        let Some(record) = server.store().load(&key).await? else { return Ok(None) };
        let Body::Session(session) = &record.body else { return Ok(None) };
        let fence = server.fence().await.map_err(StoreError::unavailable)?;
        let alive = record.key == key
            && *session.issuer == *server.issuer().as_str()
            && session.digest == Digest::of_secret(&cookie.0)
            && session.ended_at.is_none()
            && fence.is_none_or(|fence| session.authentication.time > fence)
            && server.now() < session.expires_at;
        Ok(alive.then(|| Self { id: *key.id(), session: (**session).clone() }))
    }

    /// Begins a session; the answer is the `Set-Cookie` value.
    pub(super) async fn begin(
        server: &Server,
        identity: Identity,
        username: &str,
        lifetime: Duration,
    ) -> StoreResult<HeaderValue> {
        let cookie = SessionCookie::generate(server);
        let now = server.now();
        let expires_at = now + lifetime;
        let session = Session {
            issuer: server.issuer().shared(),
            subject: identity.subject,
            username: Some(username.into()),
            digest: Digest::of_secret(&cookie.0),
            authentication: Authentication::new(now).by(identity.acr, identity.amr),
            expires_at,
            ended_at: None,
        };
        let record = Record {
            key: cookie.key(server.issuer()),
            version: Version::generate(server.random()),
            retain_until: expires_at,
            body: Body::Session(Box::new(session)),
        };
        match server.store().swap(Arc::new(record), None).await? {
            Swap::Swapped => Ok(cookie.set(server.issuer(), lifetime)),
            Swap::Stale => Err(StoreError::unavailable("a new session's id exists already")),
        }
    }

    /// Ends it: the cookie is worth nothing from now on.
    pub(super) async fn end(&self, server: &Server) -> StoreResult<()> {
        let key = Key::new(Namespace::Session, self.id);
        for _ in 0..ATTEMPTS {
            let Some(stored) = server.store().load(&key).await? else { return Ok(()) };
            let Body::Session(session) = &stored.body else { return Ok(()) };
            if session.ended_at.is_some() {
                return Ok(());
            }
            let mut session = session.clone();
            session.ended_at = Some(server.now());
            let next = Record {
                version: Version::generate(server.random()),
                body: Body::Session(session),
                key,
                retain_until: stored.retain_until,
            };
            if server.store().swap(Arc::new(next), Some(stored.version)).await? == Swap::Swapped {
                return Ok(());
            }
        }
        Err(StoreError::unavailable("the session is being written all the time"))
    }

    /// Who is signed in, as the authorization endpoint wants to know it.
    pub(super) fn login(&self) -> Login {
        let how = &self.session.authentication;
        let subject = self.session.subject.clone();
        let mut login = Login::new(subject, how.time).session(self.id_text()).amr(how.amr().to_vec());
        login.acr = how.acr().cloned();
        login
    }

    /// A readable id, which is no secret: grants are listed and revoked by it.
    pub(super) fn id_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }

    /// What they call themselves.
    pub(super) fn username(&self) -> &str {
        self.session.username.as_deref().unwrap_or(&self.session.subject)
    }

    pub(super) fn authenticated_at(&self) -> Timestamp {
        self.session.authentication.time
    }
}
