//! The app's own sessions: a random cookie, and what is known about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use oauth_core::authorize::Login;
use oauth_core::clock::Timestamp;
use oauth_core::secret::{SystemRandom, random_array};

const COOKIE_NAME: &str = "harbour";

/// Somebody's session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: &'static str,
    pub(crate) signed_in_at: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<String, Session>>>);

impl Sessions {
    /// The session that a request belongs to.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id(headers)?).cloned()
    }

    /// The same, as the authorization server wants to know it.
    pub(crate) fn login(&self, headers: &HeaderMap) -> Option<Login> {
        self.find(headers).map(|session| Login::new(session.user, session.signed_in_at))
    }

    /// Begins a session and ends the one before; the answer is the `Set-Cookie` value.
    pub(crate) fn begin(&self, headers: &HeaderMap, session: Session) -> String {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = id(headers) {
            sessions.remove(before);
        }
        let new = format!("{:032x}", u128::from_ne_bytes(random_array(&SystemRandom)));
        let cookie = format!("{COOKIE_NAME}={new}; Path=/; HttpOnly; SameSite=Lax");
        sessions.insert(new, session);
        cookie
    }
}

fn id(headers: &HeaderMap) -> Option<&str> {
    let pairs =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    let mut own =
        pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == COOKIE_NAME);
    own.next().map(|(_, id)| id).filter(|_| own.next().is_none())
}
