//! The service: header, verifier, inner service.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::header::{Presented, presented};
use super::policy::Policy;
use super::{BearerFuture, Refusal, Verification, Verifier, cors};
use crate::body::ResponseBody;

/// Lets only requests with a good bearer token through. Made by [`BearerLayer`](super::BearerLayer).
#[derive(Clone, Debug)]
pub struct BearerService<S, V> {
    inner: S,
    verifier: V,
    policy: Arc<Policy>,
}

impl<S, V> BearerService<S, V> {
    pub(super) fn new(inner: S, verifier: V, policy: Arc<Policy>) -> Self {
        Self { inner, verifier, policy }
    }
}

impl<S, V, B, RB> Service<Request<B>> for BearerService<S, V>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    V: Verifier,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = BearerFuture<S, B, S::Future, V::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let policy = &self.policy;
        if policy.cors
            && let Some(response) = cors::preflight(&request)
        {
            return self.answer(response);
        }
        let verification = match presented(request.headers()) {
            Presented::Token(token) => self.verifier.verify(token),
            Presented::Nothing if policy.optional => {
                // An outer layer's token must not count where this one was asked for.
                request.extensions_mut().remove::<super::Bearer>();
                request.extensions_mut().insert(super::Anonymous);
                return BearerFuture::calling(self.inner.call(request), policy.cors);
            }
            Presented::Nothing => return self.answer(policy.refuse(Refusal::Missing)),
            Presented::Malformed(why) => return self.answer(policy.malformed(why)),
        };
        match verification {
            Verification::Now(verified) => match policy.check(verified) {
                Ok(bearer) => {
                    request.extensions_mut().insert(bearer);
                    BearerFuture::calling(self.inner.call(request), policy.cors)
                }
                Err(response) => self.answer(response),
            },
            Verification::Later(future) => {
                // The instance that was polled ready is the one to call; its clone takes its place.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                BearerFuture::verifying(future, request, ready, self.policy.clone())
            }
        }
    }
}

impl<S: Clone, V> BearerService<S, V> {
    fn answer<B, F, VF>(&mut self, response: Response<crate::body::Body>) -> BearerFuture<S, B, F, VF> {
        // A permit that the inner service holds since it was ready must not wait for a call that does not come.
        self.inner = self.inner.clone();
        BearerFuture::refused(response)
    }
}
