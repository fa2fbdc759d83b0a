//! Rotation, reuse and concurrency.

use super::*;

#[tokio::test]
async fn rt_01_rotation() {
    for client in ["web", "spa", "cli"] {
        let world = World::new();
        let first = world.tokens(client).await;
        let reply = world.refresh(client, &first.refresh).await;
        let second = Tokens::of(&reply);
        assert_ne!(first.refresh, second.refresh);
        assert_ne!(first.access, second.access);
        assert_eq!(reply.text("scope"), "read write");
        assert!(world.is_active(&first.access).await, "an access token lives until it expires");
        assert!(world.is_active(&second.access).await);
        let third = Tokens::of(&world.refresh(client, &second.refresh).await);
        assert_ne!(second.refresh, third.refresh);
    }
}

#[tokio::test]
async fn rt_02_reuse_after_the_successor_was_used_ends_the_grant() {
    for client in ["web", "spa"] {
        let world = World::new();
        let first = world.tokens(client).await;
        let second = Tokens::of(&world.refresh(client, &first.refresh).await);
        let third = Tokens::of(&world.refresh(client, &second.refresh).await);
        assert_json(&world.refresh(client, &first.refresh).await, 400, "invalid_grant");
        for tokens in [&first, &second, &third] {
            world.assert_ended(client, tokens).await;
        }
    }
}

#[tokio::test]
async fn rt_03_a_lost_answer_is_given_again_and_no_second_branch_lives() {
    let world = World::new();
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    world.clock.advance(Duration::from_secs(2));
    let again = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_eq!((&second.access, &second.refresh), (&again.access, &again.refresh));
    // The window is counted from the first use, whatever is retried in it.
    world.clock.advance(Duration::from_secs(57));
    assert_eq!(Tokens::of(&world.refresh("spa", &first.refresh).await).refresh, second.refresh);
    world.clock.advance(Duration::from_secs(1));
    assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn rt_03_without_a_window_reuse_ends_the_grant_at_once() {
    let world = World::with(strict);
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn rt_04_the_grandparent_ends_the_grant_inside_the_window() {
    let world = World::new();
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    let third = Tokens::of(&world.refresh("spa", &second.refresh).await);
    world.clock.advance(Duration::from_secs(1));
    // The parent is still answered again: its successor has not been used.
    assert_eq!(Tokens::of(&world.refresh("spa", &second.refresh).await).refresh, third.refresh);
    assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
    world.assert_ended("spa", &third).await;
    world.assert_ended("spa", &second).await;
}

#[tokio::test]
async fn rt_05_the_window_does_not_bring_back_what_was_revoked() {
    for revoke_successor in [false, true] {
        let world = World::new();
        let first = world.tokens("spa").await;
        let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
        let named = if revoke_successor { &second.refresh } else { &first.refresh };
        assert_eq!(world.revoke("spa", named).await.status, 200);
        assert_json(&world.refresh("spa", &first.refresh).await, 400, "invalid_grant");
        world.assert_ended("spa", &second).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_07_concurrent_refresh_without_a_window() {
    let (store, clock) = counting();
    let world = World::over(store.clone(), clock, strict);
    let first = world.tokens("spa").await;
    store.take();
    let stale = store.stale();
    let socket = Socket::open(&world).await;
    let replies = socket.race("spa", "/token", vec![World::refreshment(&first.refresh); 64]).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1, "{replies:?}");
    for reply in lost {
        assert_json(reply, 400, "invalid_grant");
    }
    let swaps = store.counts().swaps(Namespace::Grant) - (store.stale() - stale);
    assert_eq!(swaps, 2, "one rotation and one revocation");
    world.assert_ended("spa", &Tokens::of(won[0])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_08_concurrent_refresh_in_the_window() {
    for client in ["web", "spa"] {
        let (store, clock) = counting();
        let world = World::over(store.clone(), clock, |builder| builder);
        let first = world.tokens(client).await;
        store.take();
        let stale = store.stale();
        let socket = Socket::open(&world).await;
        let replies = socket.race(client, "/token", vec![World::refreshment(&first.refresh); 64]).await;
        assert_eq!(replies.len(), 64);
        let second = Tokens::of(&replies[0]);
        for reply in &replies {
            assert_eq!((reply.status, &reply.body), (200, &replies[0].body));
        }
        assert_eq!(store.counts().swaps(Namespace::Grant) - (store.stale() - stale), 1);
        let third = world.assert_untouched(client, &second).await;
        assert_json(&world.refresh(client, &first.refresh).await, 400, "invalid_grant");
        world.assert_ended(client, &third).await;
    }
}

fn many_apis(builder: ServerBuilder) -> ServerBuilder {
    let client = Client::confidential("hub", &ClientSecret::from_text(secret("hub")));
    let client = (0..16).fold(client.redirect_uri(APP).scope("read"), |client, at| client.resource(api(at)));
    builder.client(client)
}

fn api(at: usize) -> String {
    format!("https://api{at}.many.example")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_08_concurrent_refresh_for_sixteen_resources() {
    let world = World::with(many_apis);
    let first = world.tokens("hub").await;
    let socket = Socket::open(&world).await;
    let form = |at| format!("{}&resource={}", World::refreshment(&first.refresh), encode(&api(at)));
    let replies = socket.race("hub", "/token", (0..16).map(form).collect()).await;
    let mut successors = BTreeSet::new();
    let mut access_tokens = BTreeSet::new();
    for (at, reply) in replies.iter().enumerate() {
        let tokens = Tokens::of(reply);
        let shown = world.introspect("hub", &tokens.access).await.json();
        assert_eq!((&shown["active"], &shown["aud"]), (&true.into(), &api(at).into()), "{shown}");
        successors.insert(tokens.refresh);
        access_tokens.insert(tokens.access);
    }
    assert_eq!((successors.len(), access_tokens.len()), (1, 16));
    let next = successors.first().expect("a successor");
    assert_eq!(world.refresh("hub", next).await.status, 200);
}

#[tokio::test]
async fn rt_09_another_clients_refresh_token_is_not_spent() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    for other in ["web2", "spa", "cli"] {
        assert_json(&world.refresh(other, &tokens.refresh).await, 400, "invalid_grant");
    }
    assert_json(&world.refresh("m2m", &tokens.refresh).await, 400, "unauthorized_client");
    let form = World::refreshment(&tokens.refresh);
    assert_json(&world.post("/token", &[], &format!("{form}&client_id=web")).await, 401, "invalid_client");
    let next = world.assert_untouched("web", &tokens).await;
    // The old one in another client's hands is no reuse.
    world.clock.advance(Duration::from_secs(120));
    assert_json(&world.refresh("web2", &tokens.refresh).await, 400, "invalid_grant");
    world.assert_untouched("web", &next).await;
}
