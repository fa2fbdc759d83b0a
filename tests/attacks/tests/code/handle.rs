//! A code that was not issued, or not as it is presented.

use super::*;

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
