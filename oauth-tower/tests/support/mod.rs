//! A server with its clients, a host whose visitor is always alice, and requests in process.

#![allow(dead_code, reason = "each test file uses its part")]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use oauth_core::authorize::Login;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::Timestamp;
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::host::{Host, HostError};
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::AuthorizationServerLayer;
use tower::ServiceExt;
use tower_service::Service;

pub(crate) const SECRET: &str = "ocs_0123456789abcdef0123456789abcdef";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const QUERY: &str = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=read&state=s1\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) fn server_at(issuer: &str) -> Arc<Server> {
    let secret = ClientSecret::from_text(SECRET);
    Server::builder(issuer, MemoryStore::new())
        .client(Client::machine("m2m", &secret).scope("read"))
        .client(
            Client::public("app")
                .name("Notes <b>")
                .redirect_uri("https://app.example/cb")
                .scope("read write"),
        )
        .client(Client::resource_server("api", &secret, "https://api.example"))
        .scope("read", "read your notes")
        .scope("write", "change your notes")
        .build()
        .unwrap()
}

pub(crate) fn server() -> Arc<Server> {
    server_at("https://as.example")
}

pub(crate) fn alice() -> Login {
    Login::new("alice", Timestamp::from_secs(1_700_000_000))
}

/// Somebody is signed in if the request has the header `x-user`.
pub(crate) fn host() -> impl Host {
    LoginPage::at("/login", |head| {
        let user = head.headers.get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned);
        async move {
            match user.as_deref() {
                Some("broken") => Err(HostError::from("the session store is down")),
                user => Ok(user.map(|user| Login { subject: user.into(), ..alice() })),
            }
        }
    })
}

pub(crate) fn layer() -> AuthorizationServerLayer {
    AuthorizationServerLayer::new(server()).host(host())
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The header, or the empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        assert!(self.headers.get_all(name).iter().count() < 2, "{name} is there twice");
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn error(&self) -> String {
        let json = self.json();
        let description = json["error_description"].as_str().unwrap();
        let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(description.bytes().all(allowed), "{description}");
        json["error"].as_str().unwrap().to_owned()
    }

    pub(crate) fn is_not_kept(&self) -> bool {
        self.header("cache-control") == "no-store" && self.header("pragma") == "no-cache"
    }

    pub(crate) fn has_cors(&self) -> bool {
        self.headers.keys().any(|name| name.as_str().starts_with("access-control-"))
    }
}

pub(crate) async fn send<S, B, RB>(service: &S, request: Request<B>) -> Answer
where
    S: Service<Request<B>, Response = Response<RB>, Error = Infallible> + Clone,
    RB: http_body::Body<Data = Bytes>,
    RB::Error: std::fmt::Debug,
{
    let response = service.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

pub(crate) fn request(method: &str, uri: &str) -> Builder {
    Request::builder().method(method).uri(uri)
}

pub(crate) fn no_body() -> Full<Bytes> {
    Full::default()
}

pub(crate) fn empty(method: &str, uri: &str) -> Request<Full<Bytes>> {
    request(method, uri).body(Full::default()).unwrap()
}

pub(crate) fn post(uri: &str, form: &str) -> Request<Full<Bytes>> {
    request("POST", uri).header("content-type", FORM).body(Full::from(form.to_owned())).unwrap()
}

/// A request of the machine client, which has authenticated.
pub(crate) fn machine(uri: &str, form: &str) -> Request<Full<Bytes>> {
    let mut request = post(uri, form);
    request.headers_mut().insert("authorization", basic("m2m"));
    request
}

pub(crate) fn basic(id: &str) -> http::HeaderValue {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{SECRET}"));
    format!("Basic {text}").parse().unwrap()
}
