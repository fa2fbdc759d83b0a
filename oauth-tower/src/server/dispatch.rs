//! What each of the server's own routes answers, decided as far as possible without waiting.

use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use oauth_core::limit::RequestAddress;
use oauth_core::metadata::Endpoint;
use oauth_core::server::Server;

use super::routes::{Route, Routes};
use crate::body::Body;
use crate::client_address::ClientAddress;
use crate::cors;
use crate::deadline::Deadline;
use crate::endpoint::{
    Authorize, Device, Document, Form, Introspect, Place, Refusal, Registering, Revoke, Token, allowed,
    answer_form, authorize, check_form, check_json, decide, document, refuse, register, too_long,
};
#[cfg(feature = "pages")]
use crate::pages::Pages;

/// The longest address of a request that is answered, in bytes. The authorization endpoint has a limit of its own.
const MAX_URI_BYTES: usize = 8 * 1024;

const POST: &str = "POST, OPTIONS";
const READ: &str = "GET, HEAD, OPTIONS";
const MANAGE: &str = "GET, PUT, DELETE, OPTIONS";
const BROWSER: &str = "GET, POST, OPTIONS";

/// An answer, or what to wait for.
pub(super) enum Outcome {
    Ready(Response<Body>),
    Later(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

/// What all clones of a service share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) server: Arc<Server>,
    pub(super) routes: Routes,
    pub(super) authorize: Option<Authorize>,
    #[cfg(feature = "pages")]
    pub(super) pages: Option<Arc<Pages>>,
    pub(super) metadata: Document,
    pub(super) resources: Box<[Document]>,
    pub(super) deadline: Duration,
    pub(super) body_limit: usize,
    pub(super) addresses: Arc<dyn ClientAddress>,
    pub(super) said_unknown: AtomicBool,
}

impl Shared {
    pub(super) fn find(&self, path: &str) -> Route {
        let route = self.routes.find(path);
        #[cfg(feature = "pages")]
        if route == Route::Inner
            && let Some(pages) = &self.pages
            && let Some(page) = self.routes.below(path).and_then(|path| pages.page(path))
        {
            return Route::Page(page);
        }
        route
    }

    /// Answers a request for one of the endpoints.
    pub(super) fn answer<B>(&self, endpoint: Endpoint, request: Request<B>) -> Outcome
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        match endpoint {
            Endpoint::Token => self.answer_form::<Token, B>(request),
            Endpoint::Revoke => self.answer_form::<Revoke, B>(request),
            Endpoint::Introspect => self.answer_form::<Introspect, B>(request),
            Endpoint::Device => self.answer_form::<Device, B>(request),
            Endpoint::Register => self.answer_registration(request),
            Endpoint::Authorize => self.answer_browser(request),
            _ => self.answer_keys(&request),
        }
    }

    fn answer_form<F, B>(&self, request: Request<B>) -> Outcome
    where
        F: Form + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        if let Some(response) = self.refuse_early(F::ENDPOINT, &request) {
            return Outcome::Ready(response);
        }
        let address = self.address(&request);
        let (head, body) = request.into_parts();
        let limits = (self.deadline, self.body_limit);
        let server = self.server.clone();
        Outcome::Later(Box::pin(answer_form::<F, B>(server, head.headers, body, limits, address)))
    }

    /// Where a request comes from, for rate limits.
    pub(super) fn address<B>(&self, request: &Request<B>) -> Option<IpAddr> {
        let address = self.addresses.client_address(request.headers(), request.extensions());
        // Looked at before it is written: a write takes the line from all other processors.
        if address.is_none() && !self.said_unknown.load(Ordering::Relaxed) {
            self.say_unknown();
        }
        address
    }

    #[cold]
    fn say_unknown(&self) {
        if !self.said_unknown.swap(true, Ordering::Relaxed) {
            tracing::warn!("client_address_unknown");
        }
    }

    pub(super) fn answer_metadata<B>(&self, request: &Request<B>) -> Response<Body> {
        self.answer_document(Place::METADATA, &self.metadata, request)
    }

    /// Answers a request for the metadata of a resource.
    pub(super) fn answer_resource<B>(&self, place: usize, request: &Request<B>) -> Response<Body> {
        match self.resources.get(place) {
            Some(resource) => self.answer_document(Place::RESOURCE, resource, request),
            None => crate::endpoint::not_served(),
        }
    }

    fn answer_keys<B>(&self, request: &Request<B>) -> Outcome {
        let ready =
            self.answer_document(Endpoint::Jwks.into(), &Document::key_set(self.server.key_set()), request);
        if ready.status() != StatusCode::OK || !self.server.has_stored_signing_keys() {
            return Outcome::Ready(ready);
        }
        let (server, method, deadline) = (self.server.clone(), request.method().clone(), self.deadline);
        Outcome::Later(Box::pin(async move {
            // A store that hangs costs the look at it, not the answer.
            match Deadline::new(deadline).within(pin!(server.fresh_key_set())).await {
                Some(keys) => document(&method, &Document::key_set(keys)),
                None => ready,
            }
        }))
    }

    /// What can be said of a form request by its head.
    fn refuse_early<B>(&self, endpoint: Endpoint, request: &Request<B>) -> Option<Response<Body>> {
        if *request.method() == Method::OPTIONS {
            let open = endpoint != Endpoint::Introspect;
            return Some(options(request, POST, open));
        }
        if *request.method() != Method::POST {
            return Some(allowed(&self.server, endpoint, POST));
        }
        if uri_is_too_long(request) {
            return Some(too_long(&self.server, endpoint));
        }
        let refusal = Refusal::MediaType(check_form(request.headers()).err()?);
        Some(refuse(&self.server, endpoint, &refusal.error(), Some(refusal.status())))
    }

    fn answer_document<B>(&self, at: Place, text: &Document, request: &Request<B>) -> Response<Body> {
        match *request.method() {
            Method::OPTIONS => options(request, READ, true),
            Method::GET | Method::HEAD if uri_is_too_long(request) => too_long(&self.server, at),
            Method::GET | Method::HEAD => document(request.method(), text),
            _ => allowed(&self.server, at, READ),
        }
    }

    /// Answers a request for the registration endpoint, or for what one client has registered.
    pub(super) fn answer_registration<B>(&self, request: Request<B>) -> Outcome
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        const ENDPOINT: Endpoint = Endpoint::Register;
        let below = self.routes.below(request.uri().path()).unwrap_or_default();
        let client_id = self.routes.registered(below).map(Box::from);
        let (methods, has_body, known) = match (&client_id, request.method()) {
            (None, &Method::POST) => (POST, true, true),
            (None, _) => (POST, false, false),
            (Some(_), &Method::PUT) => (MANAGE, true, true),
            (Some(_), method) => (MANAGE, false, [Method::GET, Method::DELETE].contains(method)),
        };
        if *request.method() == Method::OPTIONS {
            return Outcome::Ready(options(&request, methods, true));
        }
        if !known {
            return Outcome::Ready(allowed(&self.server, ENDPOINT, methods));
        }
        if uri_is_too_long(&request) {
            return Outcome::Ready(too_long(&self.server, ENDPOINT));
        }
        if has_body && let Err(why) = check_json(request.headers()) {
            let refusal = Refusal::MediaType(why);
            return Outcome::Ready(refuse(&self.server, ENDPOINT, &refusal.error(), Some(refusal.status())));
        }
        let address = self.address(&request);
        let (head, body) = request.into_parts();
        let request = Registering {
            server: self.server.clone(),
            path: self.routes.register().unwrap_or_default().into(),
            client_id,
            method: head.method,
            headers: head.headers,
            address,
        };
        Outcome::Later(Box::pin(register(request, body, self.deadline, self.body_limit)))
    }

    fn answer_browser<B>(&self, request: Request<B>) -> Outcome
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        let Some(endpoint) = self.authorize.clone() else {
            return Outcome::Ready(crate::endpoint::not_served());
        };
        if *request.method() == Method::OPTIONS {
            return Outcome::Ready(options(&request, BROWSER, false));
        }
        let address = self.address(&request);
        let (mut head, body): (Parts, B) = request.into_parts();
        RequestAddress::put(&mut head.extensions, address);
        if head.method == Method::POST {
            Outcome::Later(Box::pin(decide(endpoint, head, body)))
        } else {
            Outcome::Later(Box::pin(authorize(endpoint, head)))
        }
    }

    /// Answers a request for one of the built-in pages.
    #[cfg(feature = "pages")]
    pub(super) fn answer_page<B>(&self, page: crate::pages::Page, request: Request<B>) -> Outcome
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
    {
        let Some(pages) = self.pages.clone() else {
            return Outcome::Ready(crate::endpoint::not_served());
        };
        let address = self.address(&request);
        let (head, body) = request.into_parts();
        let (limit, deadline) = (self.body_limit, self.deadline);
        Outcome::Later(Box::pin(crate::pages::serve(pages, page, head, body, limit, deadline, address)))
    }
}

/// OPTIONS changes nothing and processes no body.
pub(super) fn options<B>(request: &Request<B>, methods: &'static str, open: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    if open {
        cors::preflight(request.headers(), methods, headers);
    }
    response
}

/// A preflight below a well-known name that is not ours, and not the inner service's.
pub(super) fn well_known_options<B>(request: &Request<B>) -> Option<Response<Body>> {
    (*request.method() == Method::OPTIONS).then(|| options(request, READ, true))
}

fn uri_is_too_long<B>(request: &Request<B>) -> bool {
    request.uri().path_and_query().is_some_and(|own| own.as_str().len() > MAX_URI_BYTES)
}
