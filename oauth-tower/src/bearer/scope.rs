//! More scope for some routes, inside of a [`BearerLayer`](super::BearerLayer).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Request, Response, StatusCode, header};
use oauth_core::scope::Scope;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::layer::parse;
use super::{Bearer, Challenge, Refusal, Refuse, Rfc6750};
use crate::body::{Body, ResponseBody};

/// Requires scope of the token that a [`BearerLayer`](super::BearerLayer) around it has verified.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct RequireScope {
    required: Scope,
    refuse: Arc<dyn Refuse>,
}

impl RequireScope {
    /// All of these scopes, separated by spaces.
    ///
    /// # Panics
    ///
    /// If it is not a scope (RFC 6749 §3.3).
    pub fn new(scope: &str) -> Self {
        Self { required: parse(scope), refuse: Arc::new(Rfc6750) }
    }

    /// Writes refusals in another form than RFC 6750's.
    pub fn refuse_with(mut self, refuse: impl Refuse) -> Self {
        self.refuse = Arc::new(refuse);
        self
    }

    fn check(&self, bearer: Option<&Bearer>) -> Result<(), Response<Body>> {
        match bearer {
            Some(bearer) if self.required.is_subset_of(&bearer.scope) => Ok(()),
            Some(bearer) => {
                tracing::info!(client_id = &*bearer.client_id, needed = %self.required, "bearer_insufficient_scope");
                Err(self
                    .refuse
                    .refuse(Refusal::InsufficientScope, &Challenge::new(None, self.required.clone())))
            }
            None => Err(missing_layer()),
        }
    }
}

/// A mistake of the programmer: nobody has verified a token.
pub(super) fn missing_layer() -> Response<Body> {
    const WHY: &str = "no token was verified: put a BearerLayer around this route (and not in optional mode)";
    tracing::error!(reason = WHY, "bearer_layer_missing");
    let mut response = Response::new(Body::from(WHY));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

impl<S> Layer<S> for RequireScope {
    type Service = RequireScopeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireScopeService { inner, policy: self.clone() }
    }
}

/// Made by [`RequireScope`].
#[derive(Clone, Debug)]
pub struct RequireScopeService<S> {
    inner: S,
    policy: RequireScope,
}

impl<S, B, RB> Service<Request<B>> for RequireScopeService<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = RequireScopeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.policy.check(request.extensions().get()) {
            Ok(()) => RequireScopeFuture { state: State::Calling { calling: self.inner.call(request) } },
            Err(response) => {
                // A permit that the inner service holds since it was ready must not wait for a call that does not come.
                self.inner = self.inner.clone();
                RequireScopeFuture { state: State::Refused { response: Some(response) } }
            }
        }
    }
}

pin_project! {
    /// The refusal, or what the inner service answers.
    pub struct RequireScopeFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Calling { #[pin] calling: F },
        Refused { response: Option<Response<Body>> },
    }
}

impl<F> fmt::Debug for RequireScopeFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireScopeFuture").finish_non_exhaustive()
    }
}

impl<F, RB, E> Future for RequireScopeFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<ResponseBody<RB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Calling { calling } => {
                Poll::Ready(Ok(ready!(calling.poll(cx))?.map(ResponseBody::inner)))
            }
            StateProjection::Refused { response } => {
                Poll::Ready(Ok(response.take().expect("polled after completion").map(ResponseBody::own)))
            }
        }
    }
}
