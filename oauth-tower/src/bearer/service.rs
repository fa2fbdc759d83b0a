//! The service: header, verifier, checks, inner service.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Extensions, Request, Response};
use oauth_core::server::AccessToken;
use tower_service::Service;

use super::authorization::{self, Presented};
use super::guard::Guard;
use super::shared::Shared;
use super::{ResponseFuture, Verification, Verifier, cors};
use crate::body::{Body, ResponseBody};

/// Lets only requests with a good bearer token through. Made by [`BearerLayer`](super::BearerLayer).
///
/// It is ready when the inner service is; the instance that was asked whether it is ready is the one that is called. A
/// refused request gives back what that instance has reserved.
pub struct BearerService<S, V> {
    inner: S,
    shared: Arc<Shared<V>>,
}

impl<S, V> BearerService<S, V> {
    pub(super) fn new(inner: S, shared: Arc<Shared<V>>) -> Self {
        Self { inner, shared }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: Clone, V> Clone for BearerService<S, V> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<S: fmt::Debug, V> fmt::Debug for BearerService<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, V, B, RB> Service<Request<B>> for BearerService<S, V>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    V: Verifier,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = ResponseFuture<V, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        if shared.cors && cors::is_preflight(&request) {
            let response = cors::preflight(request.headers());
            self.release();
            return ResponseFuture::own(response);
        }
        let pass = if shared.policy.is_exempt(request.uri().path()) {
            Pass::Yes(None)
        } else {
            match authorization::read(request.headers()) {
                Presented::Token(token) => match shared.verifier.verify_token(token) {
                    Verification::Later(future) => {
                        // The clone has not been asked whether it is ready; the request is for the one that has.
                        let clone = self.inner.clone();
                        let inner = mem::replace(&mut self.inner, clone);
                        return ResponseFuture::verify(future, request, inner, shared.clone());
                    }
                    Verification::Now(verified) => shared.decide(verified, &request),
                },
                presented => shared.without_token(&presented, &request),
            }
        };
        match pass {
            Pass::Yes(token) => {
                let asked = shared.asked(&request);
                admit(request.extensions_mut(), token, shared);
                ResponseFuture::inner(self.inner.call(request), shared.cors, asked)
            }
            Pass::No(response) => {
                self.release();
                ResponseFuture::own(response)
            }
        }
    }
}

impl<S: Clone, V> BearerService<S, V> {
    /// A permit that the inner service holds since it was ready must not wait for a call that does not come.
    fn release(&mut self) {
        self.inner = self.inner.clone();
    }
}

/// Whether a request passes, and with which token; if not, the answer.
pub(super) enum Pass {
    Yes(Option<Arc<AccessToken>>),
    No(Response<Body>),
}

/// Tells what is further inside who calls. The default way of refusing need not be told where there is a token; that of a layer
/// further out does not count any more.
pub(super) fn admit<V>(extensions: &mut Extensions, token: Option<Arc<AccessToken>>, shared: &Shared<V>) {
    if token.is_none() || shared.guard.custom {
        extensions.insert(shared.guard.clone());
    } else {
        extensions.remove::<Arc<Guard>>();
    }
    match token {
        Some(token) => extensions.insert(token),
        None => extensions.remove::<Arc<AccessToken>>(),
    };
}
