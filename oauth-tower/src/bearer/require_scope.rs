//! Asking for more further inside.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::guard::{check, guard};
use super::requirements::Requirements;
use super::widen::widen;
use crate::body::{Body, ResponseBody};

/// Asks for a scope, or for a stronger or more recent authentication, behind a [`BearerLayer`](super::BearerLayer), which has
/// verified the token.
///
/// Challenges name all the scope that a request needs: what this asks for, and what layers further out do. Refusals are written
/// the way that the bearer layer writes them. Where there is none in front, every request is answered with 500.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct RequireScopeLayer {
    required: Requirements,
}

impl RequireScopeLayer {
    /// Asks for a scope token, or for all of several that are separated by spaces.
    pub fn new(scope: impl AsRef<str>) -> Self {
        Self::authenticated().and(scope)
    }

    /// Asks for one of several scope tokens, separated by spaces; see [`BearerLayer::any_scope`](super::BearerLayer::any_scope).
    pub fn any(scopes: impl AsRef<str>) -> Self {
        Self::authenticated().and_any(scopes)
    }

    /// Asks for a token of any scope: a start for [`acr_values`](Self::acr_values) and [`max_age`](Self::max_age).
    pub fn authenticated() -> Self {
        Self { required: Requirements::default() }
    }

    /// Asks for this too.
    pub fn and(mut self, scope: impl AsRef<str>) -> Self {
        self.required.tokens.all_of(scope.as_ref());
        self
    }

    /// Asks for one of these too.
    pub fn and_any(mut self, scopes: impl AsRef<str>) -> Self {
        self.required.tokens.one_of(scopes.as_ref());
        self
    }

    /// Asks for a stronger authentication; see [`BearerLayer::acr_values`](super::BearerLayer::acr_values).
    pub fn acr_values(mut self, acr_values: impl AsRef<str>) -> Self {
        self.required.one_acr_of(acr_values.as_ref());
        self
    }

    /// Asks for a more recent authentication; see [`BearerLayer::max_age`](super::BearerLayer::max_age).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.required.no_older_than(max_age);
        self
    }
}

impl<S> Layer<S> for RequireScopeLayer {
    type Service = RequireScope<S>;

    fn layer(&self, inner: S) -> RequireScope<S> {
        RequireScope { inner, required: Arc::new(self.required.clone()) }
    }
}

/// Asks for a scope. Made by [`RequireScopeLayer`].
#[derive(Clone, Debug)]
pub struct RequireScope<S> {
    inner: S,
    required: Arc<Requirements>,
}

impl<S> RequireScope<S> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, RB> Service<Request<B>> for RequireScope<S>
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
        let denial = check(request.extensions(), &self.required).err();
        let denial = denial.map(|denial| (denial, guard(request.extensions())));
        let asked = self.required.tokens.shared();
        let state = match denial {
            None => State::Inner { future: self.inner.call(request), asked },
            Some((denial, guard)) if guard.observe => {
                guard.report(&denial, &self.required, true);
                State::Inner { future: self.inner.call(request), asked }
            }
            Some((denial, guard)) => {
                let response = guard.refuse(&denial, &self.required, request.headers());
                // As in the bearer layer: a permit must not wait for a call that does not come.
                self.inner = self.inner.clone();
                State::Own { response: Some(response) }
            }
        };
        RequireScopeFuture { state }
    }
}

pin_project! {
    /// A refusal, or the answer of the inner service, whose future is `F`.
    pub struct RequireScopeFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Inner { #[pin] future: F, asked: Option<Arc<str>> },
        Own { response: Option<Response<Body>> },
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
            StateProjection::Inner { future, asked } => {
                let mut response = ready!(future.poll(cx))?;
                if let Some(asked) = asked {
                    widen(&mut response, asked);
                }
                Poll::Ready(Ok(response.map(ResponseBody::inner)))
            }
            StateProjection::Own { response } => {
                let response = response.take().expect("polled after completion");
                Poll::Ready(Ok(response.map(ResponseBody::own)))
            }
        }
    }
}
