//! The metadata of a protected resource (RFC 9728): how clients find the authorization server of an API by themselves.
//!
//! Every address is what the host says, never what a request's `Host` says.
//!
//! ```
//! use oauth_tower::protected_resource::{ProtectedResource, ProtectedResourceLayer};
//!
//! let api = ProtectedResource::new("https://api.example.com/notes")?
//!     .authorization_server("https://auth.example.com")
//!     .scopes("notes:read notes:write");
//! assert_eq!(api.metadata_url(), "https://api.example.com/.well-known/oauth-protected-resource/notes");
//!
//! // Around the whole app, since the document is at the root of the host:
//! let document = ProtectedResourceLayer::new(&api);
//! // and around the routes: `BearerLayer::new(verifier).protected_resource(&api)`.
//! # let _ = document;
//! # Ok::<(), oauth_tower::protected_resource::ProtectedResourceError>(())
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use oauth_core::server::Server;
use pin_project_lite::pin_project;
use serde::Serialize;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{Body, ResponseBody};
use crate::cors;

/// What an API says of itself.
#[derive(Clone, Debug, Serialize)]
#[must_use = "it is served by a ProtectedResourceLayer"]
pub struct ProtectedResource {
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<String>,
    #[serde(skip)]
    path_start: usize,
}

/// The resource is not `https://host[:port][/path][?query]`; `http` is possible on `127.0.0.1`, `[::1]` and `localhost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a protected resource is an https URL without a fragment, or http on this machine")]
pub struct ProtectedResourceError;

/// A resource that the server in the same process issues no tokens for: every token would be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server issues no tokens for the resource {0:?}; register it with Server::builder(..).resource({0:?})"
)]
pub struct UnknownResource(pub(crate) Box<str>);

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl ProtectedResource {
    /// An API, by the URL that clients call it by: its resource identifier (RFC 9728 §1.2), kept exactly as given.
    ///
    /// # Errors
    ///
    /// [`ProtectedResourceError`].
    pub fn new(resource: impl Into<String>) -> Result<Self, ProtectedResourceError> {
        let resource = resource.into();
        let valid = oauth_core::resource::Resource::parse(&resource).is_ok() && is_private(&resource);
        let scheme_end = resource.find("://").ok_or(ProtectedResourceError)? + 3;
        let host = resource.get(scheme_end..).ok_or(ProtectedResourceError)?;
        let path_start = scheme_end + host.find(['/', '?']).unwrap_or(host.len());
        if !valid {
            return Err(ProtectedResourceError);
        }
        Ok(Self {
            resource,
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            bearer_methods_supported: ["header"],
            resource_name: None,
            resource_documentation: None,
            path_start,
        })
    }

    /// A resource that is registered with a server in the same process, which issues its tokens.
    ///
    /// # Errors
    ///
    /// [`UnknownResource`] where the server has not registered it, or its address is not one of the web.
    pub fn of(server: &Server, uri: &str) -> Result<Self, UnknownResource> {
        let unknown = || UnknownResource(uri.into());
        let own = server.resource(uri).ok_or_else(unknown)?;
        let mut described = Self::new(own.uri())
            .map_err(|_| unknown())?
            .authorization_server(server.issuer().as_str())
            .scopes(&server.scopes_of(own).join(" "));
        described.resource_name = own.display_name().map(str::to_owned);
        described.resource_documentation = own.documentation_url().map(str::to_owned);
        Ok(described)
    }

    /// An issuer of tokens for it. Several calls add up.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Scope tokens that clients may ask for, separated by spaces. Those that are not for everybody may be left out.
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.scopes_supported.extend(scopes.split_ascii_whitespace().map(str::to_owned));
        self
    }

    /// Its name, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.resource_name = Some(name.into());
        self
    }

    /// The address of its documentation, for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.resource_documentation = Some(url.into());
        self
    }

    /// Its resource identifier.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The address of this document (RFC 9728 §3.1): what challenges name as `resource_metadata`.
    pub fn metadata_url(&self) -> String {
        let (origin, path) = self.resource.split_at(self.path_start);
        format!("{origin}{WELL_KNOWN}{}", if path == "/" { "" } else { path })
    }

    /// The path of this document at the host, with its query if it has one.
    pub fn metadata_path(&self) -> String {
        self.metadata_url().split_off(self.path_start)
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        &self.resource[..self.path_start]
    }

    /// Its path, empty where it has none.
    pub(crate) fn path(&self) -> &str {
        let path = &self.resource[self.path_start..];
        let path = path.find('?').map_or(path, |end| &path[..end]);
        if path == "/" { "" } else { path }
    }

    /// The document.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// TLS, or this machine.
fn is_private(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => ["127.0.0.1", "[::1]", "localhost"].contains(&host),
        _ => false,
    }
}

/// Serves the metadata at its well-known path and passes all else on. Scripts of any origin may read it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct ProtectedResourceLayer(Arc<Document>);

#[derive(Debug)]
struct Document {
    path: String,
    json: Bytes,
}

impl ProtectedResourceLayer {
    /// Serves this document. An app that has several APIs has a layer for each.
    pub fn new(resource: &ProtectedResource) -> Self {
        Self(Arc::new(Document { path: resource.metadata_path(), json: resource.to_json().into() }))
    }
}

impl<S> Layer<S> for ProtectedResourceLayer {
    type Service = ProtectedResourceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ProtectedResourceService { inner, document: self.0.clone() }
    }
}

/// Serves the metadata of a protected resource. Made by [`ProtectedResourceLayer`].
#[derive(Clone, Debug)]
pub struct ProtectedResourceService<S> {
    inner: S,
    document: Arc<Document>,
}

impl<S, B, RB> Service<Request<B>> for ProtectedResourceService<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = ProtectedResourceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let asked = request.uri().path_and_query().map_or("", |target| target.as_str());
        let state = if asked == self.document.path {
            // A permit that the inner service holds since it was ready must not wait for a call that does not come.
            self.inner = self.inner.clone();
            State::Own { response: Some(self.document.answer(&request)) }
        } else {
            State::Inner { future: self.inner.call(request) }
        };
        ProtectedResourceFuture { state }
    }
}

impl Document {
    fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        const METHODS: &str = "GET, HEAD";
        let mut response = Response::new(Body::empty());
        match *request.method() {
            Method::GET | Method::HEAD => {
                if *request.method() == Method::GET {
                    *response.body_mut() = Body::from(self.json.clone());
                }
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
                cors::open(headers);
            }
            Method::OPTIONS => {
                *response.status_mut() = StatusCode::NO_CONTENT;
                cors::preflight(request.headers(), METHODS, response.headers_mut());
            }
            _ => {
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
            }
        }
        response
    }
}

pin_project! {
    /// The document, or the answer of the inner service, whose future is `F`.
    pub struct ProtectedResourceFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Inner { #[pin] future: F },
        Own { response: Option<Response<Body>> },
    }
}

impl<F> fmt::Debug for ProtectedResourceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedResourceFuture").finish_non_exhaustive()
    }
}

impl<F, RB, E> Future for ProtectedResourceFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<ResponseBody<RB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner { future } => {
                Poll::Ready(ready!(future.poll(cx)).map(|response| response.map(ResponseBody::inner)))
            }
            StateProjection::Own { response } => {
                let response = response.take().expect("polled after completion");
                Poll::Ready(Ok(response.map(ResponseBody::own)))
            }
        }
    }
}
