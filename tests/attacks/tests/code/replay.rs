//! A code that comes again.

use super::*;

#[tokio::test]
async fn ac_01_a_valid_replay_ends_the_grant() {
    for client in ["web", "spa"] {
        let world = World::new();
        let (code, tokens) = world.redeemed(client).await;
        assert_json(&world.redeem(client, &code).await, 400, "invalid_grant");
        world.assert_ended(client, &tokens).await;
        assert_json(&world.redeem(client, &code).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn ac_01_a_valid_replay_ends_what_the_grant_has_become() {
    let world = World::new();
    let (code, first) = world.redeemed("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_json(&world.redeem("spa", &code).await, 400, "invalid_grant");
    assert!(!world.is_active(&first.access).await);
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn ac_02_a_replay_without_the_verifier_ends_nothing() {
    let world = World::new();
    let (code, tokens) = world.redeemed("spa").await;
    for verifier in ["", "&code_verifier=", "&code_verifier=wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong"]
    {
        let form = format!("grant_type=authorization_code&code={code}{verifier}");
        assert_json(&world.token("spa", &form).await, 400, "invalid_grant");
    }
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn ac_03_a_replay_by_another_client_ends_nothing() {
    let world = World::new();
    let (code, tokens) = world.redeemed("web").await;
    for other in ["web2", "spa", "cli"] {
        assert_json(&world.redeem(other, &code).await, 400, "invalid_grant");
    }
    assert_json(&world.redeem("m2m", &code).await, 400, "unauthorized_client");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn ac_04_a_replay_without_client_authentication_ends_nothing() {
    let world = World::new();
    let (code, tokens) = world.redeemed("web").await;
    let form = World::redemption(&code);
    let wrong = attack_tests::basic("web", "wrong-wrong-wrong-wrong");
    assert_json(&world.post("/token", &[("authorization", &wrong)], &form).await, 401, "invalid_client");
    assert_json(&world.post("/token", &[], &format!("{form}&client_id=web")).await, 401, "invalid_client");
    assert_json(&world.post("/token", &[], &form).await, 401, "invalid_client");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn ac_05_a_replay_with_another_redirect_uri_ends_nothing() {
    let world = World::new();
    let (code, tokens) = world.redeemed("web").await;
    for uri in ["https://app.example/other", "https://app.example/cb/", "https://app.example/CB"] {
        let form = format!("{}&redirect_uri={}", World::redemption(&code), encode(uri));
        assert_json(&world.token("web", &form).await, 400, "invalid_grant");
    }
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn ac_06_a_replay_after_the_codes_lifetime_ends_the_grant() {
    let world = World::new();
    let (code, tokens) = world.redeemed("web").await;
    world.clock.advance(Duration::from_secs(60 + 300));
    world.server.store().purge(world.server.now(), 1000).await.expect("purges");
    assert!(world.is_active(&tokens.access).await);
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &tokens).await;
}

#[tokio::test]
async fn ac_06_the_tombstone_lives_as_long_as_the_refresh_token() {
    let world = World::new();
    let (code, mut tokens) = world.redeemed("spa").await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(20 * 24 * 3600));
        world.server.store().purge(world.server.now(), 1000).await.expect("purges");
        tokens = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    }
    assert_json(&world.redeem("spa", &code).await, 400, "invalid_grant");
    world.assert_ended("spa", &tokens).await;
}

#[tokio::test]
async fn ac_07_another_grant_of_the_same_person_and_client_lives_on() {
    let world = World::new();
    let (code, first) = world.redeemed("web").await;
    let (_, second) = world.redeemed("web").await;
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &first).await;
    world.assert_untouched("web", &second).await;
}

/// 64 redemptions of one code at one moment; answers the winner's tokens.
async fn redeem_together(world: &World, sockets: &[Socket], client: &str) -> Tokens {
    let code = world.code(client).await;
    let each = 64 / sockets.len();
    let forms = vec![World::redemption(&code); each];
    let races = sockets.iter().map(|socket| socket.race(client, "/token", forms.clone()));
    let mut replies = Vec::new();
    for race in futures_util::future::join_all(races).await {
        replies.extend(race);
    }
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 63), "{replies:?}");
    for reply in lost {
        assert_json(reply, 400, "invalid_grant");
    }
    Tokens::of(won[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_08_concurrent_redemption() {
    for client in ["web", "spa"] {
        let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock())));
        let world = World::over(store.clone(), clock(), |builder| builder);
        let socket = Socket::open(&world).await;
        let tokens = redeem_together(&world, &[socket], client).await;
        // The replays proved possession of everything, so the first one ended the grant.
        world.assert_ended(client, &tokens).await;
        let counts = store.counts();
        assert_eq!(counts.inserts(Namespace::Grant), 1);
        assert_eq!(counts.swaps(Namespace::Grant) - store.stale(), 2, "one redemption and one revocation");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_08_concurrent_redemption_with_tolerance_keeps_the_winner() {
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock())));
    let tolerant = |builder: ServerBuilder| builder.code_replay_tolerance(Duration::from_secs(10));
    let world = World::over(store.clone(), clock(), tolerant);
    let socket = Socket::open(&world).await;
    let tokens = redeem_together(&world, &[socket], "web").await;
    assert_eq!(store.counts().swaps(Namespace::Grant) - store.stale(), 1);
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert_eq!((grants.len(), grants[0].state), (1, "active"));
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_09_concurrent_redemption_at_two_replicas() {
    let clock = clock();
    let (store, ring) = (memory(&clock), KeyRing::generate(&SystemRandom));
    let replica = || World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring.clone()));
    let (a, b) = (replica(), replica());
    let sockets = [Socket::open(&a).await, Socket::open(&b).await];
    let tokens = redeem_together(&a, &sockets, "web").await;
    a.assert_ended("web", &tokens).await;
    b.assert_ended("web", &tokens).await;
}

#[tokio::test]
async fn ac_27_a_double_submit_is_a_replay_unless_tolerated() {
    let tolerant = |builder: ServerBuilder| builder.code_replay_tolerance(Duration::from_secs(10));
    let world = World::with(tolerant);
    let (code, tokens) = world.redeemed("web").await;
    world.clock.advance(Duration::from_secs(1));
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    let tokens = world.assert_untouched("web", &tokens).await;
    world.clock.advance(Duration::from_millis(8_999));
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    let tokens = world.assert_untouched("web", &tokens).await;
    world.clock.advance(Duration::from_millis(1));
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &tokens).await;

    let world = World::new();
    let (code, tokens) = world.redeemed("web").await;
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &tokens).await;
}
