//! An app with its own sessions, sign-in page and consent page, written by hand.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::HeaderMap;
use http::request::Parts;
use oauth_core::authorize::Login;
use oauth_core::clock::Timestamp;
use oauth_core::scope::Scope;
use oauth_core::server::{AuthorizeStep, Server};
use oauth_tower::endpoint::{authorize_response, page_response};
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::AuthorizationServerLayer;
use scenario_tests::{Landing, START, Setup, World, encode};
use serde::Deserialize;

/// The app knows people by a cookie that says who they are: enough for a test.
fn login(headers: &HeaderMap) -> Option<Login> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut names = cookies.flat_map(|all| all.split("; ")).filter_map(|own| own.strip_prefix("__Host-app="));
    names.next().map(|name| Login::new(name, Timestamp::from_secs(START)))
}

#[derive(Deserialize)]
struct Arrived {
    return_to: String,
}

#[derive(Deserialize)]
struct Answered {
    ticket: String,
    decision: String,
    #[serde(default)]
    part: String,
}

async fn sign_in(Query(arrived): Query<Arrived>) -> Response {
    let cookie = "__Host-app=zoe; Path=/; Secure; HttpOnly";
    ([(SET_COOKIE, cookie)], Redirect::to(&arrived.return_to)).into_response()
}

async fn show(State(server): State<Arc<Server>>, head: Parts) -> Response {
    let asked = match server.pending(&head, login(&head.headers)).await {
        Ok(asked) => asked,
        Err(error) => return authorize_response(&server, Err(error)).into_response(),
    };
    match asked.step {
        AuthorizeStep::Consent(pending) => {
            let html = format!(
                "<p>{}, may {} have {}?</p><form method=\"post\" action=\"/allow\">\
                 <input type=\"hidden\" name=\"ticket\" value=\"{}\"><input name=\"part\">\
                 <button name=\"decision\" value=\"yes\">Yes</button></form>",
                pending.subject(),
                pending.client().name(),
                pending.scope(),
                pending.ticket()
            );
            page_response(html, asked.set_cookie).into_response()
        }
        AuthorizeStep::Login(request) => Redirect::to(&request.return_to).into_response(),
        AuthorizeStep::Issue(answer) => authorize_response(&server, Ok(answer)).into_response(),
    }
}

async fn take(State(server): State<Arc<Server>>, head: Parts, Form(form): Form<Answered>) -> Response {
    let answer = match server.resume_pending(&head, &form.ticket, login(&head.headers)).await {
        Ok(decision) if form.decision == "yes" => {
            let part = (!form.part.is_empty()).then(|| Scope::parse(&form.part).expect("the app's own list"));
            decision.accept(part).await
        }
        Ok(decision) => decision.deny().await,
        Err(error) => Err(error),
    };
    authorize_response(&server, answer).into_response()
}

async fn world() -> World {
    // The handlers need the server, which the layer has; the API's router has it too.
    let (send, receive) = std::sync::mpsc::channel::<Arc<Server>>();
    let mount = move |layer: AuthorizationServerLayer, api: Router| {
        let server = receive.recv().expect("the layer is made first");
        let pages = Router::new()
            .route("/login", get(sign_in))
            .route("/allow", get(show).post(take))
            .with_state(server);
        api.merge(pages).layer(layer)
    };
    let host = LoginPage::at("/login", |head| {
        let login = login(&head.headers);
        async move { Ok(login) }
    });
    Setup::new()
        .layer_of(move |server| {
            send.send(server.clone()).expect("the app is made next");
            AuthorizationServerLayer::new(server).host(host.consent_at("/allow"))
        })
        .mount(mount)
        .start()
        .await
}

#[tokio::test]
async fn accepted_in_part() {
    let world = world().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read notes:write", &[]);
    let page = browser.open(url.as_str()).await.page();
    assert_eq!(page.url.path(), "/allow");
    assert!(page.shows("zoe, may The Notebook have notes:read notes:write?"), "{page:?}");
    let back = browser.submit(&page, &[("decision", "yes"), ("part", "notes:read")]).await.away();
    let tokens = app.redeem(app.code(&back, &waiting), waiting).await.unwrap();
    assert_eq!(tokens.scope, "notes:read");
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.text(), "zoe");
    // The part is what is remembered.
    let (url, _) = app.begin("notes:read", &[]);
    browser.open(url.as_str()).await.away();
    let (url, _) = app.begin("notes:read notes:write", &[]);
    browser.open(url.as_str()).await.page();
}

#[tokio::test]
async fn denied() {
    let world = world().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let page = browser.open(url.as_str()).await.page();
    let back = browser.submit(&page, &[("decision", "no")]).await.away();
    assert_eq!(app.error(&back, &waiting), "access_denied");
}

#[tokio::test]
async fn a_hand_written_page_is_as_safe_as_the_built_in_one() {
    let world = world().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, _) = app.begin("notes:read", &[]);
    let page = browser.open(url.as_str()).await.page();
    // Another browser, another site, a part that was never asked, junk: each is refused with a page.
    let other = world.browser();
    other.open(url.as_str()).await.page();
    assert_eq!(other.submit(&page, &[("decision", "yes")]).await.page().status, 403);
    let form = format!("ticket={}&decision=yes", encode(&page.hidden("ticket")));
    let headers = [("origin", "https://evil.example"), ("cookie", &browser.cookies("https://auth.example/"))];
    assert_eq!(world.net.post("/allow", &headers, &form).await.status, 403);
    let more = browser.submit(&page, &[("decision", "yes"), ("part", "profile")]).await.page();
    assert_eq!(more.status, 400);
    let to = "https://auth.example/allow".parse().unwrap();
    assert_eq!(browser.post(&to, "ticket=junk&decision=yes").await.page().status, 400);
    assert!(matches!(browser.submit(&page, &[("decision", "yes")]).await, Landing::Away(_)));
}
