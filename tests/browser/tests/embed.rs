//! An app with its own sign-in and consent pages, and clients that are programs on the device.

use std::sync::Arc;

use browser::{Callback, Page, serve, walk};
use url::form_urlencoded::{Serializer, parse};

const YES: &str = "button[value=yes]";

async fn harbour() -> String {
    serve(async |issuer: &str| embed_axum::app(issuer).unwrap()).await
}

fn request(issuer: &str, client_id: &str, redirect_uri: &str, more: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", "a b&c")
        .extend_pairs(more)
        .finish();
    format!("{issuer}/authorize?{query}")
}

fn param(query: &str, name: &str) -> Option<String> {
    parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

async fn sign_in(page: &Page) {
    page.fill("input[name=name]", "ada").await;
    page.fill("input[name=password]", "lovelace").await;
    page.follow("button").await;
}

#[tokio::test]
async fn the_app_s_own_pages_lead_to_a_program_on_a_loopback_port() {
    let (issuer, mut program) = (harbour().await, Callback::listen().await);
    walk(async move |page: Arc<Page>| {
        page.go(&request(&issuer, "harbour-web", &program.uri, &[])).await;
        sign_in(&page).await;
        assert!(page.text().await.contains("See which berths you have booked"));
        page.click(YES).await;
        page.sees("#done").await;
        let answer = program.answer().await;
        assert_eq!(param(&answer, "state").as_deref(), Some("a b&c"));
        assert_eq!(param(&answer, "iss"), Some(issuer));
        assert!(param(&answer, "code").is_some() && program.is_quiet());
    })
    .await;
}

#[tokio::test]
async fn a_no_reaches_the_program_too() {
    let (issuer, mut program) = (harbour().await, Callback::listen().await);
    walk(async move |page: Arc<Page>| {
        page.go(&request(&issuer, "harbour-web", &program.uri, &[])).await;
        sign_in(&page).await;
        page.click("button[value=no]").await;
        page.sees("#done").await;
        assert_eq!(param(&program.answer().await, "error").as_deref(), Some("access_denied"));
    })
    .await;
}

#[tokio::test]
async fn prompt_login_is_met_by_the_app_s_own_page_without_a_loop() {
    let (issuer, mut program) = (harbour().await, Callback::listen().await);
    walk(async move |page: Arc<Page>| {
        page.go(&format!("{issuer}/login")).await;
        sign_in(&page).await;
        assert!(page.text().await.contains("Welcome aboard, ada"));
        for more in [("prompt", "login"), ("max_age", "0")] {
            page.go(&request(&issuer, "harbour-web", &program.uri, &[more])).await;
            sign_in(&page).await;
            page.click(YES).await;
            page.sees("#done").await;
            assert!(param(&program.answer().await, "code").is_some());
        }
        // And without it the session is enough.
        page.go(&request(&issuer, "harbour-web", &program.uri, &[])).await;
        page.sees(YES).await;
    })
    .await;
}

#[tokio::test]
async fn a_custom_scheme_is_reached() {
    let issuer = harbour().await;
    walk(async move |page: Arc<Page>| {
        page.go(&request(&issuer, "harbour-phone", "com.example.harbour:/callback", &[])).await;
        sign_in(&page).await;
        page.click(YES).await;
        let answer = page.asks_for("com.example.harbour:/callback?").await;
        assert!(answer.contains("code=") && answer.contains("state=a%20b%26c"), "{answer}");
    })
    .await;
}
