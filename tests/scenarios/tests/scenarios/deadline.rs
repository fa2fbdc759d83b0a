//! A store that does not answer at all: the deadline does.

use std::time::Duration;

use oauth_core::storage::testing::{Fault, Op};
use scenario_tests::{Setup, World};
use tokio::time::Instant;

/// Runs with tokio's clock stopped: when nothing else is left to do, it jumps to the deadline. Answers what it jumped.
async fn jumped<T>(work: impl Future<Output = T>) -> (T, Duration) {
    tokio::time::pause();
    let start = Instant::now();
    let answer = work.await;
    let jumped = start.elapsed();
    tokio::time::resume();
    (answer, jumped)
}

#[tokio::test]
async fn a_request_ends_at_its_deadline_and_the_code_is_still_good() {
    let deadline = Duration::from_millis(700);
    let world = Setup::new().layer(move |layer| layer.deadline(deadline)).start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let code = app.code(&browser.go_through(url.as_str(), "alice").await, &waiting);
    let verifier = waiting.verifier.secret();
    let form = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}");
    world.store.script(|call| (call.op == Op::Swap).then_some(Fault::Hang));
    let (reply, after) = jumped(world.post_as("web", "/token", &form)).await;
    assert_eq!(reply.refusal(), (503, "temporarily_unavailable".to_owned()));
    assert!(!reply.header("retry-after").is_empty());
    assert!(after >= deadline && after < 2 * deadline, "{after:?}");
    world.store.script(|_| None);
    assert!(app.redeem(code, waiting).await.is_ok());
}

#[tokio::test]
async fn browsers_and_apis_wait_no_longer() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let tokens = app.obtain(&browser, "alice", "notes:read", &[]).await;
    world.store.script(|_| Some(Fault::Hang));
    let (url, _) = app.begin("notes:read", &[]);
    let (page, after) = jumped(browser.open(url.as_str())).await;
    let page = page.page();
    assert!(page.status == 503 && page.shows("Acme"), "{page:?}");
    assert!(after < Duration::from_secs(5), "{after:?}");
    let (api, after) = jumped(world.call("GET", "/api/notes", &tokens.access)).await;
    assert_eq!((api.status.as_u16(), api.header("retry-after").is_empty()), (503, false));
    assert!(after < Duration::from_secs(5), "{after:?}");
    let (page, after) = jumped(browser.open("/sign-in")).await;
    assert_eq!(page.page().status, 503);
    assert!(after < Duration::from_secs(5), "{after:?}");
}
