//! The future of an answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use oauth_core::error::Error;
use oauth_core::server::VerifyError;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::service::{Pass, admit};
use super::shared::Shared;
use super::widen::widen;
use super::{Verifier, cors};
use crate::body::{Body, ResponseBody};
use crate::deadline::Deadline;

pin_project! {
    /// A refusal, or the verification of a token and then the answer of the inner service.
    pub struct ResponseFuture<V, S, B>
    where
        V: Verifier,
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<V, S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<V, S, B>
    where
        V: Verifier,
        S: Service<Request<B>>,
    {
        Verify { #[pin] verification: V::Future, deadline: Deadline, waiting: Option<Waiting<V, S, B>> },
        Inner { #[pin] future: S::Future, cors: bool, asked: Option<Arc<str>> },
        Own { response: Option<Response<Body>> },
    }
}

/// What is needed once the token has been verified.
struct Waiting<V, S, B> {
    request: Request<B>,
    inner: S,
    shared: Arc<Shared<V>>,
}

impl<V, S, B> ResponseFuture<V, S, B>
where
    V: Verifier,
    S: Service<Request<B>>,
{
    pub(super) fn verify(
        verification: V::Future,
        request: Request<B>,
        inner: S,
        shared: Arc<Shared<V>>,
    ) -> Self {
        let deadline = Deadline::new(shared.deadline);
        let waiting = Some(Waiting { request, inner, shared });
        Self { state: State::Verify { verification, deadline, waiting } }
    }

    /// `asked` is the scope that this layer asks for.
    pub(super) fn inner(future: S::Future, cors: bool, asked: Option<Arc<str>>) -> Self {
        Self { state: State::Inner { future, cors, asked } }
    }

    pub(super) fn own(response: Response<Body>) -> Self {
        Self { state: State::Own { response: Some(response) } }
    }
}

impl<V, S, B> fmt::Debug for ResponseFuture<V, S, B>
where
    V: Verifier,
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<V, S, B, RB> Future for ResponseFuture<V, S, B>
where
    V: Verifier,
    S: Service<Request<B>, Response = Response<RB>>,
{
    type Output = Result<Response<ResponseBody<RB>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Verify { verification, deadline, waiting } => {
                    let late = || {
                        Err(VerifyError::Unavailable(Error::unavailable(
                            "the token was not verified in time",
                        )))
                    };
                    let verified = ready!(deadline.poll_within(cx, verification)).unwrap_or_else(late);
                    let Waiting { mut request, mut inner, shared } =
                        waiting.take().expect("polled after completion");
                    match shared.decide(verified, &request) {
                        Pass::Yes(token) => {
                            let asked = shared.asked(&request);
                            admit(request.extensions_mut(), token, &shared);
                            State::Inner { future: inner.call(request), cors: shared.cors, asked }
                        }
                        Pass::No(response) => State::Own { response: Some(response) },
                    }
                }
                StateProjection::Inner { future, cors, asked } => {
                    let mut response = ready!(future.poll(cx))?;
                    if let Some(asked) = asked {
                        widen(&mut response, asked);
                    }
                    if *cors {
                        cors::open(response.headers_mut());
                    }
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProjection::Own { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
            };
            state.set(next);
        }
    }
}
