//! Assertions by which clients authenticate (RFC 7523 §3, with the audience of draft-ietf-oauth-rfc7523bis).
//!
//! 1. The issuer is the one and only audience, byte for byte: an assertion that another server was given works nowhere else.
//! 2. It lives for at most an hour, and works once.
//! 3. Its key is the registered one; what its header says about keys, but for `kid`, is not read.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_jose::{Algorithm, JwsError, VerifyingKeys};
use serde_json::Value;

use super::members::Members;
use crate::clock::Timestamp;

/// How far the clocks of client and server may differ.
pub(crate) const ASSERTION_SKEW: Duration = Duration::from_secs(60);
/// The longest time for which an assertion is good.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);
/// The longest `jti`, in bytes.
const MAX_JTI: usize = 256;
/// Tokens of other purposes have other types (RFC 8725 §3.11).
const TYPES: [&str; 3] = ["", "JWT", "client-authentication+jwt"];

/// An assertion as it was sent.
#[derive(Clone, Copy)]
pub(crate) struct Assertion<'a>(&'a str);

/// What a verified assertion leaves to do: its `jti` may be used once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asserted {
    pub(crate) jti: String,
    pub(crate) expires_at: Timestamp,
}

/// Why an assertion is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    /// The client may have published a new key.
    #[error("the assertion is signed with a key that is not known")]
    UnknownKey,
    #[error("the assertion's signature: {0}")]
    Signature(JwsError),
    #[error("the assertion is signed with another algorithm than the registered one")]
    Algorithm,
    #[error("the assertion's claims are not one JSON object of the right types")]
    Malformed,
    #[error("iss and sub of the assertion are not both the client")]
    Client,
    #[error("aud of the assertion is not this issuer alone")]
    Audience,
    #[error("the assertion has expired")]
    Expired,
    #[error("the assertion would be good for too long")]
    TooLong,
    #[error("the assertion is from the future")]
    Future,
    #[error("jti of the assertion is missing or too long")]
    Jti,
}

impl<'a> Assertion<'a> {
    /// The value of `client_assertion_type`.
    pub(crate) const TYPE: &'static str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    pub(crate) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Whose assertion it claims to be. Nothing is proven yet.
    pub(crate) fn claimed_client(self) -> Option<String> {
        let payload = self.0.split('.').nth(1).filter(|payload| payload.len() <= 16 * 1024)?;
        let claims = Members::parse(&URL_SAFE_NO_PAD.decode(payload).ok()?)?;
        claims.text("sub").ok()?.map(str::to_owned)
    }

    /// Verifies it.
    pub(crate) fn verify(
        self,
        keys: &VerifyingKeys,
        only: Option<Algorithm>,
        client_id: &str,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Asserted, AssertionError> {
        let verified = keys.verify(self.0, &TYPES).map_err(|error| match error {
            JwsError::UnknownKid => AssertionError::UnknownKey,
            other => AssertionError::Signature(other),
        })?;
        if only.is_some_and(|only| only != verified.algorithm()) {
            return Err(AssertionError::Algorithm);
        }
        let claims = Members::parse(verified.payload()).ok_or(AssertionError::Malformed)?;
        let text = |name| claims.text(name).map_err(|_| AssertionError::Malformed);
        if text("iss")? != Some(client_id) || text("sub")? != Some(client_id) {
            return Err(AssertionError::Client);
        }
        let for_us = match claims.get("aud") {
            Some(Value::String(audience)) => audience == issuer,
            Some(Value::Array(audiences)) => {
                matches!(&audiences[..], [Value::String(only)] if only == issuer)
            }
            _ => false,
        };
        if !for_us {
            return Err(AssertionError::Audience);
        }
        let expires_at = time(&claims, "exp")?.ok_or(AssertionError::Malformed)?;
        if now >= expires_at + ASSERTION_SKEW {
            return Err(AssertionError::Expired);
        }
        if expires_at > now + MAX_LIFETIME + ASSERTION_SKEW {
            return Err(AssertionError::TooLong);
        }
        let begins = [time(&claims, "nbf")?, time(&claims, "iat")?];
        if begins.into_iter().flatten().any(|begins| begins > now + ASSERTION_SKEW) {
            return Err(AssertionError::Future);
        }
        let jti = text("jti")?.filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI);
        let jti = jti.ok_or(AssertionError::Jti)?.to_owned();
        Ok(Asserted { jti, expires_at })
    }
}

/// Whole seconds, or seconds with a fraction (RFC 7519 §2), in a range where no arithmetic overflows.
fn time(claims: &Members, name: &str) -> Result<Option<Timestamp>, AssertionError> {
    /// The last second of the year 9999.
    const LAST: f64 = 253_402_300_799.0;

    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(seconds) if (0.0..=LAST).contains(&seconds) => {
                Ok(Some(Timestamp::from_secs(seconds as i64)))
            }
            _ => Err(AssertionError::Malformed),
        },
        Some(_) => Err(AssertionError::Malformed),
    }
}
