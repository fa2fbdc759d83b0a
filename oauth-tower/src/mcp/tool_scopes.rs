//! Asking for more scope by the tool that is called.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower_layer::Layer;
use tower_service::Service;

use super::message::called_tools;
use crate::bearer::Scopes;
use crate::body::{Body, ResponseBody};
use crate::endpoint::{ReadError, read_body};

/// The longest body that is read, in bytes: as much as MCP servers take.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Asks callers of a tool for its scope, behind a [`guard`](super::guard), and answers with 403 and a challenge where the token
/// does not have it. All tools are called at one path, so it reads the body; requests that call no tool pass.
///
/// A challenge names all that the call needs, what the guard asks for everywhere included, so that the client can ask for it at
/// once.
///
/// # Security
///
/// A body that is not JSON-RPC, or says `method`, `params` or the tool's `name` twice, is refused with 400: it could be read as a
/// call of another tool. A tool that is not listed needs nothing more, unless [`listed_only`](Self::listed_only) says otherwise.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct ToolScopesLayer {
    tools: HashMap<Box<str>, Scopes>,
    unlisted: Scopes,
    body_limit: usize,
}

impl Default for ToolScopesLayer {
    fn default() -> Self {
        Self { tools: HashMap::new(), unlisted: Scopes::none(), body_limit: BODY_LIMIT }
    }
}

impl ToolScopesLayer {
    /// No tool needs anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks callers of a tool for all of these scope tokens, separated by spaces. Several calls for one tool add up.
    pub fn tool(mut self, name: impl Into<Box<str>>, scope: impl AsRef<str>) -> Self {
        self.tools.entry(name.into()).or_insert_with(Scopes::none).all_of(scope.as_ref());
        self
    }

    /// Refuses tools that are not listed: one that is added later is closed until its scope is said. `tool(name, "")` lists one
    /// that needs nothing more.
    pub fn listed_only(mut self) -> Self {
        self.unlisted = Scopes::never();
        self
    }

    /// The longest body that is read, in bytes; default 4 MiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }
}

impl<S> Layer<S> for ToolScopesLayer {
    type Service = ToolScopes<S>;

    fn layer(&self, inner: S) -> ToolScopes<S> {
        ToolScopes { inner, layer: Arc::new(self.clone()) }
    }
}

/// Asks for more scope by the tool that is called. Made by [`ToolScopesLayer`].
#[derive(Clone, Debug)]
pub struct ToolScopes<S> {
    inner: S,
    layer: Arc<ToolScopesLayer>,
}

impl<S> ToolScopes<S> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, RB> Service<Request<B>> for ToolScopes<S>
where
    S: Service<Request<Body>, Response = Response<RB>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = ToolScopesFuture<RB, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone has not been asked whether it is ready; the request is for the one that has.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        ToolScopesFuture(Box::pin(async move {
            match layer.admit(request).await {
                Admission::Pass(request) => Ok(inner.call(request).await?.map(ResponseBody::inner)),
                Admission::Refuse(response) => Ok(response.map(ResponseBody::own)),
            }
        }))
    }
}

/// The request with its body read, or the refusal.
enum Admission {
    Pass(Request<Body>),
    Refuse(Response<Body>),
}

impl ToolScopesLayer {
    async fn admit<B: http_body::Body>(&self, request: Request<B>) -> Admission {
        let (head, body) = request.into_parts();
        let body = match read_body(body, self.body_limit).await {
            Ok(body) => body,
            Err(ReadError::TooLarge) => return Admission::Refuse(unreadable(StatusCode::PAYLOAD_TOO_LARGE)),
            Err(ReadError::Broken) => return Admission::Refuse(unreadable(StatusCode::BAD_REQUEST)),
        };
        // Whatever the method: the service inside may not look at it.
        if head.method == Method::POST || !body.is_empty() {
            let Ok(tools) = called_tools(&body) else {
                return Admission::Refuse(unreadable(StatusCode::BAD_REQUEST));
            };
            let mut needed = Scopes::none();
            for tool in &tools {
                needed.add(self.tools.get(&**tool).unwrap_or(&self.unlisted));
            }
            if !tools.is_empty()
                && let Some(refusal) = needed.refusal(&head.extensions, &head.headers)
            {
                return Admission::Refuse(refusal);
            }
        }
        Admission::Pass(Request::from_parts(head, Body::from(body)))
    }
}

/// As JSON-RPC says it (§5.1): a parse error, of no request in particular.
fn unreadable(status: StatusCode) -> Response<Body> {
    const PARSE_ERROR: &[u8] =
        br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the body is not one readable JSON-RPC message"}}"#;
    let mut response = Response::new(Body::from(Bytes::from_static(PARSE_ERROR)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal, or the answer of the inner service.
pub struct ToolScopesFuture<RB, E>(Answer<RB, E>);

type Answer<RB, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<RB>>, E>> + Send>>;

impl<RB, E> Future for ToolScopesFuture<RB, E> {
    type Output = Result<Response<ResponseBody<RB>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<RB, E> fmt::Debug for ToolScopesFuture<RB, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolScopesFuture").finish_non_exhaustive()
    }
}
