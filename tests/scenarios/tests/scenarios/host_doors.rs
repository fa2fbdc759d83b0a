//! What the host does to grants from its side, while clients and browsers are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use oauth_core::server::SubjectStatus;
use oauth_core::storage::{Index, StoreError, StoreResult};
use scenario_tests::{Setup, World};

#[tokio::test]
async fn an_account_page_lists_and_ends_grants() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let notes = app.obtain(&browser, "alice", "notes:read", &[]).await;
    let profile = app.obtain(&browser, "alice", "profile", &[]).await;
    app.obtain(&world.browser(), "bob", "notes:read", &[]).await;

    let mine = world.server.grants().list(Index::Subject("id-alice")).await.unwrap();
    let mut scopes: Vec<_> = mine.iter().map(|grant| grant.scope.as_str()).collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["notes:read", "profile"]);
    assert!(mine.iter().all(|grant| grant.live && grant.state == "active" && &*grant.client_id == "web"));
    assert_eq!(world.server.grants().list(Index::Client("web")).await.unwrap().len(), 3);
    // Both were approved in one sitting of one browser.
    let session = mine[0].session.clone().expect("the built-in pages name their session");
    assert_eq!(world.server.grants().list(Index::Session(&session)).await.unwrap().len(), 2);

    let end = mine.iter().find(|grant| grant.scope.as_str() == "notes:read").unwrap().id;
    assert!(world.server.grants().revoke(end).await.unwrap());
    assert_eq!(world.call("GET", "/api/notes", &notes.access).await.status, 401);
    assert_eq!(app.refresh(&notes.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
    assert!(app.refresh(&profile.refresh, "", &[]).await.is_ok());
}

#[tokio::test]
async fn ending_everything_of_a_person_reaches_what_is_under_way() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let tokens = app.obtain(&browser, "alice", "notes:read", &[]).await;
    // One code that is not redeemed yet, and one page that is not answered yet.
    let (url, waiting) = app.begin("notes:write", &[]);
    let back = browser.go_through(url.as_str(), "alice").await;
    let code = app.code(&back, &waiting);
    let (url, unanswered) = app.begin("profile", &[]);
    let consent = browser.open(url.as_str()).await.page();
    let bobs = app.obtain(&world.browser(), "bob", "notes:read", &[]).await;

    assert_eq!(world.server.grants().revoke_all(Index::Subject("id-alice")).await.unwrap(), 2);
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 401);
    assert_eq!(app.refresh(&tokens.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
    assert_eq!(app.redeem(code, waiting).await.unwrap_err(), "invalid_grant");
    assert_eq!(world.call("GET", "/api/notes", &bobs.access).await.status, 200);

    // An answer in the very millisecond of the fence is caught by it; one that comes later is a new decision.
    let caught = browser.allow(&consent).await.away();
    assert_eq!(app.error(&caught, &unanswered), "access_denied");
    world.clock.advance(std::time::Duration::from_millis(1));
    let after = app.obtain(&browser, "alice", "profile", &[]).await;
    assert!(!after.access.is_empty());
}

#[tokio::test]
async fn ending_a_session_or_a_client_ends_its_grants_alone() {
    let world = World::start().await;
    let (web, spa) = (world.app("web").await, world.app("spa").await);
    let (desk, phone) = (world.browser(), world.browser());
    let at_desk = web.obtain(&desk, "alice", "notes:read", &[]).await;
    let on_phone = web.obtain(&phone, "alice", "notes:read", &[]).await;
    let other = spa.obtain(&phone, "alice", "notes:read", &[]).await;
    let status = async |token: &str| world.call("GET", "/api/notes", token).await.status.as_u16();

    let all = world.server.grants().list(Index::Subject("id-alice")).await.unwrap();
    let alone =
        all.iter().find(|grant| all.iter().filter(|other| other.session == grant.session).count() == 1);
    let session = alone.unwrap().session.clone().unwrap();
    assert_eq!(world.server.grants().revoke_all(Index::Session(&session)).await.unwrap(), 1);
    assert_eq!(status(&at_desk.access).await, 401);
    assert_eq!(status(&on_phone.access).await, 200);

    assert_eq!(world.server.grants().revoke_all(Index::Client("web")).await.unwrap(), 2);
    assert_eq!(status(&on_phone.access).await, 401);
    assert_eq!(status(&other.access).await, 200);
}

#[derive(Clone, Debug, Default)]
struct Accounts {
    locked: Arc<AtomicBool>,
    down: Arc<AtomicBool>,
}

#[async_trait]
impl SubjectStatus for Accounts {
    async fn is_active(&self, subject: &str) -> StoreResult<bool> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the accounts cannot be read"));
        }
        Ok(subject != "id-alice" || !self.locked.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_locked_account_gets_nothing_new_and_is_not_forgotten() {
    let accounts = Accounts::default();
    let hook = accounts.clone();
    let world = Setup::new().server(|server| server.subject_status(hook)).start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let tokens = app.obtain(&browser, "alice", "notes:read", &[]).await;
    let (url, waiting) = app.begin("notes:read", &[]);
    let code = app.code(&browser.go_through(url.as_str(), "alice").await, &waiting);

    accounts.locked.store(true, Ordering::SeqCst);
    assert_eq!(app.refresh(&tokens.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
    assert_eq!(world.introspect("web", &tokens.access).await["active"], false);
    let form =
        format!("grant_type=authorization_code&code={code}&code_verifier={}", waiting.verifier.secret());
    assert_eq!(world.post_as("web", "/token", &form).await.refusal(), (400, "invalid_grant".to_owned()));

    // A failure of the hook is no verdict.
    accounts.down.store(true, Ordering::SeqCst);
    let unknown = world.post_as("web", "/token", &form).await;
    assert_eq!(unknown.refusal(), (503, "temporarily_unavailable".to_owned()));
    assert!(!unknown.header("retry-after").is_empty());

    // Unlocked, everything is as it was: nothing was spent.
    accounts.down.store(false, Ordering::SeqCst);
    accounts.locked.store(false, Ordering::SeqCst);
    assert!(app.refresh(&tokens.refresh, "", &[]).await.is_ok());
    assert!(app.redeem(code, waiting).await.is_ok());
}
