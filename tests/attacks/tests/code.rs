//! Attacks on authorization codes (AC): replay, theft, races, confusion.

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{
    API1, Browser, DumpStore, Query, Socket, Tokens, VERIFIER, World, assert_inactive, assert_json,
    assert_page, encode, secret,
};
use http::request::Parts;
use oauth_core::authorize::Login;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::handle::KeyRing;
use oauth_core::secret::SystemRandom;
use oauth_core::server::{Server, ServerBuilder};
use oauth_core::storage::testing::CountingStore;
use oauth_core::storage::{Index, Namespace};
use oauth_storage_memory::MemoryStore;
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::AuthorizationServerLayer;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(attack_tests::START))
}

fn memory(clock: &ManualClock) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(clock.clone()))
}

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
async fn ac_10_another_clients_code_is_not_spent() {
    let world = World::new();
    let code = world.code("web").await;
    for other in ["web2", "spa"] {
        assert_json(&world.redeem(other, &code).await, 400, "invalid_grant");
    }
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

/// What a meddler makes of a handle.
fn mutations(handle: &str) -> Vec<String> {
    let (prefix, body) = handle.split_once('_').expect("a prefix");
    let mut list = vec![
        handle[..handle.len() - 1].to_owned(),
        handle[..handle.len() - 4].to_owned(),
        handle[..handle.len() / 2].to_owned(),
        format!("{handle}A"),
        format!("{handle}="),
        format!("{handle}%00"),
        format!("{handle} "),
        format!(" {handle}"),
        handle.to_ascii_uppercase(),
        handle.to_ascii_lowercase(),
        body.to_owned(),
        format!("{}_{body}", prefix.to_ascii_uppercase()),
        format!("{prefix}__{body}"),
        format!("{prefix}_{}", body.chars().rev().collect::<String>()),
    ];
    for at in 0..body.len() {
        let mut bytes = body.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        list.push(format!("{prefix}_{}", String::from_utf8(bytes).expect("text")));
    }
    list.retain(|own| own != handle);
    list
}

#[tokio::test]
async fn ac_12_truncated_extended_and_altered_handles_are_unknown() {
    let world = World::new();
    let code = world.code("web").await;
    for altered in mutations(&code) {
        assert_json(&world.redeem("web", &altered).await, 400, "invalid_grant");
    }
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    for handle in [&tokens.access, &tokens.refresh] {
        for altered in mutations(handle) {
            assert_inactive(&world.introspect("web", &altered).await);
            assert_eq!(world.revoke("web", &altered).await.status, 200);
        }
    }
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn ac_13_a_code_lives_for_sixty_seconds() {
    for (millis, works) in [(59_000, true), (59_999, true), (60_000, false), (61_000, false)] {
        let world = World::new();
        let code = world.code("web").await;
        world.clock.advance(Duration::from_millis(millis));
        let reply = world.redeem("web", &code).await;
        if works {
            assert_eq!(reply.status, 200, "{millis}");
        } else {
            assert_json(&reply, 400, "invalid_grant");
        }
    }
    let long = Server::builder("https://as.example", MemoryStore::new())
        .code_lifetime(Duration::from_secs(601))
        .build();
    assert!(long.is_err(), "a code must not live for more than ten minutes");
}

#[tokio::test]
async fn ac_14_guesses_never_reach_the_store_and_all_hear_the_same() {
    let store = CountingStore::new(MemoryStore::with_clock(Arc::new(clock())));
    let world = World::over(store.clone(), clock(), |builder| builder);
    let code = world.code("spa").await;
    store.take();
    let random = SystemRandom;
    let mut heard = None;
    for _ in 0..5_000 {
        // The key id is public; everything after it is guessed.
        let guess = format!("{}{}", &code[..code.len() - 90], base64(&random));
        let reply = world.redeem("spa", &guess).await;
        assert_json(&reply, 400, "invalid_grant");
        assert_eq!(heard.get_or_insert_with(|| reply.body.clone()), &reply.body);
    }
    assert_eq!(store.counts().total(), 0);
    assert_eq!(world.redeem("spa", &code).await.status, 200);
}

/// 90 random characters of base64url.
fn base64(random: &SystemRandom) -> String {
    use base64::Engine as _;
    let bytes: [u8; 68] = oauth_core::secret::random_array(random);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)[..90].to_owned()
}

#[tokio::test]
async fn ac_15_a_handle_of_one_kind_is_not_taken_for_another() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    let code = world.code("web").await;
    for not_a_code in [&tokens.access, &tokens.refresh] {
        assert_json(&world.redeem("web", not_a_code).await, 400, "invalid_grant");
        let (_, body) = not_a_code.split_once('_').expect("a prefix");
        let dressed = format!("{}_{body}", code.split('_').next().expect("a prefix"));
        assert_json(&world.redeem("web", &dressed).await, 400, "invalid_grant");
    }
    for not_a_refresh_token in [&code, &tokens.access] {
        assert_json(&world.refresh("web", not_a_refresh_token).await, 400, "invalid_grant");
    }
    assert_eq!(world.redeem("web", &code).await.status, 200);
    world.assert_untouched("web", &tokens).await;
}

/// A server of another issuer over the same store and keys, with a public client that nobody has to consent to.
fn tenant(issuer: &str, store: &MemoryStore, ring: &KeyRing, clock: &ManualClock) -> World {
    let client = Client::public("spa").redirect_uri("https://spa.example/cb").scope("read").first_party();
    let server = Server::builder(issuer, store.clone())
        .key_ring(ring.clone())
        .clock(clock.clone())
        .client(client)
        .build()
        .expect("a server");
    let alice =
        |_: &Parts| async { Ok(Some(Login::new("alice", Timestamp::from_secs(attack_tests::START)))) };
    let layer = AuthorizationServerLayer::new(server.clone()).host(LoginPage::at("/login", alice));
    World::mounted(server, clock.clone(), layer)
}

#[tokio::test]
async fn ac_17_a_code_of_one_tenant_is_unknown_to_another() {
    let clock = clock();
    let (store, ring) = (memory(&clock), KeyRing::generate(&SystemRandom));
    let t1 = tenant("https://as.example/t1", &store, &ring, &clock);
    let t2 = tenant("https://as.example/t2", &store, &ring, &clock);
    let answer = t1.get(&format!("/t1/authorize?{}", Query::of("spa"))).await;
    let code = answer.param("code").expect("a code");
    let form = format!("client_id=spa&{}", World::redemption(&code));
    assert_json(&t2.post("/t2/token", &[], &form).await, 400, "invalid_grant");
    let tokens = Tokens::of(&t1.post("/t1/token", &[], &form).await);
    // A replay at the other tenant does not reach this one's grant, and neither does a revocation.
    assert_json(&t2.post("/t2/token", &[], &form).await, 400, "invalid_grant");
    let form = format!("client_id=spa&token={}", tokens.refresh);
    assert_eq!(t2.post("/t2/revoke", &[], &form).await.status, 200);
    assert!(t2.server.verify(&tokens.access).await.is_err());
    assert!(t1.server.verify(&tokens.access).await.is_ok());
    let form = format!("client_id=spa&{}", World::refreshment(&tokens.refresh));
    assert_json(&t2.post("/t2/token", &[], &form).await, 400, "invalid_grant");
    assert_eq!(t1.post("/t1/token", &[], &form).await.status, 200);
}

#[tokio::test]
async fn ac_18_a_wrong_code_is_not_repeated_in_the_answer() {
    let world = World::new();
    for code in ["SECRETCODE", "oac_SECRETCODE", "SECRETCODE\"<>"] {
        let reply = world.redeem("web", code).await;
        assert_json(&reply, 400, "invalid_grant");
        assert!(!reply.body.contains("SECRETCODE"));
        assert!(!format!("{:?}", reply.headers).contains("SECRETCODE"));
    }
}

fn late(id: &str) -> oauth_core::client::ClientBuilder {
    Client::confidential(id, &ClientSecret::from_text(secret(id)))
        .redirect_uri(attack_tests::APP)
        .scope("read write")
        .resource(API1)
}

#[tokio::test]
async fn ac_20_a_client_that_changes_between_approval_and_redemption() {
    let world = World::new();
    let put = async |client: oauth_core::client::ClientBuilder| {
        world.server.clients().put(client.build().expect("a client")).await.expect("stores");
    };
    put(late("late")).await;
    let code = world.code("late").await;
    put(late("late").grant_types(["client_credentials"])).await;
    assert_json(&world.redeem("late", &code).await, 400, "unauthorized_client");

    let moved = Client::confidential("late", &ClientSecret::from_text(secret("late")))
        .redirect_uri("https://app.example/new")
        .scope("read write");
    put(moved).await;
    assert_json(&world.redeem("late", &code).await, 400, "invalid_grant");

    put(late("late")).await;
    let other = ClientSecret::from_text("another-secret-that-is-long-enough");
    put(Client::confidential("late", &other).redirect_uri(attack_tests::APP)).await;
    assert_json(&world.redeem("late", &code).await, 401, "invalid_client");

    // Put back as it was, the code has not been consumed by any of it.
    put(late("late")).await;
    let tokens = Tokens::of(&world.redeem("late", &code).await);

    let code = world.code("late").await;
    assert_eq!(world.server.clients().disable("late").await.expect("disables"), Some(2));
    assert_json(&world.redeem("late", &code).await, 401, "invalid_client");
    assert!(!world.is_active(&tokens.access).await);
    put(late("late")).await;
    assert_json(&world.redeem("late", &code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn ac_21_scope_cannot_be_smuggled_into_the_token_request() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("scope", "read")).await;
    for scope in ["admin", "write", "read write", "read admin"] {
        let form = format!("{}&scope={}", World::redemption(&code), encode(scope));
        assert_json(&world.token("web", &form).await, 400, "invalid_scope");
    }
    let reply = world.redeem("web", &code).await;
    assert_eq!((reply.status, &*reply.text("scope")), (200, "read"));
}

#[tokio::test]
async fn ac_22_a_wrong_resource_does_not_burn_the_code() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("resource", API1)).await;
    for resource in ["https://unknown.example", "https://api2.example", "https://api1.example.evil", "x"] {
        let form = format!("{}&resource={}", World::redemption(&code), encode(resource));
        assert_json(&world.token("web", &form).await, 400, "invalid_target");
    }
    let form = format!("{}&resource={}", World::redemption(&code), encode(API1));
    assert_eq!(world.token("web", &form).await.status, 200);
}

#[tokio::test]
async fn ac_23_a_stolen_code_is_worth_nothing_and_costs_nothing() {
    let world = World::new();
    let code = world.code("spa").await;
    for verifier in ["", VERIFIER.to_uppercase().as_str(), &VERIFIER[1..], attack_tests::CHALLENGE] {
        let form = format!("grant_type=authorization_code&code={code}&code_verifier={verifier}");
        assert_json(&world.token("spa", &form).await, 400, "invalid_grant");
    }
    // Who only has seen the code cannot end it either, before or after it is used.
    assert_eq!(world.revoke("spa", &code).await.status, 200);
    let tokens = Tokens::of(&world.redeem("spa", &code).await);
    assert_eq!(world.revoke("spa", &code).await.status, 200);
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn ac_24_one_approval_gives_one_code() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let first = browser.decide(&world, &page, "approve").await;
    let second = browser.decide(&world, &page, "approve").await;
    assert_eq!(first.location(), second.location());
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert_eq!(grants.len(), 1);
    let tokens = Tokens::of(&world.redeem("web", &first.code()).await);
    assert_page(&browser.decide(&world, &page, "approve").await);
    assert_page(&browser.decide(&world, &page, "deny").await);
    world.assert_untouched("web", &tokens).await;
    world.clock.advance(Duration::from_secs(14 * 60));
    assert_page(&browser.decide(&world, &page, "approve").await);
}

#[tokio::test]
async fn ac_26_the_store_holds_no_code() {
    let clock = clock();
    let store = DumpStore::new(memory(&clock));
    let world = World::over(store.clone(), clock, |builder| builder);
    let (code, tokens) = world.redeemed("web").await;
    let dump = store.text();
    assert!(dump.contains("alice"), "the dump shows what is stored");
    for handle in [&code, &tokens.access, &tokens.refresh] {
        let secret = &handle[handle.len() - 64..];
        for at in 0..secret.len() - 12 {
            assert!(!dump.contains(&secret[at..at + 12]), "a part of a handle is stored");
        }
    }
    // Whatever text the dump offers is no code and no token.
    for word in
        dump.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').filter(|w| w.len() > 20)
    {
        let (prefix, _) = code.split_once('_').expect("a prefix");
        for guess in [word.to_owned(), format!("{prefix}_{word}")] {
            assert_json(&world.redeem("web", &guess).await, 400, "invalid_grant");
        }
    }
    world.assert_untouched("web", &tokens).await;
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

#[tokio::test]
async fn the_grant_id_of_a_code_does_not_help_to_forge_one() {
    // Grant id and key id are readable; a secret of the attacker's own does not fit the tag.
    let world = World::new();
    let (own, _) = world.redeemed("web2").await;
    let victim = world.code("web").await;
    for cut in [32, 40, 54, 75, 80] {
        let at = victim.len() - 96 + cut;
        let spliced = format!("{}{}", &victim[..at], &own[at..]);
        for client in ["web", "web2"] {
            assert_json(&world.redeem(client, &spliced).await, 400, "invalid_grant");
        }
    }
    assert_eq!(world.redeem("web", &victim).await.status, 200);
}

#[tokio::test]
async fn a_code_with_an_unknown_key_id_neither_works_nor_revokes() {
    // Such a handle is not refused by its tag: the digest must decide, and a mismatch must change nothing.
    let world = World::new();
    let (code, tokens) = world.redeemed("web").await;
    let (prefix, body) = code.split_once('_').expect("a prefix");
    let unknown = format!("{prefix}_AAAA{}", &body[4..]);
    assert_json(&world.redeem("web", &unknown).await, 400, "invalid_grant");
    assert_eq!(world.revoke("web", &unknown).await.status, 200);
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn a_repeated_parameter_cannot_hide_a_second_code() {
    let world = World::new();
    let (mine, theirs) = (world.code("web").await, world.code("web").await);
    for form in [
        format!("{}&code={theirs}", World::redemption(&mine)),
        format!("{}&code=", World::redemption(&mine)),
        format!("{}&code_verifier={VERIFIER}", World::redemption(&mine)),
        format!("{}&grant_type=refresh_token", World::redemption(&mine)),
        format!("{}&redirect_uri=a&redirect_uri=a", World::redemption(&mine)),
        format!("{}&%63ode={theirs}", World::redemption(&mine)),
    ] {
        assert_json(&world.token("web", &form).await, 400, "invalid_request");
    }
    for code in [mine, theirs] {
        assert_eq!(world.redeem("web", &code).await.status, 200);
    }
}

#[tokio::test]
async fn the_code_is_bound_to_the_redirect_uri_when_it_is_sent() {
    let world = World::new();
    let code = world.code("cli").await;
    for uri in ["http://127.0.0.1/cb", "com.example.cli:/cb?x", "com.example.cli:/CB"] {
        let form = format!("{}&redirect_uri={}", World::redemption(&code), encode(uri));
        assert_json(&world.token("cli", &form).await, 400, "invalid_grant");
    }
    let form = format!("{}&redirect_uri={}", World::redemption(&code), encode("com.example.cli:/cb"));
    assert_eq!(world.token("cli", &form).await.status, 200);
}

#[tokio::test]
async fn two_mounts_of_a_server_share_what_is_spent() {
    // A code from one mount cannot be spent a second time through another mount of the same server.
    let world = World::new();
    let other = World::mounted(world.server.clone(), world.clock.clone(), world.layer.clone());
    let (code, tokens) = world.redeemed("web").await;
    assert_json(&other.redeem("web", &code).await, 400, "invalid_grant");
    world.assert_ended("web", &tokens).await;
}
