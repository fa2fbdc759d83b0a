//! `prompt` and `max_age` (OpenID Connect Core §3.1.2.1).

use std::time::Duration;

use scenario_tests::World;

#[tokio::test]
async fn none_shows_nothing() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let none = [("prompt", "none")];
    let (url, waiting) = app.begin("notes:read", &none);
    assert_eq!(app.error(&browser.open(url.as_str()).await.away(), &waiting), "login_required");
    // Signed in, but nothing allowed yet.
    let (url, _) = app.begin("notes:read", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    browser.sign_in(&sign_in, "alice").await.page();
    let (url, waiting) = app.begin("notes:read", &none);
    assert_eq!(app.error(&browser.open(url.as_str()).await.away(), &waiting), "consent_required");
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    let (url, waiting) = app.begin("notes:read", &none);
    let back = browser.open(url.as_str()).await.away();
    assert!(app.redeem(app.code(&back, &waiting), waiting).await.is_ok());
    // The sign-in ends; a silent renewal learns of it.
    world.clock.advance(Duration::from_secs(15 * 24 * 3600));
    let (url, waiting) = app.begin("notes:read", &none);
    assert_eq!(app.error(&browser.open(url.as_str()).await.away(), &waiting), "login_required");
}

#[tokio::test]
async fn login_wants_the_password_again() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    world.clock.advance(Duration::from_secs(5));
    let (url, waiting) = app.begin("notes:read", &[("prompt", "login")]);
    let sign_in = browser.open(url.as_str()).await.page();
    assert!(sign_in.is_sign_in() && sign_in.shows("alice"), "{sign_in:?}");
    // Going back without typing it leads to the same page.
    let again = browser.open(url.as_str()).await.page();
    assert!(again.is_sign_in());
    let back = browser.sign_in(&sign_in, "alice").await.away();
    let tokens = app.redeem(app.code(&back, &waiting), waiting).await.unwrap();
    let said = world.introspect("web", &tokens.access).await;
    assert_eq!(said["auth_time"], world.server.now().as_secs());
}

#[tokio::test]
async fn consent_asks_although_it_is_remembered() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    let (url, _) = app.begin("notes:read", &[("prompt", "consent")]);
    assert!(browser.open(url.as_str()).await.page().is_consent());
    let (url, _) = app.begin("notes:read", &[("prompt", "login consent")]);
    world.clock.advance(Duration::from_secs(2));
    let sign_in = browser.open(url.as_str()).await.page();
    assert!(browser.sign_in(&sign_in, "alice").await.page().is_consent());
}

#[tokio::test]
async fn select_account_lets_somebody_else_sign_in() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    world.clock.advance(Duration::from_secs(2));
    let (url, waiting) = app.begin("notes:read", &[("prompt", "select_account")]);
    let sign_in = browser.open(url.as_str()).await.page();
    let consent = browser.sign_in(&sign_in, "bob").await.page();
    assert!(consent.shows("bob"));
    let back = browser.allow(&consent).await.away();
    let tokens = app.redeem(app.code(&back, &waiting), waiting).await.unwrap();
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.text(), "id-bob");
}

#[tokio::test]
async fn the_consent_page_lets_one_be_somebody_else() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    browser.sign_in(&sign_in, "alice").await.page();
    world.clock.advance(Duration::from_secs(2));
    let as_alice = browser.open(url.as_str()).await.page();
    let sign_in = browser.open(as_alice.link("Switch account").as_str()).await.page();
    assert!(sign_in.is_sign_in() && !sign_in.shows("alice"), "{sign_in:?}");
    let as_bob = browser.sign_in(&sign_in, "bob").await.page();
    // The page that spoke to alice is not bob's to answer.
    let refused = browser.allow(&as_alice).await.page();
    assert!(refused.status == 403 && refused.shows("signed in differently"), "{refused:?}");
    let back = browser.allow(&as_bob).await.away();
    let tokens = app.redeem(app.code(&back, &waiting), waiting).await.unwrap();
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.text(), "id-bob");
}

#[tokio::test]
async fn max_age_wants_a_fresh_sign_in() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    app.obtain(&browser, "alice", "notes:read", &[]).await;
    world.clock.advance(Duration::from_secs(60));
    let (url, _) = app.begin("notes:read", &[("max_age", "60")]);
    browser.open(url.as_str()).await.away();
    let (url, waiting) = app.begin("notes:read", &[("max_age", "59")]);
    let sign_in = browser.open(url.as_str()).await.page();
    assert!(sign_in.is_sign_in());
    let back = browser.sign_in(&sign_in, "alice").await.away();
    app.code(&back, &waiting);
    // `max_age=0` can be met too: by a sign-in after the request has come.
    world.clock.advance(Duration::from_secs(1));
    let (url, waiting) = app.begin("notes:read", &[("max_age", "0")]);
    let sign_in = browser.open(url.as_str()).await.page();
    let back = browser.sign_in(&sign_in, "alice").await.away();
    app.code(&back, &waiting);
    // And silently it cannot.
    let (url, waiting) = app.begin("notes:read", &[("max_age", "0"), ("prompt", "none")]);
    assert_eq!(app.error(&browser.open(url.as_str()).await.away(), &waiting), "login_required");
}
