//! A token's claims in a type of the host.

use oauth_core::server::AccessToken;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The claims of a token, as a type of the host: all that the issuer says where it is another server, else what the
/// [`AccessToken`] says, under the names of RFC 9068 §2.2.
///
/// # Errors
///
/// If the claims are not what the type expects.
pub fn claims<T: DeserializeOwned>(token: &AccessToken) -> Result<T, serde_json::Error> {
    match &token.claims {
        Some(json) => serde_json::from_str(json),
        None => serde_json::from_value(serde_json::to_value(Standard::of(token))?),
    }
}

#[derive(Serialize)]
struct Standard<'a> {
    iss: &'a str,
    sub: &'a str,
    client_id: &'a str,
    scope: &'a str,
    aud: Vec<&'a str>,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'a str>,
}

impl<'a> Standard<'a> {
    fn of(token: &'a AccessToken) -> Self {
        let authentication = token.authentication.as_ref();
        Self {
            iss: &token.issuer,
            sub: token.subject().unwrap_or(&token.client_id),
            client_id: &token.client_id,
            scope: token.scope.as_str(),
            aud: token.resources.iter().map(|resource| resource.as_str()).collect(),
            iat: token.issued_at.as_secs(),
            exp: token.expires_at.as_secs(),
            auth_time: authentication.map(|own| own.time.as_secs()),
            acr: authentication.and_then(|own| own.acr()).map(|acr| &**acr),
            amr: authentication.into_iter().flat_map(|own| own.amr()).map(|one| &**one).collect(),
        }
    }
}
