//! Authorization code with PKCE (OAuth 2.1 §4.1) by the `oauth2` crate, to the end of the tokens' life.

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use oauth2::TokenIntrospectionResponse;
use scenario_tests::{API, Setup, World};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

async fn whole_life(client_id: &str) {
    let world = World::start().await;
    let (app, browser) = (world.app(client_id).await, world.browser());

    let (url, waiting) = app.begin("notes:read notes:write", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    assert!(sign_in.is_sign_in() && sign_in.shows("Acme"), "{sign_in:?}");
    let wrong = browser.submit(&sign_in, &[("username", "alice"), ("password", "wrong")]).await.page();
    assert!(wrong.is_sign_in() && wrong.shows("not right"), "{wrong:?}");
    let consent = browser.sign_in(&wrong, "alice").await.page();
    assert!(consent.is_consent() && consent.shows("read your notes") && consent.shows("app.example"));
    let answer = browser.allow(&consent).await.away();
    let code = app.code(&answer, &waiting);

    let first = app.redeem(code, waiting).await.unwrap();
    assert_eq!((first.scope.as_str(), first.expires_in), ("notes:read notes:write", 3600));
    for method in ["GET", "POST"] {
        let notes = world.call(method, "/api/notes", &first.access).await;
        assert_eq!((notes.status.as_u16(), notes.text()), (200, "id-alice"));
    }

    let second = app.refresh(&first.refresh, "", &[]).await.unwrap();
    assert_ne!(second.refresh, first.refresh);
    // A refresh leaves the access token before it alive.
    for token in [&first.access, &second.access] {
        assert_eq!(world.call("GET", "/api/notes", token).await.status, 200);
    }

    if client_id != "spa" {
        let said = app.introspect(&second.access).await.unwrap();
        assert!(said.active());
        assert_eq!(said.sub(), Some("id-alice"));
        assert_eq!(said.client_id().map(|id| id.as_str()), Some(client_id));
        assert_eq!(said.exp().unwrap().timestamp(), world.server.now().as_secs() + 3600);
    } else {
        assert_eq!(app.introspect(&second.access).await.unwrap_err(), "invalid_client");
    }

    app.revoke_access(&first.access).await;
    assert_eq!(world.call("GET", "/api/notes", &first.access).await.status, 401);
    assert_eq!(world.call("GET", "/api/notes", &second.access).await.status, 200);
    app.revoke_refresh(&second.refresh).await;
    let refused = world.call("GET", "/api/notes", &second.access).await;
    assert_eq!(refused.refusal(), (401, "invalid_token".to_owned()));
    assert!(refused.header("www-authenticate").starts_with("Bearer realm=\"api\", error=\"invalid_token\""));
    assert_eq!(app.refresh(&second.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
    if client_id != "spa" {
        assert!(!app.introspect(&second.access).await.unwrap().active());
    }
    // Revoking once more is no error (RFC 7009 §2.2).
    app.revoke_refresh(&second.refresh).await;
}

#[tokio::test]
async fn a_confidential_client_with_basic() {
    whole_life("web").await;
}

#[tokio::test]
async fn a_confidential_client_with_its_secret_in_the_body() {
    whole_life("post").await;
}

#[tokio::test]
async fn a_public_client() {
    whole_life("spa").await;
}

#[tokio::test]
async fn the_person_says_no() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    let consent = browser.sign_in(&sign_in, "alice").await.page();
    let answer = browser.deny(&consent).await.away();
    assert_eq!(app.error(&answer, &waiting), "access_denied");
    // A "no" is not remembered: the next attempt asks again.
    let (url, _) = app.begin("notes:read", &[]);
    assert!(browser.open(url.as_str()).await.page().is_consent());
}

#[tokio::test]
async fn a_program_on_the_same_device_listens_on_a_port_of_its_own() {
    // RFC 8252 §7.3: registered without a port, on the machine where the server is known by its address too.
    let world = Setup::new().on_loopback().start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("http://{}/callback", listener.local_addr().unwrap());
    let (send, mut answers) = unbounded_channel();
    let wait = Router::new().route(
        "/callback",
        get(async move |RawQuery(query): RawQuery| send.send(query.unwrap_or_default()).unwrap()),
    );
    tokio::spawn(async move { axum::serve(listener, wait).await });

    let (app, browser) = (world.app("cli").await.redirect_uri(&callback), world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let back = browser.go_through(url.as_str(), "alice").await;
    assert_eq!(world.net.get(back.as_str()).await.status, 200);
    let query = answers.recv().await.unwrap();
    assert_eq!(back.query(), Some(query.as_str()));
    let tokens = app.redeem(app.code(&back, &waiting), waiting).await.unwrap();
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.text(), "id-alice");
    // Any program could pose as it, so that nothing is remembered for it.
    let (url, _) = app.begin("notes:read", &[]);
    assert!(browser.open(url.as_str()).await.page().is_consent());
}

#[tokio::test]
async fn the_hosts_own_app_asks_nobody() {
    let world = World::start().await;
    let (app, browser) = (world.app("own").await, world.browser());
    let (url, waiting) = app.begin("profile", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    let answer = browser.sign_in(&sign_in, "alice").await.away();
    assert!(app.redeem(app.code(&answer, &waiting), waiting).await.is_ok());
}

#[tokio::test]
async fn a_code_works_once_and_for_its_verifier_only() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let answer = browser.go_through(url.as_str(), "alice").await;
    let code = app.code(&answer, &waiting);
    let (_, other) = app.begin("notes:read", &[]);
    assert_eq!(app.redeem(code.clone(), other).await.unwrap_err(), "invalid_grant");
    let verifier = waiting.verifier.secret().clone();
    let tokens = app.redeem(code.clone(), waiting).await.unwrap();
    // The same request again: somebody has a copy of everything, so that all of it ends (RFC 6749 §4.1.2).
    let form = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}");
    assert_eq!(world.post_as("web", "/token", &form).await.refusal(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 401);
    assert_eq!(app.refresh(&tokens.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
}

#[tokio::test]
async fn two_servers_do_not_take_each_others_tokens() {
    let (here, there) = (World::start().await, World::start().await);
    let app = here.app("web").await;
    let tokens = app.obtain(&here.browser(), "alice", "notes:read", &[("resource", API)]).await;
    assert_eq!(here.call("GET", "/api/notes", &tokens.access).await.status, 200);
    assert_eq!(there.call("GET", "/api/notes", &tokens.access).await.status, 401);
    assert_eq!(there.introspect("api", &tokens.access).await["active"], false);
}
