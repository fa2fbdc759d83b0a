//! Reading an introspection response (RFC 7662 §2.2).

use std::sync::Arc;

use oauth_core::clock::Timestamp;
use oauth_core::grant::Authentication;
use oauth_core::server::{AccessToken, VerifyError};
use serde_json::{Map, Value};

use super::super::described::{confirmation, rejected, resources, scope};
use super::unavailable;

/// The longest answer that is read.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// What an answer is compared with.
pub(super) struct Expected {
    issuer: Arc<str>,
    pub(super) audience: Vec<String>,
    pub(super) untyped: bool,
}

impl Expected {
    pub(super) fn of(issuer: String) -> Self {
        Self { issuer: issuer.into(), audience: Vec::new(), untyped: false }
    }

    pub(super) fn read(&self, json: &[u8], now: Timestamp) -> Result<Arc<AccessToken>, VerifyError> {
        let garbled = || unavailable("the introspection endpoint did not answer with what RFC 7662 says");
        let members: Map<String, Value> = serde_json::from_slice(json).or(Err(garbled()))?;
        match members.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return rejected("the issuer says that the token is not active"),
            _ => return Err(garbled()),
        }
        let read = Members(&members);
        if read.text("iss")?.is_some_and(|issuer| *issuer != *self.issuer) {
            return rejected("the token is of another issuer");
        }
        self.check_type(&read)?;
        let expires_at = read.time("exp")?.unwrap_or(Timestamp::MAX);
        if expires_at <= now {
            return rejected("the token has expired");
        }
        if read.time("nbf")?.is_some_and(|from| from > now) {
            return rejected("the token is not valid yet");
        }
        let audience = read.audience()?;
        if !self.audience.is_empty() && !audience.iter().any(|one| self.audience.iter().any(|own| own == one))
        {
            return rejected("the token is for another audience");
        }
        let client_id = read.text("client_id")?.unwrap_or_default();
        let issued_at = read.time("iat")?.unwrap_or(Timestamp::EPOCH);
        let mut token = AccessToken::new(self.issuer.clone(), client_id, issued_at, expires_at);
        token.subject = read.text("sub")?.filter(|subject| *subject != client_id).map(Arc::from);
        token.scope = scope(read.text("scope")?.unwrap_or_default())?;
        token.resources = resources(audience);
        token.confirmation = match members.get("cnf") {
            None => None,
            Some(Value::Object(cnf)) => Some(confirmation(cnf)?),
            Some(_) => return rejected("cnf is not an object"),
        };
        token.authentication = read.time("auth_time")?.map(Authentication::new);
        if let Some(authentication) = token.authentication.take() {
            let acr = read.text("acr")?.map(Arc::from);
            token.authentication = Some(authentication.by(acr, read.texts("amr")));
        }
        token.claims = std::str::from_utf8(json).ok().map(Arc::from);
        Ok(Arc::new(token))
    }

    /// An answer is about any token of the issuer; a refresh token must not open an API.
    fn check_type(&self, read: &Members<'_>) -> Result<(), VerifyError> {
        let token_use = read.text("token_use")?.or(read.text("typ")?.filter(|typ| *typ == "Refresh"));
        if token_use.is_some_and(|token_use| !["access_token", "access"].contains(&token_use)) {
            return rejected("the token is not an access token");
        }
        match read.text("token_type")? {
            Some(name)
                if ["Bearer", "DPoP", "access_token"].iter().any(|one| name.eq_ignore_ascii_case(one)) =>
            {
                Ok(())
            }
            Some(_) => rejected("the token is not an access token"),
            None if token_use.is_some() || self.untyped => Ok(()),
            None => rejected("the issuer does not say that the token is an access token"),
        }
    }
}

struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn text(&self, name: &str) -> Result<Option<&'a str>, VerifyError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => rejected("a member of the introspection response is not a string"),
        }
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, VerifyError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(seconds) if seconds >= 0 => Ok(Some(Timestamp::from_secs(seconds))),
                _ => rejected("a time of the introspection response is not a whole number"),
            },
        }
    }

    fn audience(&self) -> Result<Vec<&'a str>, VerifyError> {
        match self.0.get("aud") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(several)) => {
                let several: Option<_> = several.iter().map(Value::as_str).collect();
                several.map_or_else(|| rejected("aud is not text"), Ok)
            }
            Some(_) => rejected("aud is not text"),
        }
    }

    fn texts(&self, name: &str) -> Vec<Arc<str>> {
        let values = self.0.get(name).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).map(Arc::from).collect()
    }
}
