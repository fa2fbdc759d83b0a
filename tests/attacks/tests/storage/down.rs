//! The store is down or hangs: every endpoint that needs it says so in time, the others go on, and no restart is needed.

use attack_tests::{Reply, Users};
use oauth_tower::pages::Pages;
use oauth_tower::server::AuthorizationServerLayer;
use tokio::time::Instant;

use super::*;

/// For longer than this no server answers by what it knew before; a code is still good then.
const LONG: Duration = Duration::from_secs(30);

/// The same server with the built-in pages.
fn with_pages(world: &World) -> World {
    let layer = AuthorizationServerLayer::new(world.server.clone());
    let pages = Pages::new(world.server.clone(), Users);
    World::mounted(world.server.clone(), world.clock.clone(), layer.pages(pages))
}

#[track_caller]
fn assert_page_unavailable(reply: &Reply, at: &str) {
    assert_eq!((reply.status, reply.header("location")), (503, None), "{at}: {reply:?}");
    assert!(reply.header("retry-after").is_some(), "{at}: {reply:?}");
    assert!(reply.header("content-type").is_some_and(|own| own.starts_with("text/html")), "{at}: {reply:?}");
}

/// What a browser does at every page that needs the store.
async fn visit(world: &World, pages: &World, browser: &Browser, page: &Reply, sign_in: &str) -> Vec<Reply> {
    let visitor = || browser.clone();
    let form = format!("username=alice&password=secret&form={}", encode(sign_in));
    vec![
        visitor().authorize(world, Query::of("late")).await,
        visitor().decide(world, page, "approve").await,
        visitor().decide(world, page, "deny").await,
        visitor().authorize(pages, Query::of("late")).await,
        visitor().post(pages, "/sign-in", &form).await,
    ]
}

#[tokio::test(start_paused = true)]
async fn rl_09_every_endpoint_ends_at_its_deadline_and_recovers() {
    for fault in [Fault::Hang, Fault::Refuse] {
        for idle in [Duration::ZERO, LONG] {
            let (world, store) = faulty().await;
            let pages = with_pages(&world);
            let mut browser = Browser::signed_in("alice");
            let tokens = world.tokens("late").await;
            let code = world.code("late").await;
            let ask = Query::of("late").set("prompt", "consent");
            let page = browser.authorize(&world, ask).await;
            let sign_in = browser.get(&pages, "/sign-in").await.field("form");
            // The code lives a minute.
            world.clock.advance(idle);
            store.script(move |_| Some(fault));
            let patience = if fault == Fault::Hang { 2 } else { 0 };
            let begin = Instant::now();
            assert_unavailable(&world.redeem("late", &code).await);
            assert_unavailable(&world.refresh("late", &tokens.refresh).await);
            assert_unavailable(&world.revoke("late", &tokens.refresh).await);
            assert_unavailable(&world.introspect("late", &tokens.access).await);
            assert_unavailable(&world.introspect("rs1", &tokens.access).await);
            assert_unavailable(&world.token("m2m", "grant_type=client_credentials").await);
            assert_eq!(begin.elapsed().as_secs(), 6 * patience, "{fault:?}");
            let begin = Instant::now();
            let replies = visit(&world, &pages, &browser, &page, &sign_in).await;
            for (at, reply) in replies.iter().enumerate() {
                assert_page_unavailable(reply, &format!("{fault:?} {at}"));
            }
            assert_eq!(begin.elapsed().as_secs(), 5 * patience, "{fault:?}");
            let begin = Instant::now();
            for path in ["/.well-known/oauth-authorization-server", "/jwks"] {
                assert_eq!(world.get(path).await.status, 200);
            }
            assert_eq!(begin.elapsed(), Duration::ZERO);

            store.script(|_| None);
            Tokens::of(&world.redeem("late", &code).await);
            world.assert_untouched("late", &tokens).await;
            assert_eq!(browser.decide(&world, &page, "approve").await.status, 303);
        }
    }
}

/// What waits for the store does not keep the others from being answered.
#[tokio::test(start_paused = true)]
async fn rl_09_many_requests_that_hang_hold_up_nobody() {
    let (world, store) = faulty().await;
    let tokens = world.tokens("late").await;
    world.clock.advance(LONG);
    store.script(|_| Some(Fault::Hang));
    let begin = Instant::now();
    let hanging = (0..200).map(|_| world.refresh("late", &tokens.refresh));
    let hanging = futures_util::future::join_all(hanging);
    let documents = async {
        assert_eq!(world.get("/jwks").await.status, 200);
        begin.elapsed()
    };
    let (replies, documents) = tokio::join!(hanging, documents);
    assert_eq!(documents, Duration::ZERO);
    replies.iter().for_each(assert_unavailable);
    assert_eq!(begin.elapsed().as_secs(), 2);
    store.script(|_| None);
    world.assert_untouched("late", &tokens).await;
}

#[tokio::test]
async fn rl_22_readiness_says_what_is_so() {
    let (world, store) = faulty().await;
    assert!(world.server.ready().await.is_ok());
    store.script(|_| Some(Fault::Refuse));
    let error = world.server.ready().await.expect_err("the store is down");
    assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
    for path in ["/.well-known/oauth-authorization-server", "/jwks"] {
        assert_eq!(world.get(path).await.status, 200);
    }
    store.script(|_| None);
    assert!(world.server.ready().await.is_ok());
}
