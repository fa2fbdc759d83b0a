//! The future of an answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Response, header};
use pin_project_lite::pin_project;

use super::dispatch::Outcome;
use super::observed::Observed;
use crate::body::{Body, ResponseBody};
use crate::endpoint::not_served;

pin_project! {
    /// The answer of an endpoint, or of the inner service, whose future is `F`.
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Inner { #[pin] future: F },
        WellKnown { #[pin] future: F, own: Box<Own> },
        Ready { response: Option<Response<Body>> },
        Later { future: Pin<Box<dyn Future<Output = Response<Body>> + Send>>, observed: Observed },
    }
}

/// What is answered where the inner service does not. Boxed, so that the common future has no room for it.
struct Own {
    preflight: Option<Response<Body>>,
    ours: Option<Response<Body>>,
}

impl<F> ResponseFuture<F> {
    pub(super) fn inner(future: F) -> Self {
        Self { state: State::Inner { future } }
    }

    /// The inner service is asked first; `preflight` is the answer to a preflight that it does not answer, `ours` that to
    /// anything else.
    pub(super) fn well_known(
        future: F,
        preflight: Option<Response<Body>>,
        ours: Option<Response<Body>>,
    ) -> Self {
        Self { state: State::WellKnown { future, own: Box::new(Own { preflight, ours }) } }
    }

    #[inline]
    pub(super) fn own(outcome: Outcome, observed: Observed) -> Self {
        Self {
            state: match outcome {
                Outcome::Ready(mut response) => {
                    observed.answered(&mut response);
                    State::Ready { response: Some(response) }
                }
                Outcome::Later(future) => State::Later { future, observed },
            },
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, RB, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<ResponseBody<RB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let own = match self.project().state.project() {
            StateProjection::Inner { future } => {
                return future
                    .poll(cx)
                    .map(|answer| answer.map(|response| response.map(ResponseBody::inner)));
            }
            StateProjection::WellKnown { future, own } => {
                let Own { preflight, ours } = &mut **own;
                let response = ready!(future.poll(cx))?;
                let success = response.status().is_success();
                let answered = match (&preflight, &ours) {
                    (Some(_), _) => success,
                    (None, Some(_)) => success && is_json(response.headers()),
                    (None, None) => is_json(response.headers()),
                };
                if answered {
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                preflight.take().or_else(|| ours.take()).unwrap_or_else(not_served)
            }
            StateProjection::Ready { response } => response.take().expect("polled after completion"),
            StateProjection::Later { future, observed } => {
                let _entered = observed.enter();
                let mut response = ready!(future.as_mut().poll(cx));
                observed.answered(&mut response);
                response
            }
        };
        Poll::Ready(Ok(own.map(ResponseBody::own)))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case("application/json")
}
