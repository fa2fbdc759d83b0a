//! The service: its own endpoints first, then the inner service.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use oauth_core::metadata::Endpoint;
use oauth_core::server::Server;
use tower_service::Service;

use super::dispatch::{Outcome, Shared, well_known_options};
use super::observed::Observed;
use super::routes::Route;
use super::{AuthorizationServerLayer, ResponseFuture};
use crate::body::{Body, ResponseBody};
use crate::endpoint::Place;

/// The endpoints of a [`Server`] in front of an inner service. Made by [`AuthorizationServerLayer`].
///
/// It is ready when the inner service is. A request for an endpoint gives back what the inner service has reserved by that.
#[derive(Clone, Debug)]
pub struct AuthorizationServerService<S = NotFound> {
    inner: S,
    shared: Arc<Shared>,
}

impl AuthorizationServerService {
    /// The endpoints of the server alone, with all defaults; see [`AuthorizationServerLayer::into_service`].
    pub fn standalone(server: Arc<Server>) -> Self {
        AuthorizationServerLayer::new(server).into_service()
    }
}

impl<S> AuthorizationServerService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, RB> Service<Request<B>> for AuthorizationServerService<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        let (outcome, observed) = match shared.find(request.uri().path()) {
            Route::Inner => return ResponseFuture::inner(self.inner.call(request)),
            Route::WellKnown => {
                let preflight = well_known_options(&request);
                return ResponseFuture::well_known(self.inner.call(request), preflight, None);
            }
            Route::Mirror => {
                let preflight = well_known_options(&request);
                let ours = shared.answer_metadata(&request);
                return ResponseFuture::well_known(self.inner.call(request), preflight, Some(ours));
            }
            Route::Resource(place) => {
                observe(Place::RESOURCE.name, || Outcome::Ready(shared.answer_resource(place, &request)))
            }
            Route::Nothing => observe(Place::RESOURCE.name, || {
                Outcome::Ready(well_known_options(&request).unwrap_or_else(crate::endpoint::not_served))
            }),
            Route::Metadata => {
                observe(Place::METADATA.name, || Outcome::Ready(shared.answer_metadata(&request)))
            }
            Route::Registration => {
                observe(Endpoint::Register.as_str(), || shared.answer_registration(request))
            }
            Route::Endpoint(endpoint) => observe(endpoint.as_str(), || shared.answer(endpoint, request)),
            #[cfg(feature = "pages")]
            Route::Page(page) => observe(page.name(), || shared.answer_page(page, request)),
        };
        // A permit that the inner service holds since it was ready must not wait for a call that does not come.
        self.inner = self.inner.clone();
        ResponseFuture::own(outcome, observed)
    }
}

/// The answer of an endpoint or page, and what is noted of it.
#[inline]
fn observe(name: &'static str, answer: impl FnOnce() -> Outcome) -> (Outcome, Observed) {
    let observed = Observed::new(name);
    let entered = observed.enter();
    let outcome = answer();
    drop(entered);
    (outcome, observed)
}

/// The inner service where there is no app: 404 with an empty body, for every request.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotFound(PhantomData<()>);

impl<B> Service<Request<B>> for NotFound {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        ready(Ok(response))
    }
}
