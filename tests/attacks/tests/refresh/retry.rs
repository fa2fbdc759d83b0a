//! The retry window, and what a thief makes of it.

use super::*;

#[tokio::test]
async fn a_thief_inside_the_window_gains_nothing_that_lasts() {
    // The thief follows the client within the window, then each of them goes on: the second one to do so ends both.
    let world = World::new();
    let first = world.tokens("spa").await;
    let client = Tokens::of(&world.refresh("spa", &first.refresh).await);
    let thief = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_eq!(client.refresh, thief.refresh);
    let third = Tokens::of(&world.refresh("spa", &thief.refresh).await);
    let fourth = Tokens::of(&world.refresh("spa", &third.refresh).await);
    assert_json(&world.refresh("spa", &client.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &fourth).await;
}

#[tokio::test]
async fn a_streak_of_retries_ends_the_grant_where_it_is_limited() {
    let world = World::with(|builder| builder.max_retry_streak(2));
    let mut tokens = world.tokens("spa").await;
    for _ in 0..2 {
        let next = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
        assert_eq!(Tokens::of(&world.refresh("spa", &tokens.refresh).await).refresh, next.refresh);
        tokens = next;
    }
    let next = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &next).await;
}

#[tokio::test]
async fn a_retry_for_a_narrower_scope_never_gets_the_wider_token() {
    let world = World::new();
    let first = world.tokens("web").await;
    let full = Tokens::of(&world.refresh("web", &first.refresh).await);
    let form = format!("{}&scope=read", World::refreshment(&first.refresh));
    let narrow = Tokens::of(&world.token("web", &form).await);
    assert_eq!(full.refresh, narrow.refresh);
    assert_ne!(full.access, narrow.access);
    assert_eq!(world.introspect("web", &narrow.access).await.text("scope"), "read");
    assert_eq!(world.introspect("web", &full.access).await.text("scope"), "read write");
    let form = format!("{}&scope=admin", World::refreshment(&first.refresh));
    assert_json(&world.token("web", &form).await, 400, "invalid_scope");
}

#[tokio::test]
async fn a_retry_does_not_bring_back_an_access_token_that_was_revoked() {
    let world = World::new();
    let first = world.tokens("web").await;
    world.clock.advance(Duration::from_secs(1));
    let second = Tokens::of(&world.refresh("web", &first.refresh).await);
    // Revoking an older access token leaves the window as it is.
    assert_eq!(world.revoke("web", &first.access).await.status, 200);
    assert_eq!(Tokens::of(&world.refresh("web", &first.refresh).await).access, second.access);
    // The retry would derive the revoked token once more, so its window is closed: what comes now is reuse.
    assert_eq!(world.revoke("web", &second.access).await.status, 200);
    assert!(!world.is_active(&second.access).await);
    assert_json(&world.refresh("web", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("web", &second).await;
}

#[tokio::test]
async fn a_client_that_does_not_rotate_has_one_token_that_revocation_ends() {
    let never = |builder: ServerBuilder| {
        let client = Client::confidential("bank", &ClientSecret::from_text(secret("bank")));
        let client = client.redirect_uri(APP).scope("read").resource(API1).rotation(Rotation::Never);
        builder.client(client)
    };
    let world = World::with(never);
    let tokens = world.tokens("bank").await;
    for _ in 0..20 {
        let next = Tokens::of(&world.refresh("bank", &tokens.refresh).await);
        assert_eq!(next.refresh, tokens.refresh);
    }
    assert_eq!(world.revoke("bank", &tokens.refresh).await.status, 200);
    world.assert_ended("bank", &tokens).await;
}

#[tokio::test]
async fn an_old_token_whose_key_is_lost_ends_nothing() {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let (old, new) = (KeyRing::generate(&SystemRandom), KeyRing::generate(&SystemRandom));
    let world =
        |ring: &KeyRing| World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring.clone()));
    let before = world(&old);
    let first = before.tokens("spa").await;
    let second = Tokens::of(&before.refresh("spa", &first.refresh).await);
    let third = Tokens::of(&before.refresh("spa", &second.refresh).await);
    let after = world(&new);
    // Without its key nobody can tell the old token from a forgery, so it must not be a way to log people out.
    assert_json(&after.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    assert!(after.is_active(&third.access).await);
    assert_inactive(&after.introspect("web", &first.refresh).await);
    let fourth = after.assert_untouched("spa", &third).await;
    after.assert_untouched("spa", &fourth).await;
}

#[tokio::test]
async fn an_expired_access_token_does_not_come_back_with_a_retry() {
    let world = World::with(|builder| builder.access_token_lifetime(Duration::from_secs(10)));
    let first = world.tokens("web").await;
    let second = Tokens::of(&world.refresh("web", &first.refresh).await);
    world.clock.advance(Duration::from_millis(9_999));
    assert_eq!(Tokens::of(&world.refresh("web", &first.refresh).await).access, second.access);
    world.clock.advance(Duration::from_millis(1));
    assert!(!world.is_active(&second.access).await);
    let again = Tokens::of(&world.refresh("web", &first.refresh).await);
    assert_eq!(again.refresh, second.refresh);
    assert!(!world.is_active(&second.access).await, "it has expired for good");
    assert!(world.is_active(&again.access).await);
    assert_eq!(Tokens::of(&world.refresh("web", &first.refresh).await).access, again.access);
}
