//! Who is signed in here: a random cookie, and what the provider said about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use oauth_core::authorize::Login;
use oauth_core::issuer::Issuer;
use oauth_core::secret::{SystemRandom, random_array};

use crate::cookie;

const NAME: &str = "signed-in";
const WEEK: u32 = 7 * 24 * 3600;

#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<String, Login>>>);

impl Sessions {
    pub(crate) fn find(&self, headers: &HeaderMap, issuer: &Issuer) -> Option<Login> {
        let id = cookie::get(headers, issuer, NAME)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Begins a session and ends the one before; the answer is the `Set-Cookie` value.
    pub(crate) fn begin(&self, headers: &HeaderMap, issuer: &Issuer, login: Login) -> String {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = cookie::get(headers, issuer, NAME) {
            sessions.remove(before);
        }
        let new = format!("{:032x}", u128::from_ne_bytes(random_array(&SystemRandom)));
        let cookie = cookie::set(issuer, NAME, &new, WEEK);
        sessions.insert(new, login);
        cookie
    }
}
