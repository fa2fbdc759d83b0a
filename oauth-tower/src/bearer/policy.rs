//! What a layer asks of a token: decided by a pure function.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use oauth_core::scope::Scope;
use oauth_core::server::{AccessToken, VerifyError};

use super::{Bearer, Challenge, Refusal, Refuse};
use crate::body::Body;

/// What all clones of a service share.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) all: Scope,
    pub(super) any: Scope,
    pub(super) resource: Option<Box<str>>,
    pub(super) optional: bool,
    pub(super) cors: bool,
    pub(super) challenge: Challenge,
    pub(super) refuse: Arc<dyn Refuse>,
}

impl Policy {
    /// Whether a verified token may pass.
    pub(super) fn check(
        &self,
        verified: Result<Arc<AccessToken>, VerifyError>,
    ) -> Result<Bearer, Response<Body>> {
        let token = match verified {
            Ok(token) => token,
            Err(VerifyError::Unavailable(error)) => {
                tracing::warn!(reason = error.reason(), "bearer_unavailable");
                let after = error.retry_after().unwrap_or(Duration::from_secs(1));
                return Err(self.refuse(Refusal::Unavailable(after)));
            }
            Err(error) => return Err(self.invalid(None, &error.to_string())),
        };
        if token.confirmation.is_some() {
            return Err(self.invalid(Some(&token), "the token is bound to a key that was not proven"));
        }
        if let Some(resource) = &self.resource
            && !token.resources.contains(resource)
        {
            return Err(self.invalid(Some(&token), "the token is meant for another resource"));
        }
        if !self.allows(&token.scope) {
            tracing::info!(client_id = &*token.client_id, needed = %self.all, "bearer_insufficient_scope");
            return Err(self.refuse(Refusal::InsufficientScope));
        }
        Ok(Bearer::new(token))
    }

    pub(super) fn allows(&self, scope: &Scope) -> bool {
        let any = self.any.is_empty() || self.any.iter().any(|token| scope.contains(token));
        any && self.all.is_subset_of(scope)
    }

    pub(super) fn malformed(&self, why: &'static str) -> Response<Body> {
        tracing::info!(reason = why, "bearer_malformed");
        self.refuse(Refusal::Malformed)
    }

    pub(super) fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let mut response = self.refuse.refuse(refusal, &self.challenge);
        if self.cors {
            super::cors::open(response.headers_mut());
        }
        response
    }

    fn invalid(&self, token: Option<&AccessToken>, reason: &str) -> Response<Body> {
        let client_id = token.map(|token| &*token.client_id);
        tracing::info!(client_id, reason, "bearer_invalid_token");
        self.refuse(Refusal::InvalidToken)
    }
}
