//! The server in an app that has routes of its own, or is nested in one.

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use scenario_tests::{Setup, World};

/// An app with a registration page, a page for everything else, and something of its own below `/.well-known`.
fn app() -> Router {
    Router::new()
        .route("/register", post(async |body: String| format!("welcome {body}")))
        .route("/.well-known/acme-challenge/{token}", get(async || "challenge"))
        .fallback(async || Html("<h1>the app</h1>"))
}

async fn is_untouched(world: &World) {
    let registered = world.net.post("/register", &[], "dave").await;
    assert_eq!((registered.status.as_u16(), registered.text()), (200, "welcome dave"));
    assert!(registered.header("cache-control").is_empty() && !registered.has_cors());
    assert_eq!(world.net.get("/.well-known/acme-challenge/xyz").await.text(), "challenge");
    assert_eq!(world.net.get("/anything").await.text(), "<h1>the app</h1>");
    assert_eq!(world.net.get("/token/").await.text(), "<h1>the app</h1>");
}

async fn is_alive(world: &World) {
    let app = world.app("web").await;
    let tokens = app.obtain(&world.browser(), "alice", "notes:read", &[]).await;
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.text(), "id-alice");
    let tokens = app.refresh(&tokens.refresh, "", &[]).await.unwrap();
    app.revoke_refresh(&tokens.refresh).await;
}

#[tokio::test]
async fn a_layer_around_an_app() {
    let world = Setup::new().mount(|layer, api| app().merge(api).layer(layer)).start().await;
    is_untouched(&world).await;
    is_alive(&world).await;
}

#[tokio::test]
async fn nested_with_a_stripped_prefix_and_the_well_known_document_at_the_root() {
    let world = Setup::new()
        .path("/t1")
        .mount(|layer, api| {
            let layer = layer.mount_at("/");
            app().merge(api).nest("/t1", layer.router()).merge(layer.well_known_router())
        })
        .start()
        .await;
    is_untouched(&world).await;
    is_alive(&world).await;
    assert_eq!(world.net.get("/.well-known/openid-configuration/t1").await.status, 404);
    assert_eq!(world.net.get("/token").await.text(), "<h1>the app</h1>");
}

#[tokio::test]
async fn a_layer_around_the_nested_part_alone() {
    let world = Setup::new()
        .path("/t1")
        .mount(|layer, api| {
            let layer = layer.mount_at("/");
            let inside = Router::new().route("/about", get(async || "about")).layer(layer.clone());
            app().merge(api).nest("/t1", inside).merge(layer.well_known_router())
        })
        .start()
        .await;
    is_untouched(&world).await;
    assert_eq!(world.net.get("/t1/about").await.text(), "about");
    // A router without a fallback is asked only for its own routes: axum does not show the layer what it does not know.
    let token = world.post_as("job", "/token", "grant_type=client_credentials").await;
    assert_eq!(token.status, 200, "{token:?}");
}

#[tokio::test]
async fn an_app_with_an_axum_fallback_service_as_the_whole_server() {
    let world = Setup::new()
        .mount(|layer, api| Router::new().merge(api).fallback_service(layer.into_service()))
        .start()
        .await;
    is_alive(&world).await;
    assert_eq!(world.net.get("/anything").await.status, 404);
}
