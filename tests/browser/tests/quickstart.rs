//! The quickstart, as a newcomer walks it.

use std::sync::Arc;

use browser::{Page, serve, walk};
use quickstart::Place;

const ALLOW: &str = "button[value=approve]";
const DENY: &str = "button[value=deny]";

async fn quickstart() -> String {
    serve(async |issuer: &str| quickstart::app(issuer, &Place::memory()).await.unwrap()).await
}

async fn sign_in(page: &Page, username: &str, password: &str) {
    page.fill("#username", username).await;
    page.fill("#password", password).await;
    page.follow("form button").await;
}

/// From the app's page to the consent page.
async fn arrive(page: &Page, app: &str) {
    page.go(app).await;
    page.follow("#sign-in").await;
    sign_in(page, "alice", "wonderland").await;
    page.sees(ALLOW).await;
}

async fn press(page: &Page, action: &str) -> String {
    page.follow(&format!("button[value={action}]")).await;
    page.text_of("#status").await
}

#[tokio::test]
async fn the_main_road() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        page.go(&app).await;
        page.follow("#sign-in").await;
        sign_in(&page, "alice", "mad hatter").await;
        assert!(page.text_of("#error").await.contains("not right"));
        assert_eq!(page.value_of("#username").await, "alice");
        assert_eq!(page.value_of("#password").await, "");

        page.fill("#password", "wonderland").await;
        page.follow("form button").await;
        let asked = page.text_of("main").await;
        for said in ["Notebook", "alice", "Read your notes", "Add notes in your name", "127.0.0.1"] {
            assert!(asked.contains(said), "{said}: {asked}");
        }
        page.follow(DENY).await;
        assert_eq!(page.text_of("#error").await, "access_denied");

        page.go(&app).await;
        page.follow("#sign-in").await;
        page.follow(ALLOW).await;
        assert_eq!(page.text_of("#scope").await, "notes:read notes:write");
        assert_eq!(page.url().await, format!("{app}/"));

        assert_eq!(press(&page, "read").await, "200");
        assert!(page.text_of("#outcome").await.contains("alice"));
        assert_eq!(press(&page, "add").await, "200");
        assert!(page.text_of("#outcome").await.contains("Water the plants"));
        assert_eq!(press(&page, "introspect").await, "200");
        assert!(page.text_of("#outcome").await.contains("\"active\": true"));
        let before = page.text_of("#access").await;
        assert_eq!(press(&page, "refresh").await, "200");
        assert_ne!(page.text_of("#access").await, before);
        assert_eq!(press(&page, "revoke").await, "200");
        assert_eq!(press(&page, "read").await, "401");
        assert!(page.text_of("#outcome").await.contains("invalid_token"));
    })
    .await;
}

#[tokio::test]
async fn a_double_click_on_allow_is_one_sign_in() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        arrive(&page, &app).await;
        page.double_click(ALLOW).await;
        // Of the two answers the browser shows the later one, which may say that the question has been answered.
        page.sees("#access, #error, main > p.box").await;
        page.go_until(&app, "You are signed in").await;
        assert_eq!(press(&page, "read").await, "200");
    })
    .await;
}

#[tokio::test]
async fn a_reloaded_consent_page_can_be_answered() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        arrive(&page, &app).await;
        page.reload().await;
        page.follow(ALLOW).await;
        page.sees("#access").await;
    })
    .await;
}

#[tokio::test]
async fn the_back_button_leads_nowhere_bad() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        page.go(&app).await;
        page.follow("#sign-in").await;
        page.sees("#username").await;
        page.back().await;
        page.follow("#sign-in").await;
        sign_in(&page, "alice", "wonderland").await;
        page.sees(ALLOW).await;
        // Behind the consent page lies the sign-in page, which has nothing left to ask.
        page.back().await;
        page.follow(ALLOW).await;
        page.sees("#access").await;
        // Behind the app lies the consent page. Either the browser kept it, and its question has been answered; or it asks
        // for it anew, and the remembered consent leads to the app.
        page.back().await;
        page.sees(&format!("{ALLOW}, #access")).await;
        if page.text().await.contains("wants to use") {
            page.follow(ALLOW).await;
            assert!(page.text_of("main").await.contains("Already answered"));
        }
    })
    .await;
}

#[tokio::test]
async fn tabs_do_not_disturb_each_other() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        page.go(&app).await;
        let first = page.tab().await;
        page.follow("#sign-in").await;
        page.sees("#username").await;
        page.new_tab().await;
        page.go(&app).await;
        page.follow("#sign-in").await;
        sign_in(&page, "alice", "wonderland").await;
        page.sees(ALLOW).await;
        let second = page.tab().await;

        // The form in the first tab is still good, and so is the question in the second after it signed in anew there.
        page.switch(&first).await;
        page.reload().await;
        page.sees(ALLOW).await;
        page.switch(&second).await;
        page.follow(ALLOW).await;
        page.sees("#access").await;
        page.switch(&first).await;
        page.follow(ALLOW).await;
        page.sees("#access").await;
        assert_eq!(press(&page, "read").await, "200");
    })
    .await;
}

#[tokio::test]
async fn a_question_to_alice_is_not_answered_by_bob() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        arrive(&page, &app).await;
        let alice = page.tab().await;
        page.new_tab().await;
        page.go(&format!("{app}/login?prompt=login")).await;
        sign_in(&page, "bob", "builder").await;
        page.switch(&alice).await;
        page.follow(ALLOW).await;
        assert!(page.text_of("main").await.contains("signed in differently"));
    })
    .await;
}

#[tokio::test]
async fn somebody_else_can_sign_in_from_the_question() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        arrive(&page, &app).await;
        page.follow("a.switch").await;
        sign_in(&page, "bob", "builder").await;
        page.sees(ALLOW).await;
        assert!(page.text_of("main").await.contains("bob"));
        page.follow(ALLOW).await;
        page.sees("#access").await;
        assert_eq!(press(&page, "read").await, "200");
        assert!(page.text_of("#outcome").await.contains("bob"));
    })
    .await;
}

#[tokio::test]
async fn signing_in_again_asks_for_the_password_once() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        arrive(&page, &app).await;
        page.follow(ALLOW).await;
        page.follow("#again").await;
        assert_eq!(page.value_of("#username").await, "alice");
        page.fill("#password", "wonderland").await;
        page.follow("form button").await;
        // Consent is remembered, and the sign-in is fresh: nothing else is asked.
        page.sees("#access").await;
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_there() {
    let app = quickstart().await;
    walk(async move |page: Arc<Page>| {
        arrive(&page, &app).await;
        page.follow(ALLOW).await;
        page.follow("#sign-out").await;
        page.follow("button[value=sign_out]").await;
        assert!(page.text_of("main").await.contains("You are signed out"));
        page.go(&app).await;
        page.follow("#sign-in").await;
        page.sees("#password").await;
    })
    .await;
}
