//! Calls to the store that fail, or whose answer is lost.

use super::*;

#[tokio::test]
async fn rl_01_rl_02_a_redemption_fails_at_any_call() {
    let (world, store) = faulty().await;
    let code = world.code("late").await;
    store.script(|_| None);
    Tokens::of(&world.redeem("late", &code).await);
    assert_eq!(calls(&store), 3, "client, grant, swap");
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Redeliver, Fault::Delay(3), Fault::DelayAnswer(3)]
    {
        for nth in 0..3 {
            let (world, store) = faulty().await;
            let code = world.code("late").await;
            store.script(move |call| (call.index == nth).then_some(fault));
            let reply = world.redeem("late", &code).await;
            store.script(|_| None);
            let read = nth < 2;
            let tokens = match fault {
                Fault::Refuse => {
                    assert_unavailable(&reply);
                    Tokens::of(&world.redeem("late", &code).await)
                }
                Fault::LoseAnswer if read => {
                    assert_unavailable(&reply);
                    Tokens::of(&world.redeem("late", &code).await)
                }
                // A write whose acknowledgement was lost is recognised as one's own.
                _ => Tokens::of(&reply),
            };
            world.assert_untouched("late", &tokens).await;
        }
    }
}

#[tokio::test]
async fn rl_02_a_refresh_fails_at_any_call() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Redeliver] {
        for nth in 0..3 {
            let (world, store) = faulty().await;
            let tokens = world.tokens("late").await;
            store.script(move |call| (call.index == nth).then_some(fault));
            let reply = world.refresh("late", &tokens.refresh).await;
            store.script(|_| None);
            let next = match reply.status {
                200 => Tokens::of(&reply),
                _ => {
                    assert_unavailable(&reply);
                    assert!(
                        fault == Fault::Refuse || fault == Fault::LoseAnswer && nth < 2,
                        "{fault:?} {nth}"
                    );
                    assert!(world.is_active(&tokens.access).await);
                    Tokens::of(&world.refresh("late", &tokens.refresh).await)
                }
            };
            world.assert_untouched("late", &next).await;
        }
    }
}

#[tokio::test]
async fn rl_02_an_approval_fails_at_any_call() {
    let (world, store) = faulty().await;
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("late")).await;
    store.script(|_| None);
    browser.decide(&world, &page, "approve").await.code();
    let healthy = calls(&store);
    assert!(healthy >= 3, "{healthy}");
    for fault in [Fault::Refuse, Fault::LoseAnswer] {
        for nth in 0..healthy {
            let (world, store) = faulty().await;
            let mut browser = Browser::signed_in("alice");
            let page = browser.authorize(&world, Query::of("late")).await;
            store.script(move |call| (call.index == nth).then_some(fault));
            let reply = browser.decide(&world, &page, "approve").await;
            store.script(|_| None);
            let code = match reply.status {
                303 => reply.code(),
                _ => {
                    assert_eq!(reply.status, 503, "{fault:?} {nth} {reply:?}");
                    assert!(!reply.body.contains("oac_"));
                    // The person presses the button again.
                    browser.decide(&world, &page, "approve").await.code()
                }
            };
            Tokens::of(&world.redeem("late", &code).await);
            let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
            assert_eq!(grants.len(), 1, "{fault:?} {nth}");
        }
    }
}

#[tokio::test]
async fn rl_02_a_token_for_the_client_itself_is_stored_or_not_told() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Redeliver] {
        for nth in 0..3 {
            let (world, store) = faulty().await;
            store.script(move |call| (call.index == nth).then_some(fault));
            let reply = world.token("m2m", "grant_type=client_credentials").await;
            store.script(|_| None);
            if reply.status == 200 {
                assert!(world.is_active(&reply.text("access_token")).await, "{fault:?} {nth}");
            } else {
                assert_unavailable(&reply);
            }
        }
    }
}

#[tokio::test]
async fn rl_04_the_acknowledgement_and_the_look_after_it_are_lost() {
    let (world, store) = faulty().await;
    let code = world.code("late").await;
    let mut swapped = false;
    store.script(move |call| match call.op {
        Op::Swap => {
            swapped = true;
            Some(Fault::LoseAnswer)
        }
        _ => swapped.then_some(Fault::Refuse),
    });
    assert_unavailable(&world.redeem("late", &code).await);
    store.script(|_| None);
    // Tokens that nobody has seen are stored. The retry is a valid replay, so it ends them.
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert!(grants.iter().any(|grant| grant.live));
    assert_json(&world.redeem("late", &code).await, 400, "invalid_grant");
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert!(grants.iter().all(|grant| !grant.live), "{grants:?}");
}

#[tokio::test]
async fn rl_04_a_refresh_whose_answer_is_lost_is_given_again() {
    let (world, store) = faulty().await;
    let tokens = world.tokens("late").await;
    let mut swapped = false;
    store.script(move |call| match call.op {
        Op::Swap => {
            swapped = true;
            Some(Fault::LoseAnswer)
        }
        _ => swapped.then_some(Fault::Refuse),
    });
    assert_unavailable(&world.refresh("late", &tokens.refresh).await);
    store.script(|_| None);
    let next = Tokens::of(&world.refresh("late", &tokens.refresh).await);
    world.assert_untouched("late", &next).await;
}

/// A grant type whose proofs work once.
#[derive(Debug)]
struct Voucher;

#[async_trait]
impl GrantType for Voucher {
    fn name(&self) -> &str {
        "urn:example:voucher"
    }

    async fn permit(&self, request: &TokenRequest<'_>) -> Result<Permit, Error> {
        let jti = request.required("jti")?;
        if jti == "bad" {
            return Err(Error::new(ErrorCode::InvalidGrant, "the voucher is not valid"));
        }
        let until = request.now() + Duration::from_secs(3600);
        let proof = Proof::new("voucher", request.now());
        Ok(Permit::for_subject(request, "alice", proof)?.first_use("voucher", jti, until))
    }
}

#[tokio::test]
async fn rl_07_a_replay_store_that_fails_lets_nothing_through() {
    let clock = clock();
    let store = FaultStore::calm(memory(&clock));
    let shop = |builder: ServerBuilder| {
        let client = Client::confidential("shop", &ClientSecret::from_text(secret("shop")));
        let client = client.scope("read").resource(API1).grant_types(["urn:example:voucher"]);
        builder.grant_type(Voucher).client(client)
    };
    let world = World::over(store.clone(), clock, shop);
    let ask =
        async |jti: &str| world.token("shop", &format!("grant_type=urn:example:voucher&jti={jti}")).await;
    store.script(|call| (call.namespace == Some(Namespace::Marker)).then_some(Fault::Refuse));
    for _ in 0..3 {
        assert_unavailable(&ask("one").await);
    }
    store.script(|_| None);
    assert!(world.is_active(&ask("one").await.text("access_token")).await);
    for _ in 0..3 {
        assert_json(&ask("one").await, 400, "invalid_grant");
    }
    // A grant that cannot be stored after the proof was marked is told as such; the proof is spent, nothing was issued.
    store.script(|call| (call.namespace == Some(Namespace::Grant)).then_some(Fault::Refuse));
    assert_unavailable(&ask("two").await);
    store.script(|_| None);
    assert_json(&ask("two").await, 400, "invalid_grant");
    assert_json(&ask("bad").await, 400, "invalid_grant");
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert_eq!(grants.len(), 1);
    world.clock.advance(Duration::from_secs(3599));
    assert_json(&ask("one").await, 400, "invalid_grant");
}

#[tokio::test(start_paused = true)]
async fn rl_09_a_store_that_hangs_costs_the_deadline_and_nothing_else() {
    let (world, store) = faulty().await;
    let tokens = world.tokens("late").await;
    for nth in 0..3 {
        let code = world.code("late").await;
        store.script(move |call| (call.index == nth).then_some(Fault::Hang));
        let begin = tokio::time::Instant::now();
        assert_unavailable(&world.redeem("late", &code).await);
        assert_eq!(begin.elapsed().as_secs(), 2);
        store.script(|_| None);
        Tokens::of(&world.redeem("late", &code).await);
    }
    store.script(|_| Some(Fault::Hang));
    let begin = tokio::time::Instant::now();
    for path in ["/token", "/revoke", "/introspect"] {
        let form = format!("{}&token={}", World::refreshment(&tokens.refresh), tokens.access);
        assert_unavailable(&world.post_as("late", path, &form).await);
    }
    assert_eq!(begin.elapsed().as_secs(), 6);
    let begin = tokio::time::Instant::now();
    for path in ["/.well-known/oauth-authorization-server", "/jwks"] {
        assert_eq!(world.get(path).await.status, 200);
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    store.script(|_| None);
    world.assert_untouched("late", &tokens).await;
}

#[tokio::test(start_paused = true)]
async fn rl_09_a_request_that_is_given_up_anywhere_leaves_no_half_state() {
    for polls in 0..12 {
        let (world, store) = faulty().await;
        let code = world.code("late").await;
        store.script(|_| Some(Fault::DelayAnswer(2)));
        {
            let mut request = std::pin::pin!(world.redeem("late", &code));
            for _ in 0..polls {
                let poll = |cx: &mut Context<'_>| Poll::Ready(request.as_mut().poll(cx).is_ready());
                if poll_fn(poll).await {
                    break;
                }
            }
        }
        store.script(|_| None);
        // Either nothing has happened, or everything: then this is a replay, and nothing is left.
        let reply = world.redeem("late", &code).await;
        let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
        assert_eq!(grants.len(), 1);
        if reply.status == 200 {
            world.assert_untouched("late", &Tokens::of(&reply)).await;
        } else {
            assert_json(&reply, 400, "invalid_grant");
            assert!(!grants[0].live);
        }
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_no_verdict_at_any_endpoint() {
    let (world, store) = faulty().await;
    let tokens = world.tokens("late").await;
    let code = world.code("late").await;
    let mut browser = Browser::signed_in("alice");
    store.script(|_| Some(Fault::Refuse));
    assert_unavailable(&world.redeem("late", &code).await);
    assert_unavailable(&world.refresh("late", &tokens.refresh).await);
    assert_unavailable(&world.revoke("late", &tokens.refresh).await);
    assert_unavailable(&world.introspect("late", &tokens.access).await);
    assert_unavailable(&world.introspect("rs1", &tokens.access).await);
    assert_unavailable(&world.token("m2m", "grant_type=client_credentials").await);
    let page = browser.authorize(&world, Query::of("late")).await;
    assert_eq!(
        (page.status, page.header("location")),
        (503, None),
        "no redirect while the client is not known"
    );
    // What is wrong in itself is said also now.
    assert_json(&world.token("web", "grant_type=nonsense").await, 400, "unsupported_grant_type");
    assert_json(
        &world.token("web", &format!("{}&code=x", World::redemption("y"))).await,
        400,
        "invalid_request",
    );
    assert_json(&world.redeem("web", &encode("no handle")).await, 400, "invalid_grant");
    store.script(|_| None);
    Tokens::of(&world.redeem("late", &code).await);
    world.assert_untouched("late", &tokens).await;
}
