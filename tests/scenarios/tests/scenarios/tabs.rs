//! Several tabs, pages that are answered twice, and pages that lay open for too long.

use std::time::Duration;

use scenario_tests::World;
use url::Url;

#[tokio::test]
async fn two_tabs_ask_at_once() {
    let world = World::start().await;
    let (app, left) = (world.app("web").await, world.browser());
    let right = left.clone();
    let (left_url, left_waits) = app.begin("notes:read", &[]);
    let (right_url, right_waits) = app.begin("profile", &[]);
    let left_page = left.open(left_url.as_str()).await.page();
    let right_page = right.open(right_url.as_str()).await.page();
    // The person signs in twice, in either tab, and each goes on with its own request.
    let right_page = right.sign_in(&right_page, "alice").await.page();
    let left_page = left.sign_in(&left_page, "alice").await.page();
    assert!(left_page.shows("read your notes") && !left_page.shows("see your name"));
    assert!(right_page.is_consent() && right_page.shows("see your name"));
    let left_back = left.allow(&left_page).await.away();
    assert!(app.redeem(app.code(&left_back, &left_waits), left_waits).await.is_ok());
    // The first sign-in is over: its page would have to be answered by a session that has ended.
    let stale = right.allow(&right_page).await.page();
    assert!(stale.status == 403 && stale.shows("signed in differently"), "{stale:?}");
    let back = right.go_through(right_url.as_str(), "alice").await;
    assert!(app.redeem(app.code(&back, &right_waits), right_waits).await.is_ok());
}

#[tokio::test]
async fn one_sign_in_serves_all_tabs() {
    let world = World::start().await;
    let (app, left) = (world.app("web").await, world.browser());
    let right = left.clone();
    let (left_url, _) = app.begin("notes:read", &[]);
    let (right_url, right_waits) = app.begin("profile", &[]);
    let left_page = left.open(left_url.as_str()).await.page();
    let waiting = right.open(right_url.as_str()).await.page();
    left.sign_in(&left_page, "alice").await.page();
    // The other tab's sign-in page, reloaded, goes on by itself.
    let right_page = right.open(waiting.url.as_str()).await.page();
    assert!(right_page.is_consent(), "{right_page:?}");
    let back = right.allow(&right_page).await.away();
    assert!(app.redeem(app.code(&back, &right_waits), right_waits).await.is_ok());
}

#[tokio::test]
async fn a_double_click_is_one_grant() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    let consent = browser.sign_in(&sign_in, "alice").await.page();
    let (first, second) = tokio::join!(browser.allow(&consent), browser.allow(&consent));
    let (first, second) = (first.away(), second.away());
    assert_eq!(first, second);
    let grants = world.server.grants().list(oauth_core::storage::Index::Subject("id-alice")).await.unwrap();
    assert_eq!(grants.len(), 1);
    let tokens = app.redeem(app.code(&first, &waiting), waiting).await.unwrap();
    // Answered once more after that: a page that says so, and nothing ends.
    let late = browser.allow(&consent).await.page();
    assert!(late.status == 409 && late.shows("Already answered"), "{late:?}");
    let changed_mind = browser.deny(&consent).await.page();
    assert_eq!(changed_mind.status, 409);
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_page_that_lay_open_for_too_long() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, _) = app.begin("notes:read", &[]);
    let sign_in = browser.open(url.as_str()).await.page();
    world.clock.advance(Duration::from_secs(3600));
    let again = browser.sign_in(&sign_in, "alice").await.page();
    assert!(again.is_sign_in() && again.shows("too long"), "{again:?}");
    // The request began an hour ago, which is longer than a detour may take: it is asked anew, and no loop.
    let consent = match browser.sign_in(&again, "alice").await.page() {
        page if page.is_consent() => page,
        page => panic!("{page:?}"),
    };
    world.clock.advance(Duration::from_secs(15 * 60));
    let expired = browser.allow(&consent).await.page();
    assert!(expired.status == 400 && !expired.is_consent(), "{expired:?}");
    assert!(browser.open(url.as_str()).await.page().is_consent());
}

#[tokio::test]
async fn a_page_is_for_the_browser_that_it_was_shown_in() {
    let world = World::start().await;
    let (app, alice, mallory) = (world.app("web").await, world.browser(), world.browser());
    let (url, _) = app.begin("notes:read", &[]);
    let sign_in = mallory.open(url.as_str()).await.page();
    let planted = mallory.sign_in(&sign_in, "mallory").await.page();
    app.obtain(&alice, "alice", "notes:read", &[]).await;
    let refused = alice.allow(&planted).await.page();
    assert_eq!(refused.status, 403, "{refused:?}");
    let refused = alice.submit(&sign_in, &[("username", "mallory"), ("password", "secret")]).await.page();
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[tokio::test]
async fn signing_out_ends_the_sign_in_and_leaves_the_tokens() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let tokens = app.obtain(&browser, "alice", "notes:read", &[]).await;
    let cookies = browser.cookies("https://auth.example/");
    let page = browser.open("/sign-out").await.page();
    browser.submit(&page, &[("decision", "sign_out")]).await.page();
    assert_ne!(browser.cookies("https://auth.example/"), cookies);
    let (url, _) = app.begin("notes:read", &[]);
    assert!(browser.open(url.as_str()).await.page().is_sign_in());
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
    // A copy of the cookie is worth nothing.
    let request = http::Request::get(url.as_str()).header("cookie", cookies).body(Vec::new()).unwrap();
    let to = world.net.send(request).await;
    assert!(Url::parse(&world.net.url(to.header("location"))).unwrap().path() == "/sign-in", "{to:?}");
}
