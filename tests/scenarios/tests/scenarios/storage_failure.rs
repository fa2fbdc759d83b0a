//! A store that fails: 503, said honestly, and nothing is lost by trying again.

use oauth_core::storage::testing::{Fault, Op};
use scenario_tests::{Reply, World};

fn is_unavailable(reply: &Reply) {
    assert_eq!(reply.refusal(), (503, "temporarily_unavailable".to_owned()));
    assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_code_outlives_a_store_that_is_down() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    for (op, fault) in [(Op::Load, Fault::Refuse), (Op::Swap, Fault::Refuse)] {
        let (url, waiting) = app.begin("notes:read", &[]);
        let code = app.code(&browser.go_through(url.as_str(), "alice").await, &waiting);
        let verifier = waiting.verifier.secret();
        let form = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}");
        world.store.script(move |call| (call.op == op).then_some(fault));
        is_unavailable(&world.post_as("web", "/token", &form).await);
        world.store.script(|_| None);
        let tokens = app.redeem(code, waiting).await.expect("the code is still good");
        assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_inside_is_made_good() {
    let world = World::start().await;
    let app = world.app("web").await;
    let first = app.obtain(&world.browser(), "alice", "notes:read", &[]).await;
    // The write arrives, its acknowledgement does not: the server looks, and finds its own.
    world.store.script(|call| (call.op == Op::Swap).then_some(Fault::LoseAnswer));
    let second = app.refresh(&first.refresh, "", &[]).await.unwrap();
    // The store is gone before anybody can look: the client tries again, within the retry window.
    world.store.script(|call| match call.op {
        Op::Swap => Some(Fault::LoseAnswer),
        _ => (call.index > 0).then_some(Fault::Refuse),
    });
    let form = format!("grant_type=refresh_token&refresh_token={}", second.refresh);
    is_unavailable(&world.post_as("web", "/token", &form).await);
    world.store.script(|_| None);
    let third = app.refresh(&second.refresh, "", &[]).await.unwrap();
    assert_eq!(world.call("GET", "/api/notes", &third.access).await.status, 200);
    assert!(app.refresh(&third.refresh, "", &[]).await.is_ok());
}

#[tokio::test]
async fn everything_else_says_the_same() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let tokens = app.obtain(&browser, "alice", "notes:read", &[]).await;
    let (url, waiting) = app.begin("profile", &[]);
    let consent = browser.open(url.as_str()).await.page();

    world.store.script(|_| Some(Fault::Refuse));
    let form = format!("token={}", tokens.access);
    is_unavailable(&world.post_as("web", "/introspect", &form).await);
    // Never a success that is not true.
    is_unavailable(&world.post_as("web", "/revoke", &form).await);
    is_unavailable(&world.post_as("job", "/token", "grant_type=client_credentials").await);
    // An API must not tell a client to throw away a token that may be good.
    let api = world.call("GET", "/api/notes", &tokens.access).await;
    assert_eq!((api.status.as_u16(), api.header("www-authenticate")), (503, ""));
    assert!(!api.header("retry-after").is_empty());
    // The person sees a page.
    let failed = browser.allow(&consent).await.page();
    assert!(failed.status == 503 && failed.shows("Acme"), "{failed:?}");
    let failed = browser.open(url.as_str()).await.page();
    assert_eq!(failed.status, 503);
    // What needs no store still works.
    assert_eq!(world.net.get("/.well-known/oauth-authorization-server").await.status, 200);

    // Back again, and the page that could not be answered can be.
    world.store.script(|_| None);
    let back = browser.allow(&consent).await.away();
    assert!(app.redeem(app.code(&back, &waiting), waiting).await.is_ok());
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
}
