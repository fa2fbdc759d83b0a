//! The built-in pages: what their policy lets through.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use axum::response::Html;
use axum::routing::{get, post};
use browser::{Callback, Page, serve, walk};
use oauth_core::client::Client;
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages};
use oauth_tower::server::AuthorizationServerLayer;

const SCHEME: &str = "com.example.app:/callback";

struct Anybody;

#[async_trait::async_trait]
impl Credentials for Anybody {
    async fn check(&self, username: &str, _: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok(Some(Identity::new(username)))
    }
}

/// An issuer with a path, in front of an app that knows nothing of it.
fn app(origin: &str) -> Router {
    let client =
        Client::public("app").redirect_uri("http://127.0.0.1/callback").redirect_uri(SCHEME).scope("read");
    let server = Server::builder(format!("{origin}/t1"), MemoryStore::new()).client(client).build().unwrap();
    let pages = Pages::new(server.clone(), Anybody);
    Router::new().layer(AuthorizationServerLayer::new(server).pages(pages))
}

fn request(origin: &str, redirect_uri: &str) -> String {
    format!(
        "{origin}/t1/authorize?response_type=code&client_id=app&redirect_uri={redirect_uri}&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
}

async fn sign_in(page: &Page) {
    page.fill("#username", "alice").await;
    page.fill("#password", "anything").await;
    page.follow("form button").await;
}

#[tokio::test]
async fn a_loopback_port_is_reached_under_the_policy() {
    let (origin, mut program) = (serve(async |address: &str| app(address)).await, Callback::listen().await);
    walk(async move |page: Arc<Page>| {
        page.go(&request(&origin, &program.uri)).await;
        sign_in(&page).await;
        page.follow("button[value=approve]").await;
        page.sees("#done").await;
        assert!(program.answer().await.contains("code="));
    })
    .await;
}

#[tokio::test]
async fn a_custom_scheme_is_reached_under_the_policy() {
    let origin = serve(async |address: &str| app(address)).await;
    walk(async move |page: Arc<Page>| {
        page.go(&request(&origin, SCHEME)).await;
        sign_in(&page).await;
        page.click("button[value=approve]").await;
        assert!(page.asks_for("com.example.app:/callback?").await.contains("code="));
    })
    .await;
}

#[tokio::test]
async fn an_error_is_shown_and_goes_nowhere() {
    let origin = serve(async |address: &str| app(address)).await;
    walk(async move |page: Arc<Page>| {
        let address = request(&origin, "https://evil.example/");
        page.go(&address).await;
        assert!(page.text_of("main").await.contains("does not lead back to the app"));
        assert_eq!(page.url().await, address);
    })
    .await;
}

/// What the other tests would see if the policy were in the way.
#[tokio::test]
#[should_panic(expected = "form-action")]
async fn a_policy_in_the_way_is_noticed() {
    let form = "<form method=post action=/go><button>Go</button></form>";
    let policy = [(CONTENT_SECURITY_POLICY, "form-action 'self'")];
    let go = (StatusCode::SEE_OTHER, [(LOCATION, "com.example.app:/callback?code=1")]);
    let app = Router::new().route("/", get((policy, Html(form)))).route("/go", post(go));
    let origin = serve(async |_: &str| app).await;
    walk(async move |page: Arc<Page>| {
        page.go(&origin).await;
        page.click("button").await;
        page.says("form-action").await;
    })
    .await;
}
