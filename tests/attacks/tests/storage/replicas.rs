//! Stale reads, purges, key rings and backups.

use super::*;

#[tokio::test]
async fn rl_11_a_stale_read_decides_nothing() {
    let (world, store) = faulty().await;
    let (code, tokens) = world.redeemed("web").await;
    // The replica has not seen the redemption; the swap has.
    let mut first = true;
    store.script(move |call| (call.op == Op::Load && std::mem::take(&mut first)).then_some(Fault::ReadStale));
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    store.script(|_| None);
    world.assert_ended("web", &tokens).await;

    let first_tokens = world.tokens("web").await;
    let second = Tokens::of(&world.refresh("web", &first_tokens.refresh).await);
    let third = Tokens::of(&world.refresh("web", &second.refresh).await);
    let mut first = true;
    store.script(move |call| (call.op == Op::Load && std::mem::take(&mut first)).then_some(Fault::ReadStale));
    // To a reader of the past the second token is the current one. It is answered as what it is: a retry.
    let again = Tokens::of(&world.refresh("web", &second.refresh).await);
    assert_eq!(again.refresh, third.refresh);
    store.script(|_| None);
    assert_eq!(world.revoke("web", &third.refresh).await.status, 200);
    let mut first = true;
    store.script(move |call| (call.op == Op::Load && std::mem::take(&mut first)).then_some(Fault::ReadStale));
    assert_json(&world.refresh("web", &third.refresh).await, 400, "invalid_grant");
    store.script(|_| None);
    world.assert_ended("web", &third).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl_12_purging_under_load_deletes_nothing_that_is_needed() {
    let clock = clock();
    let memory = memory(&clock);
    let world = World::over(memory.clone(), clock, |builder| builder);
    for _ in 0..200 {
        world.code("spa").await;
    }
    let (spent, ended) = world.redeemed("spa").await;
    assert_json(&world.redeem("spa", &spent).await, 400, "invalid_grant");
    world.clock.advance(Duration::from_secs(1800));
    let tokens = world.tokens("spa").await;
    let socket = Socket::open(&world).await;
    let server = world.server.clone();
    let purging = tokio::spawn(async move {
        let mut deleted = 0;
        for _ in 0..400 {
            deleted += server.store().purge(server.now(), 5).await.expect("purges").deleted;
            tokio::task::yield_now().await;
        }
        deleted
    });
    let mut codes = Vec::new();
    for _ in 0..32 {
        codes.push(world.code("spa").await);
    }
    let forms = codes.iter().map(|code| World::redemption(code)).collect();
    for reply in socket.race("spa", "/token", forms).await {
        Tokens::of(&reply);
    }
    assert_eq!(purging.await.expect("ends"), 200, "the unredeemed codes, and no tombstone");
    world.assert_untouched("spa", &tokens).await;
    assert_json(&world.redeem("spa", &spent).await, 400, "invalid_grant");
    world.assert_ended("spa", &ended).await;
}

#[tokio::test]
async fn rl_15_handle_keys_rotate_without_ending_anything() {
    let clock = clock();
    let memory = memory(&clock);
    let at = |keys: &[u8]| {
        let ring = KeyRing::from_keys(keys.iter().map(|key| [*key; 32])).expect("a ring");
        World::over(memory.clone(), clock.clone(), |builder| builder.key_ring(ring))
    };
    let old = at(&[1]);
    let tokens = old.tokens("web").await;
    let code = old.code("web").await;
    let lost = Tokens::of(&old.refresh("web", &tokens.refresh).await);
    let both = at(&[2, 1]);
    // The lost answer can still be given again, to the letter.
    assert_eq!(Tokens::of(&both.refresh("web", &tokens.refresh).await).refresh, lost.refresh);
    let next = both.assert_untouched("web", &lost).await;
    let key_id = |token: &str| token.split_once('_').expect("a prefix").1[..5].to_owned();
    assert_ne!(key_id(&next.refresh), key_id(&lost.refresh));
    assert_eq!(key_id(&next.refresh), key_id(&next.access));
    Tokens::of(&both.redeem("web", &code).await);
    // Reuse of a token of the old key is still seen as such.
    assert_json(&both.refresh("web", &tokens.refresh).await, 400, "invalid_grant");
    both.assert_ended("web", &next).await;

    let tokens = both.tokens("web").await;
    let new = at(&[2]);
    let next = new.assert_untouched("web", &tokens).await;
    let stranger = at(&[3]);
    // With no key at all in common the digest still knows what is current.
    stranger.assert_untouched("web", &next).await;
}

#[tokio::test]
async fn a_restored_backup_neither_accepts_nor_punishes_tokens_from_its_future() {
    let clock = clock();
    let now = memory(&clock);
    let ring = KeyRing::new([7; 32]);
    let at = |store: &MemoryStore| {
        World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring.clone()))
    };
    let world = at(&now);
    let first = world.tokens("web").await;
    let id = world.server.parse_access(&first.access).expect("a handle").grant().expect("a grant");
    let backup = memory(&clock);
    let record = now.load(&Key::grant(id)).await.expect("loads").expect("a record");
    assert_eq!(backup.swap(record, None).await.expect("swaps"), Swap::Swapped);
    let second = Tokens::of(&world.refresh("web", &first.refresh).await);
    let third = Tokens::of(&world.refresh("web", &second.refresh).await);
    let restored = at(&backup);
    for newer in [&second, &third] {
        assert_json(&restored.refresh("web", &newer.refresh).await, 400, "invalid_grant");
        assert_inactive(&restored.introspect("web", &newer.access).await);
    }
    restored.assert_untouched("web", &first).await;
}
