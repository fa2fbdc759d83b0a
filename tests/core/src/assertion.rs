//! A grant type of a host's own.

use std::time::Duration;

use async_trait::async_trait;
use oauth_core::error::{Error, ErrorCode};
use oauth_core::token::{GrantType, Permit, Proof, TokenRequest};

/// Takes `assertion=<jti>.<subject>`, each `jti` once.
#[derive(Debug)]
pub struct Assertion;

#[async_trait]
impl GrantType for Assertion {
    fn name(&self) -> &str {
        "urn:example:assertion"
    }

    async fn permit(&self, request: &TokenRequest<'_>) -> Result<Permit, Error> {
        let Some((jti, subject)) = request.required("assertion")?.split_once('.') else {
            return Err(Error::new(ErrorCode::InvalidGrant, "the assertion is not valid"));
        };
        let until = request.now() + Duration::from_secs(600);
        let permit = Permit::for_subject(request, subject, Proof::new("assertion", request.now()))?;
        Ok(permit.with_refresh_token().first_use("urn:example:issuer", jti, until))
    }
}
