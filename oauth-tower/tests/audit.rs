//! Each refusal of each endpoint is one event for the audit sink, with the operator's reason.

mod support;

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body_util::{BodyExt, Full, StreamBody};
use oauth_core::audit::{AuditSink, Event, EventKind};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::limit::{Quota, Rule};
use oauth_core::server::{DeviceFlow, Server};
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{FORM, QUERY, SECRET, empty, machine, post, request, send};

/// Remembers what a sink hears.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl AuditSink for Heard {
    fn told(&self, event: &Event<'_>) {
        let client = event.client_id.unwrap_or("-");
        let line = match event.kind {
            EventKind::RequestRefused { endpoint, error, reason } => {
                format!("{endpoint} {error} {client}: {reason}")
            }
            EventKind::ClientAuthenticationFailed { endpoint, reason } => {
                format!("{endpoint} unproven {client}: {reason}")
            }
            EventKind::LimitReached { endpoint, rule } => format!("{endpoint} limit {client}: {rule:?}"),
            kind => kind.name().to_owned(),
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Users;

#[async_trait]
impl Credentials for Users {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        match password {
            "down" => Err("no database".into()),
            "secret" => Ok(Some(Identity::new(username))),
            _ => Ok(None),
        }
    }
}

fn service(heard: &Heard) -> AuthorizationServerService {
    let secret = ClientSecret::from_text(SECRET);
    let server = Server::builder("https://as.example", MemoryStore::new())
        .audit(heard.clone())
        .device_flow(DeviceFlow::new())
        .limit(Rule::DeviceAddress, Quota::new(1, Duration::from_secs(60)))
        .limit(Rule::FailedToken, Quota::new(2, Duration::from_secs(60)))
        .client(Client::machine("m2m", &secret).scope("read"))
        .client(Client::public("app").redirect_uri("https://app.example/cb").scope("read"))
        .client(Client::device("tv").scope("read"))
        .build()
        .unwrap();
    let pages = Pages::new(server.clone(), Users);
    AuthorizationServerLayer::new(server).pages(pages).body_limit(256).into_service()
}

type Boxed = http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error>;

fn boxed(request: Request<Full<Bytes>>) -> Request<Boxed> {
    request.map(|body| body.map_err(|error: Infallible| match error {}).boxed_unsync())
}

fn form_of(uri: &str, body: Boxed) -> Request<Boxed> {
    request("POST", uri).header("content-type", FORM).body(body).unwrap()
}

fn from(mut request: Request<Boxed>, peer: &str) -> Request<Boxed> {
    request.extensions_mut().insert(peer.parse::<SocketAddr>().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn each_refusal_of_each_endpoint_is_one_event_with_the_operators_reason() {
    let heard = Heard::default();
    let service = service(&heard);
    let long = format!("?x={}", "y".repeat(9000));
    let json = |uri: &str| {
        let request = request("POST", uri).header("content-type", "application/json");
        boxed(request.body(Full::from("{}")).unwrap())
    };
    let broken = || StreamBody::new(stream::once(async { Err(io::Error::other("reset")) })).boxed_unsync();
    let never = || StreamBody::new(stream::once(pending())).boxed_unsync();
    let mut cases = Vec::new();
    for endpoint in ["token", "revoke", "introspect", "device_authorization"] {
        let uri = format!("/{endpoint}");
        let mut case = |request, reason: &str| cases.push((request, format!("{endpoint} {reason}")));
        case(boxed(empty("GET", &uri)), "invalid_request -: the endpoint does not take this method");
        case(json(&uri), "invalid_request -: the body must be application/x-www-form-urlencoded");
        case(boxed(post(&uri, &"x".repeat(300))), "invalid_request -: the body is too long");
        case(boxed(post(&format!("{uri}{long}"), "a=b")), "invalid_request -: the address is too long");
        case(form_of(&uri, broken()), "invalid_request -: the body did not arrive");
        case(form_of(&uri, never()), "invalid_request -: the body took too long to arrive");
        case(boxed(post(&uri, "a=b&a=b&client_id=x&client_id=y")), "invalid_request -: client_id occurs");
        case(boxed(post(&uri, "client_id=nobody")), "unproven nobody: unknown client");
        case(boxed(post(&uri, "client_id=m2m&client_secret=wrong")), "unproven m2m: the client used another");
    }
    let mut case = |request: Request<Full<Bytes>>, expected: &str| {
        cases.push((boxed(request), expected.to_owned()));
    };
    case(
        machine("/token", "grant_type=password"),
        "token unsupported_grant_type m2m: the server does not know",
    );
    case(machine("/token", "grant_type=authorization_code&code=x"), "token unauthorized_client m2m: ");
    case(machine("/token", "grant_type=client_credentials&scope=write"), "token invalid_scope m2m: ");
    case(
        post("/token", "client_id=app&grant_type=authorization_code&code=x"),
        "token invalid_grant app: the handle is malformed",
    );
    case(machine("/revoke", ""), "revoke invalid_request m2m: token is missing");
    case(machine("/introspect", ""), "introspect invalid_request m2m: token is missing");
    case(post("/introspect", "client_id=app&token=x"), "introspect unproven app: a public client may not");
    case(machine("/device_authorization", ""), "device_authorization unauthorized_client m2m: ");
    for (uri, name) in [("/jwks", "jwks"), ("/.well-known/oauth-authorization-server", "metadata")] {
        case(post(uri, ""), &format!("{name} invalid_request -: the endpoint does not take this method"));
    }
    case(empty("HEAD", "/authorize"), "authorize invalid_request -: the endpoint does not take");
    case(empty("GET", "/authorize"), "authorize invalid_request -: client_id is missing");
    case(
        empty("GET", "/authorize?client_id=nobody"),
        "authorize unauthorized_client nobody: no client has this id",
    );
    case(empty("GET", "/authorize?client_id=app"), "authorize invalid_request app: ");
    let silent = format!("/authorize?{QUERY}&prompt=none");
    case(empty("GET", &silent), "authorize login_required app: ");
    case(post("/authorize", "decision=approve"), "authorize invalid_request -: the form has no ticket");
    case(post("/authorize", "ticket=x"), "authorize invalid_request -: the decision is neither");
    case(post("/authorize", "ticket=x&decision=deny"), "authorize access_denied -: the browser cookie");
    for (page, field) in [("sign_in", "form"), ("sign_out", "form"), ("device", "form")] {
        let uri = format!("/{}", page.replace('_', "-"));
        case(empty("DELETE", &uri), &format!("{page} invalid_request -: the method is not allowed"));
        case(post(&uri, &format!("{field}=x")), &format!("{page} "));
        case(post(&uri, &"x".repeat(300)), &format!("{page} invalid_request -: the body is too long"));
    }
    for (request, expected) in cases {
        let shown = format!("{} {}", request.method(), request.uri().path());
        let answer = send(&service, request).await;
        assert!(answer.status.as_u16() >= 300, "{shown}: {}", answer.status);
        let told = heard.take();
        assert_eq!(told.len(), 1, "{shown} should say {expected}: {told:?}");
        assert!(told[0].starts_with(&expected), "{shown} should say {expected}: {told:?}");
    }

    let tv = || from(boxed(post("/device_authorization", "client_id=tv&scope=read")), "192.0.2.1:1");
    assert_eq!(send(&service, tv()).await.status, 200);
    assert_eq!(heard.take(), ["device_code_issued"]);
    assert_eq!(send(&service, tv()).await.status, 429);
    assert_eq!(heard.take(), ["device_authorization limit -: DeviceAddress"]);
    for expected in ["token unproven", "token unproven", "token limit -: FailedToken"] {
        send(&service, from(boxed(post("/token", "client_id=nobody")), "192.0.2.2:1")).await;
        let told = heard.take();
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
    }
}

#[tokio::test]
async fn the_built_in_pages_tell_who_has_signed_in() {
    let heard = Heard::default();
    let service = service(&heard);
    for (password, expected) in
        [("secret", "signed_in"), ("hunter2", "sign_in_failed"), ("down", "sign_in temporarily")]
    {
        let page = send(&service, empty("GET", "/sign-in")).await;
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, rest) = page.text().split_once("name=\"form\" value=\"").unwrap();
        let form = rest.split('"').next().unwrap();
        assert_eq!(heard.take(), Vec::<String>::new());
        let mut request = post("/sign-in", &format!("form={form}&username=alice&password={password}"));
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        send(&service, request).await;
        let told = heard.take();
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
        assert!(!told[0].contains("hunter2") && !told[0].contains("alice"), "{told:?}");
    }
}
