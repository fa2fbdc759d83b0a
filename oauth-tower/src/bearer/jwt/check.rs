//! From a token and keys to an [`AccessToken`].

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::grant::{Authentication, Resources};
use oauth_core::scope::Scope;
use oauth_core::server::{AccessToken, VerifyError};
use oauth_jose::{AccessTokenClaims, ClaimsError, Expected, JwsError, VerifyingKeys};
use serde::Deserialize;
use serde_json::Value;
use smallvec::SmallVec;

use super::super::described::{confirmation, rejected, resources, scope};
use super::repeated::Repeated;

type Claims<'t> = AccessTokenClaims<Cow<'t, str>>;

/// What tokens of one issuer are compared with.
pub(super) struct Expectations {
    issuer: Arc<str>,
    audience: Vec<Audience>,
    types: Vec<String>,
    profile: bool,
    clients: Repeated<Arc<str>>,
    scopes: Repeated<Scope>,
}

/// A name of this API, and what a token that is for it alone says.
struct Audience {
    name: Box<str>,
    resources: Resources,
}

/// What came of a check.
pub(super) enum Checked {
    Verdict(Result<Arc<AccessToken>, VerifyError>),
    /// No keys, or none of that name: newer ones may be there.
    KeyMissing,
}

impl Expectations {
    /// Tokens of this issuer, for one of these audiences, of one of these types.
    pub(super) fn new(issuer: Arc<str>, audience: Vec<String>, types: Vec<String>, profile: bool) -> Self {
        let audience = audience.into_iter().map(Audience::new).collect();
        let (clients, scopes) = (Repeated::new(|id: &Arc<str>| id), Repeated::new(Scope::as_str));
        Self { issuer, audience, types, profile, clients, scopes }
    }

    pub(super) fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    pub(super) fn check(&self, keys: &VerifyingKeys, token: &str, now: Timestamp, skew: Duration) -> Checked {
        let types: SmallVec<[&str; 2]> = self.types.iter().map(String::as_str).collect();
        match keys.verify(token, &types) {
            Ok(verified) => Checked::Verdict(self.read(verified.payload(), now, skew)),
            Err(JwsError::UnknownKid) => Checked::KeyMissing,
            Err(error) => Checked::Verdict(rejected(signature_reason(error))),
        }
    }

    fn read(&self, payload: &[u8], now: Timestamp, skew: Duration) -> Result<Arc<AccessToken>, VerifyError> {
        let refused = |error| VerifyError::Rejected(claims_reason(error));
        let payload = str::from_utf8(payload).map_err(|_| refused(ClaimsError::Malformed))?;
        let claims = AccessTokenClaims::parse_borrowed(payload).map_err(refused)?;
        let expected = Expected {
            issuer: &self.issuer,
            audience: &self.audience,
            now: u64::try_from(now.as_secs()).unwrap_or(0),
            skew: skew.as_secs(),
            profile: self.profile,
        };
        claims.check(&expected).map_err(refused)?;
        let client_id = client_id(&claims);
        let issued_at = time(claims.iat.unwrap_or(0));
        let client = self.clients.get_or(client_id, |id| Ok(Arc::from(id)))?;
        let mut token = AccessToken::new(self.issuer.clone(), client, issued_at, time(claims.exp));
        token.subject = (claims.sub != client_id).then(|| Arc::from(&*claims.sub));
        token.scope = self.scopes.get_or(&scope_text(&claims)?, scope)?;
        token.resources = self.resources(claims.aud.as_slice());
        token.confirmation = claims.cnf.as_ref().map(confirmation).transpose()?;
        token.authentication = claims.auth_time.map(|seconds| {
            let amr = claims.amr.iter().flatten().map(|one| Arc::from(&**one)).collect();
            Authentication::new(time(seconds)).by(claims.acr.as_deref().map(Into::into), amr)
        });
        token.claims = Some(payload.into());
        Ok(Arc::new(token))
    }

    /// The audiences of a token, which is for one of the names of this API. Mostly it is for no other.
    fn resources(&self, audience: &[Cow<'_, str>]) -> Resources {
        if let [only] = audience
            && let Some(own) = self.audience.iter().find(|own| *own.name == **only)
        {
            return own.resources.clone();
        }
        resources(audience.iter().map(|audience| &**audience))
    }
}

impl Audience {
    fn new(name: String) -> Self {
        Self { resources: resources([&*name]), name: name.into() }
    }
}

impl AsRef<str> for Audience {
    fn as_ref(&self) -> &str {
        &self.name
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
fn client_id<'c>(claims: &'c Claims<'_>) -> &'c str {
    let older = || ["azp", "cid"].iter().find_map(|name| claims.extra.get(*name)?.as_str());
    claims.client_id.as_deref().or_else(older).unwrap_or_default()
}

/// RFC 9068 calls it `scope`; some issuers have `scp`, a text or an array.
fn scope_text<'c>(claims: &'c Claims<'_>) -> Result<Cow<'c, str>, VerifyError> {
    if let Some(scope) = &claims.scope {
        return Ok(Cow::Borrowed(scope));
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
