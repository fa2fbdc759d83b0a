//! In an axum app.

use axum::Router;
use axum::routing::{any, get};
use http::Request;
use http_body_util::Full;
use oauth_tower::bearer::{Bearer, BearerRejection, Cause, Claims, RequireScopeLayer, RequiredScope, Scoped};
use tower::ServiceExt;

use crate::world::{Answer, World, bare, bearer, request};

struct Write;

impl RequiredScope for Write {
    const SCOPE: &'static str = "write";
}

async fn whoami(token: Bearer) -> String {
    format!("{} {:?} {}", token.client_id, token.subject(), token.has_scope("read"))
}

async fn greet(token: Option<Bearer>) -> String {
    token.map_or("hello stranger".into(), |token| format!("hello {}", token.client_id))
}

async fn write(token: Scoped<Write>) -> String {
    format!("written by {}", token.client_id)
}

async fn own_words(token: Result<Bearer, BearerRejection>) -> &'static str {
    match token.map_err(|rejection| rejection.cause()) {
        Ok(_) => "token",
        Err(Cause::NoToken) => "no token",
        Err(_) => "no layer",
    }
}

#[derive(serde::Deserialize)]
struct Machine {
    sub: String,
    scope: String,
    exp: i64,
}

async fn machine(Claims(token): Claims<Machine>) -> String {
    format!("{} {} {}", token.sub, token.scope, token.exp > 0)
}

async fn tenant(Claims(token): Claims<std::collections::HashMap<String, String>>) -> String {
    format!("{token:?}")
}

fn app() -> Router {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/greet", get(greet))
        .route("/write", any(write))
        .route("/own", get(own_words))
        .route("/machine", get(machine))
        .route("/tenant", get(tenant))
}

async fn get_(app: &Router, path: &str, mut request: Request<Full<bytes::Bytes>>) -> Answer {
    *request.uri_mut() = path.parse().unwrap();
    let service =
        app.clone().map_request(|request: Request<Full<bytes::Bytes>>| request.map(axum::body::Body::new));
    Answer::of(service, request).await
}

#[tokio::test]
async fn a_verified_token_is_extracted() {
    let world = World::new();
    let app = app().layer(world.layer());
    let read = world.token("read").await;
    assert_eq!(get_(&app, "/whoami", bearer(&read)).await.body, "m2m None true");
    assert_eq!(get_(&app, "/greet", bearer(&read)).await.body, "hello m2m");
    assert_eq!(get_(&app, "/own", bearer(&read)).await.body, "token");
    assert_eq!(get_(&app, "/machine", bearer(&read)).await.body, "m2m read true");
    // Its times are no strings.
    get_(&app, "/tenant", bearer(&read)).await.refused(401, "invalid_token");
    let refused = get_(&app, "/write", bearer(&read)).await;
    refused.refused(403, "insufficient_scope");
    assert!(refused.challenge().ends_with(r#"scope="write""#));
    let narrow = app.clone().layer(world.layer().require_scope("read"));
    let refused = get_(&narrow, "/write", bearer(&read)).await;
    assert!(refused.challenge().ends_with(r#"scope="read write""#), "{}", refused.challenge());
    let write = world.token("write").await;
    assert_eq!(get_(&app, "/write", bearer(&write)).await.body, "written by m2m");
}

#[tokio::test]
async fn in_optional_mode() {
    let world = World::new();
    let app = app().layer(world.layer().optional().realm("notes"));
    assert_eq!(get_(&app, "/greet", bare()).await.body, "hello stranger");
    assert_eq!(get_(&app, "/own", bare()).await.body, "no token");
    let refused = get_(&app, "/whoami", bare()).await;
    refused.refused(401, "unauthorized");
    assert_eq!(refused.challenge(), r#"Bearer realm="notes""#);
    let refused = get_(&app, "/write", bare()).await;
    refused.refused(401, "unauthorized");
    assert_eq!(refused.challenge(), r#"Bearer realm="notes", scope="write""#);
    get_(&app, "/greet", bearer("junk")).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn without_a_layer() {
    let world = World::new();
    let token = world.token("read").await;
    for path in ["/whoami", "/greet", "/write", "/machine"] {
        let answer = get_(&app(), path, bearer(&token)).await;
        answer.refused(500, "server_error");
        assert!(answer.body.contains("BearerLayer"));
    }
    assert_eq!(get_(&app(), "/own", bearer(&token)).await.body, "no layer");
}

#[tokio::test]
async fn bt_21_every_path_and_method() {
    let world = World::new();
    let token = world.token("read").await;
    let nested = Router::new().nest("/v1", app()).fallback(async || "fallback").layer(world.layer());
    for path in
        ["/v1/whoami", "/v1/whoami/", "/v1/%2e%2e/v1/whoami", "//v1/whoami", "/", "/elsewhere", "/v1/nothing"]
    {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "TRACE"] {
            let mut request = bare();
            *request.method_mut() = method.parse().unwrap();
            let answer = get_(&nested, path, request).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.challenge(), r#"Bearer realm="api""#);
        }
    }
    assert_eq!(get_(&nested, "/v1/whoami", bearer(&token)).await.body, "m2m None true");
    assert_eq!(get_(&nested, "/elsewhere", bearer(&token)).await.body, "fallback");
}

#[tokio::test]
async fn as_a_route_layer_unknown_paths_stay_404() {
    let world = World::new();
    let token = world.token("read").await;
    let open = Router::new().route("/open", get(async || "open"));
    let admin = Router::new()
        .route("/admin", get(whoami))
        .route_layer(RequireScopeLayer::new("admin"))
        .route_layer(world.layer().resource(crate::world::API));
    let app = app().route_layer(world.layer()).merge(admin).merge(open);
    assert_eq!(get_(&app, "/nothing", bare()).await.status, 404);
    assert_eq!(get_(&app, "/open", request(["Bearer a b"])).await.body, "open");
    get_(&app, "/whoami", bare()).await.refused(401, "unauthorized");
    assert_eq!(get_(&app, "/whoami", bearer(&token)).await.status, 200);
    let elsewhere = world.token_for("https://api2.example").await;
    get_(&app, "/admin", bearer(&elsewhere)).await.refused(401, "invalid_token");
    let token = world.token_for(crate::world::API).await;
    get_(&app, "/admin", bearer(&token)).await.refused(403, "insufficient_scope");
}
