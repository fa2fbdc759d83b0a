//! What HTTP alone costs: axum handlers that parse the same input and answer JSON of the same size, and decide nothing.

use std::convert::Infallible;
use std::future::{Future, Ready, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll};

use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use tower_service::Service;

use crate::jwt::jwt;
use crate::request::{CLIENT_ID, CLIENT_SECRET, ISSUER, SCOPE, SUBJECT};
use crate::{Contender, Req, Res};

/// A stand-in for an access token, as long as the real one.
const ACCESS_TOKEN: &str =
    "oat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// A stand-in for a refresh token, as long as the real one.
const REFRESH_TOKEN: &str =
    "ort_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// A stand-in for a code, as long as the real one.
const CODE: &str =
    "oac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Bare axum.
pub struct Floor {
    router: Router,
    jwt: String,
}

#[derive(Deserialize)]
struct TokenForm {
    grant_type: String,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

#[derive(Serialize)]
struct Tokens {
    access_token: &'static str,
    token_type: &'static str,
    expires_in: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'static str>,
    scope: &'static str,
}

#[derive(Deserialize)]
struct IntrospectionForm {
    token: String,
    token_type_hint: Option<String>,
}

#[derive(Serialize)]
struct Introspection {
    active: bool,
    scope: &'static str,
    client_id: &'static str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    sub: &'static str,
    iss: &'static str,
}

fn authenticated(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some(encoded) = value.strip_prefix("Basic ") else { return false };
    let Ok(decoded) = STANDARD.decode(encoded) else { return false };
    let Ok(pair) = std::str::from_utf8(&decoded) else { return false };
    pair.split_once(':').is_some_and(|(id, secret)| id == CLIENT_ID && secret == CLIENT_SECRET)
}

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

async fn token(
    headers: HeaderMap,
    Form(form): Form<TokenForm>,
) -> Result<([(header::HeaderName, &'static str); 1], Json<Tokens>), StatusCode> {
    if !authenticated(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let refresh_token = match form.grant_type.as_str() {
        "client_credentials" if form.scope.is_some() => None,
        "authorization_code"
            if form.code.is_some() && form.redirect_uri.is_some() && form.code_verifier.is_some() =>
        {
            Some(REFRESH_TOKEN)
        }
        "refresh_token" if form.refresh_token.is_some() => Some(REFRESH_TOKEN),
        _ => return Err(StatusCode::BAD_REQUEST),
    };
    let tokens = Tokens {
        access_token: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: 3600,
        refresh_token,
        scope: SCOPE,
    };
    Ok((NO_STORE, Json(tokens)))
}

async fn introspect(
    headers: HeaderMap,
    Form(form): Form<IntrospectionForm>,
) -> Result<([(header::HeaderName, &'static str); 1], Json<Introspection>), StatusCode> {
    if !authenticated(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let answer = Introspection {
        active: form.token.len() == ACCESS_TOKEN.len() && form.token_type_hint.is_some(),
        scope: SCOPE,
        client_id: CLIENT_ID,
        token_type: "Bearer",
        exp: 1_900_003_600,
        iat: 1_900_000_000,
        sub: SUBJECT,
        iss: ISSUER,
    };
    Ok((NO_STORE, Json(answer)))
}

/// The inner service that a bearer layer protects: it ignores the request.
pub async fn open<B>(_request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(hello())
}

/// The same as a tower service.
#[derive(Clone, Copy, Debug)]
pub struct Open;

impl<B> Service<Request<B>> for Open {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        ready(Ok(hello()))
    }
}

fn hello() -> Response<Full<Bytes>> {
    Response::new(Full::from(Bytes::from_static(b"{\"message\":\"hello\"}")))
}

impl Contender for Floor {
    const NAME: &'static str = "floor";

    fn new() -> Self {
        let router = Router::new()
            .route("/token", post(token))
            .route("/introspect", post(introspect))
            .route("/resource", get(async || open(Request::new(())).await.expect("infallible")))
            .route("/jwt", get(async || open(Request::new(())).await.expect("infallible")));
        let (jwt, _) = jwt();
        Self { router, jwt }
    }

    fn call(&mut self, request: Req) -> impl Future<Output = Res> {
        collected(self.router.call(request))
    }

    async fn resource(&mut self, request: Req) -> Res {
        collected(open(request)).await
    }

    fn jwt(&self) -> String {
        self.jwt.clone()
    }

    async fn jwt_resource(&mut self, request: Req) -> Res {
        collected(open(request)).await
    }

    fn code(&mut self) -> String {
        CODE.to_owned()
    }

    fn router(&self) -> Router {
        self.router.clone()
    }
}

/// Reads the answer's body to its end, as a server does that writes what is at hand: one piece is not copied.
pub(crate) async fn collected<B>(answer: impl Future<Output = Result<Response<B>, Infallible>>) -> Res
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let Ok(response) = answer.await;
    let (parts, body) = response.into_parts();
    let mut body = pin!(body);
    let mut read = Bytes::new();
    while !body.is_end_stream() {
        let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await else { break };
        let Ok(data) = frame.expect("a whole body").into_data() else { continue };
        read = if read.is_empty() { data } else { [read, data].concat().into() };
    }
    Response::from_parts(parts, read)
}
