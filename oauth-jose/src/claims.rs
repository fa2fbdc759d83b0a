//! The claims of a JWT access token (RFC 9068 §2.2), read strictly.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::plain_claims;

/// The claims of a JWT access token.
///
/// Times are whole seconds since 1970; a time of any other JSON type is an error, never skipped. Texts are of one's own, or
/// those of the payload ([`parse_borrowed`](AccessTokenClaims::parse_borrowed)).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AccessTokenClaims<T = String> {
    /// Who issued it.
    pub iss: T,
    /// Whom it is about; of a client's own token, the client.
    pub sub: T,
    /// Whom it is for.
    pub aud: Audience<T>,
    /// When it ends.
    pub exp: u64,
    /// When it was issued.
    pub iat: Option<u64>,
    /// When it begins.
    pub nbf: Option<u64>,
    /// Its id.
    pub jti: Option<T>,
    /// The client that it was issued to.
    pub client_id: Option<T>,
    /// Its scope, tokens separated by spaces.
    pub scope: Option<T>,
    /// When the subject authenticated.
    pub auth_time: Option<u64>,
    /// How strongly (OpenID Connect Core §2).
    pub acr: Option<T>,
    /// By what means (RFC 8176).
    pub amr: Option<Vec<T>>,
    /// The key that it is bound to (RFC 7800): a JSON object with at least one member.
    pub cnf: Option<Map<String, Value>>,
    /// The other claims.
    pub extra: Map<String, Value>,
}

/// One audience or several: a string, or an array of strings (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience<T = String> {
    /// Written as a string.
    One(T),
    /// Written as an array, which may be empty or have one.
    Several(Vec<T>),
}

impl<T> Audience<T> {
    /// All of them.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

impl<T: AsRef<str>> Audience<T> {
    /// Whether one of them is `resource`, byte for byte.
    pub fn contains(&self, resource: &str) -> bool {
        self.as_slice().iter().any(|audience| audience.as_ref() == resource)
    }
}

impl<T> Default for Audience<T> {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// What claims are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e, A = &'e str> {
    /// The issuer, byte for byte.
    pub issuer: &'e str,
    /// The audiences that are acceptable here: one of them must be among the token's.
    pub audience: &'e [A],
    /// Now, in seconds since 1970.
    pub now: u64,
    /// How far the clocks of issuer and resource server may be apart, in seconds. `exp` counts without it where it is zero.
    pub skew: u64,
    /// Whether `client_id`, `iat` and `jti` must be there, as RFC 9068 §2.2 says; some issuers leave them out.
    pub profile: bool,
}

/// Why claims are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// Not one JSON object, a member twice, a claim missing or of another type.
    #[error("the claims are not well-formed")]
    Malformed,
    /// Another issuer.
    #[error("another issuer")]
    Issuer,
    /// Not for here.
    #[error("another audience")]
    Audience,
    /// `exp` has come.
    #[error("expired")]
    Expired,
    /// `nbf` or `iat` has not come.
    #[error("not valid yet")]
    Early,
    /// A claim that RFC 9068 §2.2 requires is missing.
    #[error("a required claim is missing")]
    Missing,
}

impl AccessTokenClaims {
    /// Reads the payload of a verified token.
    ///
    /// # Errors
    ///
    /// [`ClaimsError::Malformed`].
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        let payload = std::str::from_utf8(payload).map_err(|_| ClaimsError::Malformed)?;
        AccessTokenClaims::parse_borrowed(payload).map(AccessTokenClaims::into_owned)
    }
}

impl<'t> AccessTokenClaims<Cow<'t, str>> {
    /// Reads the payload of a verified token, and copies no text but one that is written with escapes, and those of
    /// `cnf` and of claims that RFC 9068 does not name.
    ///
    /// # Errors
    ///
    /// [`ClaimsError::Malformed`].
    pub fn parse_borrowed(payload: &'t str) -> Result<Self, ClaimsError> {
        match plain_claims::read(payload) {
            Some(claims) => Ok(claims),
            None => serde_json::from_str(payload).map_err(|_| ClaimsError::Malformed),
        }
    }

    /// The same claims, without the payload.
    pub fn into_owned(self) -> AccessTokenClaims {
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let all = |texts: Vec<Cow<'_, str>>| texts.into_iter().map(Cow::into_owned).collect();
        AccessTokenClaims {
            iss: self.iss.into_owned(),
            sub: self.sub.into_owned(),
            aud: match self.aud {
                Audience::One(one) => Audience::One(one.into_owned()),
                Audience::Several(several) => Audience::Several(all(several)),
            },
            exp: self.exp,
            iat: self.iat,
            nbf: self.nbf,
            jti: owned(self.jti),
            client_id: owned(self.client_id),
            scope: owned(self.scope),
            auth_time: self.auth_time,
            acr: owned(self.acr),
            amr: self.amr.map(all),
            cnf: self.cnf,
            extra: self.extra,
        }
    }
}

impl<T: AsRef<str>> AccessTokenClaims<T> {
    /// Whether the token is good here and now (RFC 9068 §4).
    ///
    /// # Errors
    ///
    /// A [`ClaimsError`].
    ///
    /// # Security
    ///
    /// A token with `cnf` is no bearer token: whether the sender holds that key is the caller's to check.
    pub fn check<A: AsRef<str>>(&self, expected: &Expected<'_, A>) -> Result<(), ClaimsError> {
        if self.iss.as_ref() != expected.issuer {
            return Err(ClaimsError::Issuer);
        }
        if !expected.audience.iter().any(|audience| self.aud.contains(audience.as_ref())) {
            return Err(ClaimsError::Audience);
        }
        if self.exp.saturating_add(expected.skew) <= expected.now {
            return Err(ClaimsError::Expired);
        }
        let latest = expected.now.saturating_add(expected.skew);
        if [self.nbf, self.iat].into_iter().flatten().any(|from| from > latest) {
            return Err(ClaimsError::Early);
        }
        let missing = self.client_id.is_none() || self.iat.is_none() || self.jti.is_none();
        if expected.profile && missing { Err(ClaimsError::Missing) } else { Ok(()) }
    }
}

impl<T: Serialize> Serialize for Audience<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(one) => one.serialize(serializer),
            Self::Several(several) => several.serialize(serializer),
        }
    }
}

/// What is absent is left out; `extra` comes last.
impl<T: Serialize> Serialize for AccessTokenClaims<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("iss", &self.iss)?;
        map.serialize_entry("sub", &self.sub)?;
        map.serialize_entry("aud", &self.aud)?;
        map.serialize_entry("exp", &self.exp)?;
        for (name, time) in [("iat", self.iat), ("nbf", self.nbf), ("auth_time", self.auth_time)] {
            if let Some(time) = time {
                map.serialize_entry(name, &time)?;
            }
        }
        let texts =
            [("jti", &self.jti), ("client_id", &self.client_id), ("scope", &self.scope), ("acr", &self.acr)];
        for (name, text) in texts {
            if let Some(text) = text {
                map.serialize_entry(name, text)?;
            }
        }
        if let Some(amr) = &self.amr {
            map.serialize_entry("amr", amr)?;
        }
        if let Some(cnf) = &self.cnf {
            map.serialize_entry("cnf", cnf)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
