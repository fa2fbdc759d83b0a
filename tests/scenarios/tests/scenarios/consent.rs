//! Consent that is remembered (OpenID Connect Core §3.1.2.4), for what was allowed and no more.

use std::time::Duration;

use oauth_core::server::ConsentPolicy;
use scenario_tests::{API, App, Browser, FILES, Landing, Setup, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn asked(app: &App, browser: &Browser, scope: &str, extra: &[(&str, &str)]) -> bool {
    match browser.open(app.begin(scope, extra).0.as_str()).await {
        Landing::Away(url) => {
            assert!(url.as_str().contains("code="), "{url}");
            false
        }
        Landing::Page(page) => {
            assert!(page.is_consent(), "{page:?}");
            true
        }
    }
}

#[tokio::test]
async fn what_was_allowed_is_not_asked_again() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    assert!(!asked(&app, &browser, "notes:read", &[]).await);
    // For more it is asked, and the page says what is new.
    let (url, waiting) = app.begin("notes:read notes:write", &[]);
    let more = browser.open(url.as_str()).await.page();
    assert!(more.is_consent() && more.shows("Already allowed") && more.shows("change your notes"));
    let back = browser.allow(&more).await.away();
    assert!(app.redeem(app.code(&back, &waiting), waiting).await.is_ok());
    for scope in ["notes:read", "notes:write", "notes:write notes:read"] {
        assert!(!asked(&app, &browser, scope, &[]).await, "{scope}");
    }
    // A request that names no API was for all that the client may have.
    assert!(!asked(&app, &browser, "notes:read", &[("resource", API)]).await);
    // Another client, or another person at the same browser, is another question.
    assert!(asked(&world.app("post").await, &browser, "notes:read", &[]).await);
    let bob = world.browser();
    let sign_in = bob.open(app.begin("notes:read", &[]).0.as_str()).await.page();
    assert!(bob.sign_in(&sign_in, "bob").await.page().is_consent());
}

#[tokio::test]
async fn consent_for_one_api_is_none_for_another() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[("resource", API)]).await;
    assert!(!asked(&app, &browser, "notes:read", &[("resource", API)]).await);
    assert!(asked(&app, &browser, "notes:read", &[("resource", FILES)]).await);
}

#[tokio::test]
async fn forgetting_asks_again_and_ends_nothing() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let tokens = app.obtain(&browser, "alice", "notes:read", &[]).await;
    let remembered = world.server.consents().get("web", "id-alice").await.unwrap().unwrap();
    assert_eq!(remembered.scope.as_str(), "notes:read");
    world.server.consents().forget("web", "id-alice").await.unwrap();
    assert_eq!(world.server.consents().get("web", "id-alice").await.unwrap(), None);
    assert!(asked(&app, &browser, "notes:read", &[]).await);
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn it_is_remembered_for_a_time_or_not_at_all() {
    let remember = Setup::new().server(|server| server.consent(ConsentPolicy::Remember(DAY)));
    let world = remember.start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    world.clock.advance(DAY - Duration::from_secs(1));
    assert!(!asked(&app, &browser, "notes:read", &[]).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(asked(&app, &browser, "notes:read", &[]).await);

    let never = Setup::new().server(|server| server.consent(ConsentPolicy::AlwaysAsk)).start().await;
    let (app, browser) = (never.app("web").await, never.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    assert!(asked(&app, &browser, "notes:read", &[]).await);
}
