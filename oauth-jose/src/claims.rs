//! The claims of a JWT access token (RFC 9068 §2.2), read strictly.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::header::Text;
use crate::strict_json::{Strict, insert_once};

/// The last second of the year 9999: a later time is a mistake or an attack on arithmetic.
const LAST_SECOND: u64 = 253_402_300_799;

/// The claims of a JWT access token.
///
/// Times are whole seconds since 1970; a time of any other JSON type is an error, never skipped.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AccessTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// Whom it is about; of a client's own token, the client.
    pub sub: String,
    /// Whom it is for.
    pub aud: Audience,
    /// When it ends.
    pub exp: u64,
    /// When it was issued.
    pub iat: Option<u64>,
    /// When it begins.
    pub nbf: Option<u64>,
    /// Its id.
    pub jti: Option<String>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
    /// Its scope, tokens separated by spaces.
    pub scope: Option<String>,
    /// When the subject authenticated.
    pub auth_time: Option<u64>,
    /// How strongly (OpenID Connect Core §2).
    pub acr: Option<String>,
    /// By what means (RFC 8176).
    pub amr: Option<Vec<String>>,
    /// The key that it is bound to (RFC 7800): a JSON object with at least one member.
    pub cnf: Option<Map<String, Value>>,
    /// The other claims.
    pub extra: Map<String, Value>,
}

/// One audience or several; written as a string when it is one (RFC 7519 §4.1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience(pub Vec<String>);

impl Audience {
    /// Whether one of them is `resource`, byte for byte.
    pub fn contains(&self, resource: &str) -> bool {
        self.0.iter().any(|audience| audience == resource)
    }
}

/// What claims are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// The issuer, byte for byte.
    pub issuer: &'e str,
    /// The audiences that are acceptable here: one of them must be among the token's.
    pub audience: &'e [&'e str],
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
        serde_json::from_slice(payload).map_err(|_| ClaimsError::Malformed)
    }

    /// Whether the token is good here and now (RFC 9068 §4).
    ///
    /// # Errors
    ///
    /// A [`ClaimsError`].
    ///
    /// # Security
    ///
    /// A token with `cnf` is no bearer token: whether the sender holds that key is the caller's to check.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), ClaimsError> {
        if self.iss != expected.issuer {
            return Err(ClaimsError::Issuer);
        }
        if !expected.audience.iter().any(|audience| self.aud.contains(audience)) {
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

impl<'de> Deserialize<'de> for AccessTokenClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = AccessTokenClaims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AccessTokenClaims, A::Error> {
        let mut claims = AccessTokenClaims::default();
        let (mut iss, mut sub, mut aud, mut exp) = (None, None, None, None);
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "iss" => once(&mut iss, &mut map)?,
                "sub" => once(&mut sub, &mut map)?,
                "aud" => once(&mut aud, &mut map)?,
                "exp" => once(&mut exp, &mut map)?,
                "iat" => once_seconds(&mut claims.iat, &mut map)?,
                "nbf" => once_seconds(&mut claims.nbf, &mut map)?,
                "jti" => once(&mut claims.jti, &mut map)?,
                "client_id" => once(&mut claims.client_id, &mut map)?,
                "scope" => once(&mut claims.scope, &mut map)?,
                "auth_time" => once_seconds(&mut claims.auth_time, &mut map)?,
                "acr" => once(&mut claims.acr, &mut map)?,
                "amr" => once(&mut claims.amr, &mut map)?,
                "cnf" => {
                    let mut cnf: Option<Strict> = None;
                    once(&mut cnf, &mut map)?;
                    match (cnf, &claims.cnf) {
                        (Some(Strict(Value::Object(cnf))), None) if !cnf.is_empty() => claims.cnf = Some(cnf),
                        _ => return Err(A::Error::custom("cnf is not one object with a member")),
                    }
                }
                _ => {
                    let Strict(value) = map.next_value()?;
                    insert_once(&mut claims.extra, name.0.into_owned(), value)?;
                }
            }
        }
        let missing = A::Error::missing_field;
        claims.iss = iss.ok_or_else(|| missing("iss"))?;
        claims.sub = sub.ok_or_else(|| missing("sub"))?;
        claims.aud = aud.ok_or_else(|| missing("aud"))?;
        claims.exp = exp.map(|Seconds(exp)| exp).ok_or_else(|| missing("exp"))?;
        Ok(claims)
    }
}

fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    claim: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    match claim.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("a claim twice")),
    }
}

fn once_seconds<'de, A: MapAccess<'de>>(claim: &mut Option<u64>, map: &mut A) -> Result<(), A::Error> {
    let mut seconds = None;
    once(&mut seconds, map)?;
    match claim.replace(seconds.map_or(0, |Seconds(seconds)| seconds)) {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("a claim twice")),
    }
}

/// A whole number of seconds up to the year 9999.
struct Seconds(u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        if seconds > LAST_SECOND {
            Err(D::Error::custom("a time that is far off"))
        } else {
            Ok(Self(seconds))
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AudienceVisitor;

        impl<'de> Visitor<'de> for AudienceVisitor {
            type Value = Audience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }

            fn visit_str<E: Error>(self, audience: &str) -> Result<Audience, E> {
                Ok(Audience(vec![audience.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Audience, A::Error> {
                let mut audience = Vec::new();
                while let Some(one) = seq.next_element()? {
                    audience.push(one);
                }
                Ok(Audience(audience))
            }
        }

        deserializer.deserialize_any(AudienceVisitor)
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            several => serializer.collect_seq(several),
        }
    }
}

/// What is absent is left out; `extra` comes last.
impl Serialize for AccessTokenClaims {
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
