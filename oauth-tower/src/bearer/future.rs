//! The future of a protected request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use oauth_core::server::{AccessToken, VerifyError};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::cors;
use super::policy::Policy;
use crate::body::{Body, ResponseBody};

pin_project! {
    /// Waits for the verifier, then for the inner service.
    pub struct BearerFuture<S, B, F, V> {
        #[pin]
        state: State<S, B, F, V>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F, V> {
        Verifying { #[pin] verifying: V, request: Option<Request<B>>, inner: S, policy: Arc<Policy> },
        Calling { #[pin] calling: F, cors: bool },
        Refused { response: Option<Response<Body>> },
    }
}

impl<S, B, F, V> BearerFuture<S, B, F, V> {
    pub(super) fn verifying(verifying: V, request: Request<B>, inner: S, policy: Arc<Policy>) -> Self {
        Self { state: State::Verifying { verifying, request: Some(request), inner, policy } }
    }

    pub(super) fn calling(calling: F, cors: bool) -> Self {
        Self { state: State::Calling { calling, cors } }
    }

    pub(super) fn refused(response: Response<Body>) -> Self {
        Self { state: State::Refused { response: Some(response) } }
    }
}

impl<S, B, F, V> fmt::Debug for BearerFuture<S, B, F, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerFuture").finish_non_exhaustive()
    }
}

impl<S, B, F, V, RB, E> Future for BearerFuture<S, B, F, V>
where
    S: Service<Request<B>, Response = Response<RB>, Error = E, Future = F>,
    F: Future<Output = Result<Response<RB>, E>>,
    V: Future<Output = Result<Arc<AccessToken>, VerifyError>>,
{
    type Output = Result<Response<ResponseBody<RB>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProjection::Verifying { verifying, request, inner, policy } => {
                    let verified = ready!(verifying.poll(cx));
                    let mut request = request.take().expect("polled after completion");
                    match policy.check(verified) {
                        Ok(bearer) => {
                            request.extensions_mut().insert(bearer);
                            State::Calling { calling: inner.call(request), cors: policy.cors }
                        }
                        Err(response) => State::Refused { response: Some(response) },
                    }
                }
                StateProjection::Calling { calling, cors } => {
                    let mut response = ready!(calling.poll(cx))?;
                    if *cors {
                        cors::open(response.headers_mut());
                    }
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProjection::Refused { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
            };
            self.as_mut().project().state.set(next);
        }
    }
}
