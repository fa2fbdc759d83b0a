//! The device flow: a screen shows a code, its owner types it into a browser elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use browser::{Page, serve, walk};
use oauth_core::client::Client;
use oauth_core::error::{Error, ErrorCode};
use oauth_core::server::{DeviceAuthorization, DeviceFlow, Server};
use oauth_core::token::TokenResponse;
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages};
use oauth_tower::server::AuthorizationServerLayer;

const SEND: &str = "form button";
const ALLOW: &str = "button[value=approve]";
const DENY: &str = "button[value=deny]";

struct Anybody;

#[async_trait::async_trait]
impl Credentials for Anybody {
    async fn check(&self, username: &str, _: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok(Some(Identity::new(username)))
    }
}

/// The server, at an address of its own.
async fn start() -> Arc<Server> {
    let (send, server) = tokio::sync::oneshot::channel();
    serve(async |origin: &str| {
        let screen = Client::device("screen").name("Living Room Screen").scope("notes:read notes:write");
        let server = Server::builder(origin, MemoryStore::new())
            .scope("notes:read", "Read your notes")
            .scope("notes:write", "Add notes in your name")
            .device_flow(DeviceFlow::new())
            .client(screen)
            .build()
            .unwrap();
        let pages = Pages::new(server.clone(), Anybody);
        let app = Router::new().layer(AuthorizationServerLayer::new(server.clone()).pages(pages));
        assert!(send.send(server).is_ok());
        app
    })
    .await;
    server.await.unwrap()
}

async fn ask(server: &Server) -> DeviceAuthorization {
    let from = Some([192, 0, 2, 7].into());
    server.device_authorization(&HeaderMap::new(), b"client_id=screen", from).await.unwrap()
}

async fn poll(server: &Server, device: &DeviceAuthorization) -> Result<TokenResponse, Error> {
    let form = format!(
        "client_id=screen&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={}",
        device.device_code
    );
    server.token(&HeaderMap::new(), form.as_bytes()).await
}

async fn sign_in(page: &Page) {
    page.fill("#username", "alice").await;
    page.fill("#password", "anything").await;
    page.follow(SEND).await;
}

#[tokio::test]
async fn a_typed_code_lets_the_screen_in() {
    let server = start().await;
    walk(async move |page: Arc<Page>| {
        let device = ask(&server).await;
        page.go(&device.verification_uri).await;
        sign_in(&page).await;
        page.fill("#user_code", "bbbb-bbbb").await;
        page.follow(SEND).await;
        assert!(page.text_of("#error").await.contains("No device is waiting with this code"));
        // As people type it.
        let typed = device.user_code.shown().to_lowercase().replace('-', " ");
        page.fill("#user_code", &typed).await;
        page.follow(SEND).await;
        let asked = page.text_of("main").await;
        for said in ["Living Room Screen", "Read your notes", "Add notes in your name", "192.0.2.7", "alice"]
        {
            assert!(asked.contains(said), "{said}: {asked}");
        }
        assert!(asked.contains(&device.user_code.shown()), "{asked}");
        assert_eq!(poll(&server, &device).await.unwrap_err().code(), ErrorCode::AuthorizationPending);
        page.follow(ALLOW).await;
        assert!(page.text_of("main").await.contains("Living Room Screen"));
        assert!(poll(&server, &device).await.unwrap().refresh_token.is_some());
        // The code is used up.
        page.go(&device.verification_uri_complete).await;
        page.follow(SEND).await;
        assert!(page.text_of("#error").await.contains("No device is waiting with this code"));
    })
    .await;
}

#[tokio::test]
async fn a_link_with_the_code_asks_all_the_same_and_no_means_no() {
    let server = start().await;
    walk(async move |page: Arc<Page>| {
        let device = ask(&server).await;
        page.go(&device.verification_uri_complete).await;
        sign_in(&page).await;
        assert_eq!(page.value_of("#user_code").await, device.user_code.shown());
        page.follow(SEND).await;
        page.follow(DENY).await;
        assert!(page.text_of("main").await.contains("Living Room Screen"));
        assert_eq!(poll(&server, &device).await.unwrap_err().code(), ErrorCode::AccessDenied);
    })
    .await;
}
