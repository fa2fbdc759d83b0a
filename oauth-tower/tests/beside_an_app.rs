//! The layer in front of an app that has routes of its own, nested, and with a stripped prefix.

#![cfg(feature = "axum")]

mod support;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post as post_route};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_tower::server::AuthorizationServerLayer;
use support::{Answer, empty, host, layer, machine, no_body, post, request, server_at};
use tower::Layer;
use tower_service::Service;

const TOKEN: &str = "grant_type=client_credentials";

fn app() -> Router {
    Router::new()
        .route("/register", post_route(async || "the app's own"))
        .route("/.well-known/acme-challenge/{token}", get(async || "challenge"))
        .route(
            "/.well-known/oauth-protected-resource",
            get(async || ([("content-type", "application/json")], r#"{"resource":"https://as.example"}"#)),
        )
        .fallback(async || Html("<h1>the app's page for everything</h1>"))
}

async fn send(app: &Router, request: Request<Full<Bytes>>) -> Answer {
    support::send(app, request.map(axum::body::Body::new)).await
}

fn body_of(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text())
}

#[tokio::test]
async fn the_apps_own_routes_are_untouched() {
    let app = app().layer(layer());
    assert_eq!(send(&app, machine("/token", TOKEN)).await.status, 200);
    let registered = send(&app, post("/register", "")).await;
    assert_eq!(body_of(&registered), (200, "the app's own"));
    assert!(registered.header("cache-control").is_empty() && !registered.has_cors());
    let challenge = send(&app, empty("GET", "/.well-known/acme-challenge/x")).await;
    assert_eq!(body_of(&challenge), (200, "challenge"));
    let fallback = send(&app, empty("GET", "/anything")).await;
    assert_eq!(body_of(&fallback), (200, "<h1>the app's page for everything</h1>"));
    let challenges = send(&app, empty("GET", "/.well-known/acme-challenge")).await;
    assert!(challenges.text().starts_with("<h1>"));
}

#[tokio::test]
async fn nobody_gets_html_below_the_well_known_names() {
    let app = app().layer(layer());
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t2",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let answer = send(&app, empty("GET", path)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (404, Some("not_found")),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let own = send(&app, empty("GET", "/.well-known/oauth-protected-resource")).await;
    assert_eq!(own.json()["resource"], "https://as.example");
}

#[tokio::test]
async fn mx_07_two_tenants_are_stacked() {
    let tenant = |path: &str| AuthorizationServerLayer::new(server_at(&format!("https://as.example{path}")));
    let app = app().layer(tenant("/t1")).layer(tenant("/t2"));
    for path in ["/t1", "/t2"] {
        let document =
            send(&app, empty("GET", &format!("/.well-known/oauth-authorization-server{path}"))).await;
        assert_eq!(document.json()["issuer"], format!("https://as.example{path}"));
        assert_eq!(send(&app, machine(&format!("{path}/token"), TOKEN)).await.status, 200);
    }
    let unknown = send(&app, empty("GET", "/.well-known/oauth-authorization-server/t3")).await;
    assert_eq!(unknown.status, 404);
    let preflight = request("OPTIONS", "/.well-known/oauth-authorization-server/t1")
        .header("access-control-request-headers", "mcp-protocol-version")
        .body(no_body())
        .unwrap();
    let preflight = send(&app, preflight).await;
    assert_eq!(preflight.header("access-control-allow-headers"), "mcp-protocol-version");
}

#[tokio::test]
async fn nested_in_axum_with_a_stripped_prefix() {
    let layer = AuthorizationServerLayer::new(server_at("https://as.example/t1")).host(host()).mount_at("/");
    let routers = app().nest("/t1", layer.router()).merge(layer.well_known_router());
    let layered = app().nest("/t1", Router::new().fallback(async || "inner").layer(layer.clone()));
    for app in [routers.clone(), layered.clone()] {
        assert_eq!(send(&app, machine("/t1/token", TOKEN)).await.status, 200);
        assert_eq!(send(&app, empty("GET", "/t1/token")).await.status, 405);
        let login = send(&app, empty("GET", &format!("/t1/authorize?{}", support::QUERY))).await;
        assert_eq!(login.status, 303);
        assert!(login.header("location").starts_with("/login?return_to=/t1/authorize?"));
        assert_eq!(body_of(&send(&app, post("/register", "")).await), (200, "the app's own"));
    }
    for path in ["/.well-known/oauth-authorization-server/t1", "/.well-known/oauth-authorization-server/t1/"]
    {
        let document = send(&routers, empty("GET", path)).await.json();
        assert_eq!(document["token_endpoint"], "https://as.example/t1/token");
        assert_eq!(document["authorization_endpoint"], "https://as.example/t1/authorize");
    }
    assert_eq!(send(&routers, empty("GET", "/.well-known/openid-configuration/t1")).await.status, 404);
    assert_eq!(body_of(&send(&layered, empty("GET", "/t1/other")).await), (200, "inner"));
}

#[tokio::test]
async fn merged_routers_without_a_prefix() {
    let layer = AuthorizationServerLayer::new(server_at("https://as.example/t1"));
    let app = app().merge(layer.router()).merge(layer.well_known_router());
    assert_eq!(send(&app, machine("/t1/token", TOKEN)).await.status, 200);
    assert!(send(&app, empty("GET", "/t1/authorize")).await.text().starts_with("<h1>"));
}

/// A service that lends out one permit: readiness takes it, the end of the call gives it back, and so does dropping.
#[derive(Debug)]
struct OnePermit {
    semaphore: Arc<tokio::sync::Semaphore>,
    permit: Option<tokio::sync::OwnedSemaphorePermit>,
    calls: Arc<AtomicUsize>,
}

impl Clone for OnePermit {
    fn clone(&self) -> Self {
        Self { semaphore: self.semaphore.clone(), permit: None, calls: self.calls.clone() }
    }
}

impl<B> Service<Request<B>> for OnePermit {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.permit.is_none() {
            let Ok(permit) = self.semaphore.clone().try_acquire_owned() else { return Poll::Pending };
            self.permit = Some(permit);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        assert!(self.permit.take().is_some(), "called without being ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok("inner".into_response()))
    }
}

#[tokio::test]
async fn readiness_is_the_inner_services_and_is_given_back() {
    let semaphore = Arc::new(tokio::sync::Semaphore::new(1));
    let calls = Arc::new(AtomicUsize::new(0));
    let inner = OnePermit { semaphore: semaphore.clone(), permit: None, calls: calls.clone() };
    let mut service = layer().layer(inner);
    // One connection keeps its service for many requests.
    for path in ["/token", "/inner", "/jwks", "/.well-known/openid-configuration", "/authorize"] {
        Ready(&mut service).await;
        let answer = service.call(empty("GET", path)).await.unwrap();
        assert_eq!(semaphore.available_permits(), 1, "{path} {}", answer.status());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let _taken = semaphore.acquire().await.unwrap();
    let ready = Ready(&mut service);
    assert!(futures_util::FutureExt::now_or_never(ready).is_none());
}

struct Ready<'a, S>(&'a mut S);

impl<S: Service<Request<Full<Bytes>>>> Future for Ready<'_, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let _ = ready!(self.0.poll_ready(cx));
        Poll::Ready(())
    }
}
