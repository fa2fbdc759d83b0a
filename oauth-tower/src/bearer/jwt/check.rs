//! From a token and keys to an [`AccessToken`].

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::grant::Authentication;
use oauth_core::server::{AccessToken, VerifyError};
use oauth_jose::{AccessTokenClaims, ClaimsError, Expected, JwsError, VerifyingKeys};
use serde::Deserialize;
use serde_json::Value;

use super::super::described::{confirmation, rejected, resources, scope};

/// What tokens of one issuer are compared with.
pub(super) struct Expectations {
    pub(super) issuer: Arc<str>,
    pub(super) audience: Vec<String>,
    pub(super) types: Vec<String>,
    pub(super) profile: bool,
}

/// What came of a check.
pub(super) enum Checked {
    Verdict(Result<Arc<AccessToken>, VerifyError>),
    /// No keys, or none of that name: newer ones may be there.
    KeyMissing,
}

impl Expectations {
    pub(super) fn check(&self, keys: &VerifyingKeys, token: &str, now: Timestamp, skew: Duration) -> Checked {
        let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        let payload = match keys.verify(token, &types) {
            Ok(verified) => verified.into_payload(),
            Err(JwsError::UnknownKid) => return Checked::KeyMissing,
            Err(error) => return Checked::Verdict(rejected(signature_reason(error))),
        };
        Checked::Verdict(self.read(&payload, now, skew))
    }

    fn read(&self, payload: &[u8], now: Timestamp, skew: Duration) -> Result<Arc<AccessToken>, VerifyError> {
        let claims = AccessTokenClaims::parse(payload);
        let claims = claims.map_err(|error| VerifyError::Rejected(claims_reason(error)))?;
        let audience: Vec<&str> = self.audience.iter().map(String::as_str).collect();
        let expected = Expected {
            issuer: &self.issuer,
            audience: &audience,
            now: u64::try_from(now.as_secs()).unwrap_or(0),
            skew: skew.as_secs(),
            profile: self.profile,
        };
        claims.check(&expected).map_err(|error| VerifyError::Rejected(claims_reason(error)))?;
        let client_id = client_id(&claims);
        let issued_at = time(claims.iat.unwrap_or(0));
        let mut token = AccessToken::new(self.issuer.clone(), client_id, issued_at, time(claims.exp));
        token.subject = (claims.sub != client_id).then(|| claims.sub.as_str().into());
        token.scope = scope(&scope_text(&claims)?)?;
        token.resources = resources(claims.aud.0.iter().map(String::as_str));
        token.confirmation = claims.cnf.as_ref().map(confirmation).transpose()?;
        token.authentication = claims.auth_time.map(|seconds| {
            let amr = claims.amr.iter().flatten().map(|one| one.as_str().into()).collect();
            Authentication::new(time(seconds)).by(claims.acr.as_deref().map(Into::into), amr)
        });
        token.claims = std::str::from_utf8(payload).ok().map(Arc::from);
        Ok(Arc::new(token))
    }
}

/// The issuer that a JWT names, unverified.
pub(super) fn named_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        iss: Cow<'a, str>,
    }

    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).ok()?;
    serde_json::from_slice::<Named<'_>>(&payload).ok().map(|named| named.iss.into_owned())
}

/// RFC 9068 calls it `client_id`; before it was written, others called it `azp` or `cid`.
fn client_id(claims: &AccessTokenClaims) -> &str {
    let older = || ["azp", "cid"].iter().find_map(|name| claims.extra.get(*name)?.as_str());
    claims.client_id.as_deref().or_else(older).unwrap_or_default()
}

/// RFC 9068 calls it `scope`; some issuers have `scp`, a text or an array.
fn scope_text(claims: &AccessTokenClaims) -> Result<Cow<'_, str>, VerifyError> {
    if let Some(scope) = &claims.scope {
        return Ok(scope.into());
    }
    match claims.extra.get("scp") {
        None => Ok("".into()),
        Some(Value::String(text)) => Ok(text.into()),
        Some(Value::Array(several)) => {
            let several: Option<Vec<_>> = several.iter().map(Value::as_str).collect();
            several.map_or_else(|| rejected("scp is not text"), |several| Ok(several.join(" ").into()))
        }
        Some(_) => rejected("scp is not text"),
    }
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn signature_reason(error: JwsError) -> &'static str {
    match error {
        JwsError::TooLong => "the token is too long",
        JwsError::Header => "the header of the token is malformed",
        JwsError::Critical => "the token asks for an extension that is not known here",
        JwsError::Algorithm => "the token's algorithm is not the one of its key",
        JwsError::Typ => "a JWT of another type than an access token",
        JwsError::MissingKid => "the token does not say its key, and there are several",
        JwsError::Signature => "the signature of the token is not valid",
        _ => "not a compact JWS",
    }
}

fn claims_reason(error: ClaimsError) -> &'static str {
    match error {
        ClaimsError::Issuer => "the token is of another issuer",
        ClaimsError::Audience => "the token is for another audience",
        ClaimsError::Expired => "the token has expired",
        ClaimsError::Early => "the token is not valid yet",
        ClaimsError::Missing => "the token lacks a claim that RFC 9068 requires",
        _ => "the claims of the token are malformed",
    }
}
