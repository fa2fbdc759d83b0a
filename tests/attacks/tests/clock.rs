//! Attacks on the clock (CL): the ends of time, zero, and steps.

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{API1, APP, START, Tokens, World, assert_inactive, assert_json, secret};
use oauth_core::client::{Client, ClientSecret, Lifetimes};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::{Server, ServerBuilder};
use oauth_storage_memory::MemoryStore;

const HOUR: i64 = 3600;
const MACHINE: &str = "grant_type=client_credentials";

fn at(millis: i64) -> World {
    let clock = ManualClock::new(Timestamp::from_millis(millis));
    World::over(MemoryStore::with_clock(Arc::new(clock.clone())), clock, |builder| builder)
}

#[tokio::test]
async fn cl_04_lifetimes_beyond_reason_are_refused_at_build_time() {
    let build = |configure: fn(ServerBuilder) -> ServerBuilder| {
        configure(Server::builder("https://as.example", MemoryStore::new())).build().is_err()
    };
    assert!(build(|builder| builder.access_token_lifetime(Duration::MAX)));
    assert!(build(|builder| builder.refresh_token_idle(Duration::from_secs(u64::MAX))));
    assert!(build(|builder| builder.grant_lifetime(Duration::from_millis(u64::MAX))));
    assert!(build(|builder| builder.code_lifetime(Duration::MAX)));
    assert!(build(|builder| builder.retry_window(Duration::MAX)));
    assert!(build(|builder| builder.consent_page_lifetime(Duration::MAX)));
    assert!(build(|builder| builder.client_cache(Duration::MAX)));
    for wrong in [Duration::ZERO, Duration::MAX] {
        let lifetimes = Lifetimes { access_token: Some(wrong), ..Lifetimes::default() };
        assert!(Client::public("x").redirect_uri(APP).lifetimes(lifetimes).build().is_err());
    }
}

#[tokio::test]
async fn cl_04_no_instant_overflows() {
    // y2038, a leap second, a clock change, the end of what calendars can hold, and beyond.
    for millis in [
        i64::from(i32::MAX) * 1000 - 1,
        1_483_228_799_999,
        1_711_846_799_999,
        253_402_300_799_999,
        i64::MAX / 1000,
        i64::MAX - 10 * 365 * 24 * HOUR * 1000,
    ] {
        let world = at(millis);
        let reply = world.token("m2m", MACHINE).await;
        assert_eq!((reply.status, &reply.json()["expires_in"]), (200, &HOUR.into()), "{millis}");
        let shown = world.introspect("rs1", &reply.text("access_token")).await.json();
        assert_eq!(shown["active"], true, "{millis}: {shown}");
        let (exp, iat) = (shown["exp"].as_i64(), shown["iat"].as_i64());
        assert_eq!(
            (iat, exp),
            (Some(millis.div_euclid(1000)), Some((millis + HOUR * 1000).div_euclid(1000)))
        );
        let tokens = world.tokens("spa").await;
        world.assert_untouched("spa", &tokens).await;
    }
}

#[tokio::test]
async fn cl_04_at_the_very_end_of_time_nothing_is_issued_and_nothing_breaks() {
    for millis in [i64::MAX, i64::MAX - 1] {
        let world = at(millis);
        for form in [MACHINE, "grant_type=refresh_token&refresh_token=x"] {
            let reply = world.token("m2m", form).await;
            assert!(reply.status < 500, "{reply:?}");
        }
        let reply =
            attack_tests::Browser::signed_in("alice").authorize(&world, attack_tests::Query::of("web")).await;
        assert!(reply.status < 500, "{reply:?}");
    }
    let world = at(i64::MAX);
    assert_json(&world.token("m2m", MACHINE).await, 400, "invalid_grant");
}

#[tokio::test]
async fn cl_05_zero_is_a_time_like_any_other() {
    // The token expires at second 0: a value, not "never".
    let world = at(-HOUR * 1000);
    let token = world.token("m2m", MACHINE).await.text("access_token");
    let shown = world.introspect("rs1", &token).await.json();
    assert_eq!((&shown["active"], &shown["exp"], &shown["iat"]), (&true.into(), &0.into(), &(-HOUR).into()));
    world.clock.set(Timestamp::from_millis(-1));
    assert!(world.is_active(&token).await);
    world.clock.set(Timestamp::EPOCH);
    assert_inactive(&world.introspect("rs1", &token).await);
    assert!(world.server.verify(&token).await.is_err());
    // And one that expired before it.
    let world = at(-2 * HOUR * 1000);
    let token = world.token("m2m", MACHINE).await.text("access_token");
    world.clock.set(Timestamp::from_secs(-HOUR));
    assert!(!world.is_active(&token).await);
}

#[tokio::test]
async fn cl_06_the_last_second_of_a_grant() {
    let short = |builder: ServerBuilder| {
        let lifetimes = Lifetimes { grant: Some(Duration::from_secs(100)), ..Lifetimes::default() };
        let client = Client::confidential("short", &ClientSecret::from_text(secret("short")));
        builder.client(client.redirect_uri(APP).scope("read").resource(API1).lifetimes(lifetimes))
    };
    for (millis, seconds) in
        [(98_500, Some(1)), (99_000, Some(1)), (99_001, Some(0)), (99_999, Some(0)), (100_000, None)]
    {
        let world = World::with(short);
        let tokens = world.tokens("short").await;
        world.clock.advance(Duration::from_millis(millis));
        let reply = world.refresh("short", &tokens.refresh).await;
        match seconds {
            Some(seconds) => {
                assert_eq!((reply.status, &reply.json()["expires_in"]), (200, &seconds.into()), "{millis}");
                assert!(world.is_active(&reply.text("access_token")).await);
                world.clock.advance(Duration::from_millis(100_000 - millis));
                assert!(!world.is_active(&reply.text("access_token")).await);
            }
            None => assert_json(&reply, 400, "invalid_grant"),
        }
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_brings_nothing_back() {
    let world = World::new();
    let (code, first) = world.redeemed("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    let third = Tokens::of(&world.refresh("spa", &second.refresh).await);
    let unspent = world.code("spa").await;
    world.clock.set(Timestamp::from_secs(START - 10 * HOUR));
    // What was issued still works, what was used stays used.
    assert!(world.is_active(&third.access).await);
    let fourth = world.assert_untouched("spa", &third).await;
    assert_eq!(world.redeem("spa", &unspent).await.status, 200);
    assert_json(&world.redeem("spa", &unspent).await, 400, "invalid_grant");
    assert_json(&world.refresh("spa", &second.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &fourth).await;
    assert_json(&world.redeem("spa", &code).await, 400, "invalid_grant");
    world.clock.set(Timestamp::from_secs(START));
    world.assert_ended("spa", &fourth).await;
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_ends_everything_once() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    let code = world.code("web").await;
    world.clock.advance(Duration::from_secs(100 * 365 * 24 * 3600));
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &tokens).await;
    world.clock.set(Timestamp::from_secs(START));
    // An expiry is no revocation: refusing changed nothing.
    assert_eq!(world.redeem("web", &code).await.status, 200);
    world.assert_untouched("web", &tokens).await;
}
