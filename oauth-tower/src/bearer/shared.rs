//! What all services of one layer share, and what it decides.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use oauth_core::server::{AccessToken, VerifyError};

use super::authorization::Presented;
use super::guard::Guard;
use super::paths::PathPolicy;
use super::refusal::Denial;
use super::requirements::Requirements;
use super::service::Pass;
use super::{Cause, cors, count};
use crate::body::Body;

/// What all services of one layer share.
pub(super) struct Shared<V> {
    pub(super) verifier: V,
    pub(super) guard: Arc<Guard>,
    pub(super) policy: PathPolicy,
    pub(super) resources: Vec<Box<str>>,
    pub(super) optional: bool,
    pub(super) cors: bool,
    pub(super) deadline: Duration,
}

impl<V> Shared<V> {
    /// Whether a request with a token passes.
    pub(super) fn decide<B>(
        &self,
        verified: Result<Arc<AccessToken>, VerifyError>,
        request: &Request<B>,
    ) -> Pass {
        let required = self.policy.requirements(request.uri().path());
        let token = verified.map_err(Denial::from).and_then(|token| {
            self.check_use(&token)?;
            Ok(token)
        });
        match token {
            Ok(token) => match required.check(&token, &*self.guard.clock) {
                Ok(()) => {
                    count::accepted();
                    Pass::Yes(Some(token))
                }
                Err(denial) => self.refuse(&denial, Some(token), required, request),
            },
            Err(denial) => self.refuse(&denial, None, required, request),
        }
    }

    /// Whether a request passes that presents no token that could be verified.
    pub(super) fn without_token<B>(&self, presented: &Presented<'_>, request: &Request<B>) -> Pass {
        let denial = match presented {
            Presented::Nothing if self.optional => return Pass::Yes(None),
            Presented::Malformed(why) => Denial::new(Cause::Malformed, why),
            Presented::TooLong => Denial::new(Cause::InvalidToken, "the token is too long"),
            Presented::Nothing | Presented::Token(_) => {
                Denial::new(Cause::NoToken, "no bearer token was presented")
            }
        };
        self.refuse(&denial, None, self.policy.requirements(request.uri().path()), request)
    }

    /// The scope that is asked of a request, for refusals further inside.
    pub(super) fn asked<B>(&self, request: &Request<B>) -> Option<Arc<str>> {
        self.policy.requirements(request.uri().path()).tokens.shared()
    }

    /// Whether a live token is for this API, and for whoever presents it.
    fn check_use(&self, token: &AccessToken) -> Result<(), Denial> {
        if token.confirmation.is_some() {
            let why = "the token is bound to a key and was presented as a bearer token";
            return Err(Denial::of(Cause::InvalidToken, why, token));
        }
        let mut own = self.resources.iter();
        if !self.resources.is_empty() && !own.any(|resource| token.resources.find(resource).is_some()) {
            return Err(Denial::of(Cause::InvalidToken, "the token is for another audience", token));
        }
        Ok(())
    }

    fn refuse<B>(
        &self,
        denial: &Denial,
        token: Option<Arc<AccessToken>>,
        required: &Requirements,
        request: &Request<B>,
    ) -> Pass {
        if self.guard.observe {
            self.guard.report(denial, required, true);
            return Pass::Yes(token);
        }
        let mut response: Response<Body> = self.guard.refuse(denial, required, request.headers());
        if self.cors {
            cors::open(response.headers_mut());
        }
        Pass::No(response)
    }
}
