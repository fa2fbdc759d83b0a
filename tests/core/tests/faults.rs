//! A store that fails at each call of each flow, in each way.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use core_tests::{Flow, ISSUER, Ledger, Stage, World};
use oauth_core::authorize::{AuthorizeError, ShowKind};
use oauth_core::clock::Timestamp;
use oauth_core::error::ErrorCode;
use oauth_core::server::{SubjectStatus, VerifyError};
use oauth_core::storage::testing::{Call, Fault, Op, block_on};
use oauth_core::storage::{
    Body, Index, Key, Listing, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The calls that a flow makes in a calm store, what it answers, and what is stored before and after.
struct Calm {
    calls: Vec<Call>,
    answer: Result<(), ErrorCode>,
    before: Vec<String>,
    after: Vec<String>,
}

fn calm(flow: Flow) -> Calm {
    let stage = Stage::new(flow);
    let before = stage.shape();
    let answer = block_on(stage.run()).map(drop);
    Calm { calls: stage.store.calls(), answer, before, after: stage.shape() }
}

/// Runs a flow under a script and checks what holds after every fault.
fn disturbed(flow: Flow, case: &str, script: impl Fn(Call) -> Option<Fault> + Send + 'static) {
    let calm = calm(flow);
    let stage = Stage::new(flow);
    stage.store.script(script);
    let answer = block_on(stage.run());
    stage.store.script(|_| None);
    match &answer {
        Ok(gained) => block_on(stage.check_gain(gained, case)),
        Err(ErrorCode::TemporarilyUnavailable) => {}
        Err(code) => assert_eq!(Err(*code), calm.answer, "a storage failure is no refusal: {case}"),
    }
    let shape = stage.shape();
    let proof_used = flow == Flow::Custom && shape == ["used"];
    // What was gained has been tried out, which changes the shape.
    let whole = answer.is_ok() || shape == calm.before || shape == calm.after || proof_used;
    assert!(whole, "invariant 8: {case}: {shape:?}");
    if answer.is_err() {
        block_on(stage.settle(case));
    }
}

fn every_call(fault: Fault, reads: bool, writes: bool) {
    for flow in Flow::ALL {
        for call in calm(flow).calls {
            if (call.op == Op::Swap && writes) || (call.op != Op::Swap && reads) {
                let case = format!("{flow:?}, {fault:?} at {call:?}");
                disturbed(flow, &case, move |own| (own.index == call.index).then_some(fault));
            }
        }
    }
}

/// Two faults in one request, drawn at random: of any kind, at any two of its calls.
#[test]
fn rl_02_two_faults_at_once() {
    let seed: u64 = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    for flow in Flow::ALL {
        for _ in 0..60 {
            // Beyond the calm calls come those that the first fault leads to.
            let last = calm(flow).calls.len() as u64 + 3;
            let faults: [(u64, Fault); 2] = std::array::from_fn(|_| {
                let kinds = [
                    Fault::Refuse,
                    Fault::LoseAnswer,
                    Fault::Redeliver,
                    Fault::Delay(3),
                    Fault::DelayAnswer(3),
                ];
                (random.random_range(0..=last), kinds[random.random_range(0..kinds.len())])
            });
            let case = format!("seed {seed}: {flow:?}, {faults:?}");
            disturbed(flow, &case, move |own| {
                faults.iter().find(|(index, _)| own.index == *index).map(|(_, fault)| *fault)
            });
        }
    }
}

#[test]
fn rl_01_a_read_fails() {
    every_call(Fault::Refuse, true, false);
}

#[test]
fn rl_02_a_write_fails() {
    every_call(Fault::Refuse, false, true);
}

#[test]
fn rl_02_everything_fails_from_a_call_on() {
    for flow in Flow::ALL {
        for from in 0..calm(flow).calls.len() as u64 {
            let case = format!("{flow:?}, all fail from call {from}");
            disturbed(flow, &case, move |call| (call.index >= from).then_some(Fault::Refuse));
        }
    }
}

/// The write arrives, its acknowledgement does not; the server finds its own version.
#[test]
fn rl_04_an_acknowledgement_is_lost() {
    every_call(Fault::LoseAnswer, true, true);
}

/// The write arrives, and the store is gone afterwards: 503 with the state after. For a code the retry is a valid replay,
/// which ends the orphan; for a refresh token it is a retry (RL-05); in `Stage::settle`.
#[test]
fn rl_04_rl_05_an_acknowledgement_is_lost_and_then_the_store() {
    for flow in Flow::ALL {
        let calls = calm(flow).calls;
        for call in calls.iter().filter(|call| call.op == Op::Swap) {
            let (at, case) = (call.index, format!("{flow:?}, lost at {call:?}"));
            disturbed(flow, &case, move |call| match call.index {
                index if index == at => Some(Fault::LoseAnswer),
                index if index > at => Some(Fault::Refuse),
                _ => None,
            });
        }
    }
}

#[test]
fn rl_08_a_write_is_delivered_twice() {
    for flow in Flow::ALL {
        let calm = calm(flow);
        for call in &calm.calls {
            let (index, stage) = (call.index, Stage::new(flow));
            stage.store.script(move |own| (own.index == index).then_some(Fault::Redeliver));
            assert_eq!(block_on(stage.run()).map(drop), calm.answer, "{flow:?}, {call:?}");
            assert_eq!(stage.shape(), calm.after, "{flow:?}, {call:?}");
        }
    }
}

#[test]
fn rl_09_a_slow_call_only_delays() {
    every_call(Fault::Delay(3), true, true);
    every_call(Fault::DelayAnswer(3), true, true);
}

/// A call that never answers: whoever waits gives up, and the state is whole.
#[test]
fn rl_09_a_call_hangs_and_the_request_is_given_up() {
    for flow in Flow::ALL {
        let calm = calm(flow);
        for call in &calm.calls {
            let (index, stage) = (call.index, Stage::new(flow));
            stage.store.script(move |own| (own.index == index).then_some(Fault::Hang));
            {
                let mut future = pin!(stage.run());
                let mut context = Context::from_waker(Waker::noop());
                for _ in 0..10 {
                    assert!(
                        matches!(future.as_mut().poll(&mut context), Poll::Pending),
                        "{flow:?}, {call:?}"
                    );
                }
            }
            let shape = stage.shape();
            let proof_used = flow == Flow::Custom && shape == ["used"];
            assert!(shape == calm.before || shape == calm.after || proof_used, "{flow:?}: {shape:?}");
            block_on(stage.settle(&format!("{flow:?}, hung at {call:?}")));
        }
    }
}

/// A stale read costs an attempt at most: the swap tells. Nothing that has ended begins again.
#[test]
fn rl_11_a_stale_read_mints_nothing_from_what_has_ended() {
    for flow in [Flow::Replay, Flow::Reuse] {
        for call in calm(flow).calls {
            let stage = Stage::new(flow);
            stage.store.script(move |own| (own.index == call.index).then_some(Fault::ReadStale));
            let answer = block_on(stage.run());
            assert_eq!(answer.map(drop), Err(ErrorCode::InvalidGrant), "{flow:?}, {call:?}");
            block_on(stage.settle(&format!("{flow:?}, stale at {call:?}")));
        }
    }
    for flow in [Flow::Retry, Flow::Refresh] {
        let stage = Stage::new(flow);
        block_on(stage.world.server.grants().revoke_all(Index::Subject("alice"))).unwrap();
        stage.store.script(|call| (call.index == 0).then_some(Fault::ReadStale));
        assert_eq!(block_on(stage.run()).map(drop), Err(ErrorCode::InvalidGrant), "{flow:?}");
    }
}

/// What writes is safe from stale reads. What finds nothing to write is not: `Store::load` must be linearizable.
#[test]
fn rl_11_a_stale_read_does_not_undo_a_write() {
    for flow in [Flow::Refresh, Flow::RevokeRefresh] {
        for call in calm(flow).calls {
            let stage = Stage::new(flow);
            stage.store.script(move |own| (own.index == call.index).then_some(Fault::ReadStale));
            let answer = block_on(stage.run());
            let case = format!("{flow:?}, stale at {call:?}");
            match &answer {
                Ok(gained) => block_on(stage.check_gain(gained, &case)),
                Err(code) => assert_eq!(*code, ErrorCode::InvalidGrant, "{case}"),
            }
            block_on(stage.settle(&case));
        }
    }
}

/// The revocation on a replay cannot be written: still no token, and the next replay ends the grant.
#[test]
fn rl_06_a_replay_is_refused_also_when_the_revocation_fails() {
    for flow in [Flow::Replay, Flow::Reuse] {
        let stage = Stage::new(flow);
        stage.store.script(|call| (call.op == Op::Swap).then_some(Fault::Refuse));
        assert_eq!(block_on(stage.run()).map(drop), Err(ErrorCode::TemporarilyUnavailable));
        block_on(stage.settle(&format!("{flow:?}")));
        assert!(!block_on(stage.world.works(&stage.access)));
    }
}

#[test]
fn rv_06_a_failed_revocation_is_never_a_success() {
    for flow in Flow::ALL.into_iter().filter(|flow| flow.ends()) {
        for call in calm(flow).calls {
            let stage = Stage::new(flow);
            stage.store.script(move |own| (own.index == call.index).then_some(Fault::Refuse));
            assert_eq!(
                block_on(stage.run()).map(drop),
                Err(ErrorCode::TemporarilyUnavailable),
                "{flow:?}, {call:?}"
            );
        }
    }
}

#[test]
fn rl_07_without_the_store_of_used_proofs_nothing_is_issued() {
    let stage = Stage::new(Flow::Custom);
    stage.store.script(|call| {
        (call.namespace == Some(oauth_core::storage::Namespace::Marker)).then_some(Fault::Refuse)
    });
    assert_eq!(block_on(stage.run()).map(drop), Err(ErrorCode::TemporarilyUnavailable));
    assert!(stage.shape().is_empty());
    block_on(stage.settle("the proof is still good"));
}

#[derive(Debug)]
struct Broken;

#[async_trait]
impl SubjectStatus for Broken {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        Err(StoreError::unavailable("the user directory is down"))
    }
}

#[test]
fn rl_21_a_failing_hook_consumes_nothing() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let broken =
            World::server(ISSUER, 1, world.ledger.clone(), &world.clock, |own| own.subject_status(Broken));
        let broken = world.beside(broken);
        let versions = world.ledger.versions();
        let error = broken.redeem("web", &code).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
        assert!(error.retry_after().is_some());
        assert_eq!(world.ledger.versions(), versions);
        let tokens = world.redeem("web", &code).await.unwrap();
        let versions = world.ledger.versions();
        let refresh = tokens.refresh_token.unwrap();
        let error = broken.refresh("web", &refresh, &[]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
        let error = broken.introspect("web", &tokens.access_token).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
        assert_eq!(world.ledger.versions(), versions);
        assert!(world.refresh("web", &refresh, &[]).await.is_ok());
    });
}

/// What a store that lies answers, instead of what it holds under the key.
type Lie = Arc<dyn Fn(&Key, Option<Arc<Record>>) -> Option<Arc<Record>> + Send + Sync>;

#[derive(Clone)]
struct Liar {
    inner: Ledger,
    lie: Lie,
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Liar")
    }
}

#[async_trait]
impl Store for Liar {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let record = self.inner.load(key).await?;
        Ok((self.lie)(key, record))
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.inner.swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        self.inner.list(index, page).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.inner.purge(now, limit).await
    }
}

fn lying(
    world: &World,
    lie: impl Fn(&Key, Option<Arc<Record>>) -> Option<Arc<Record>> + Send + Sync + 'static,
) -> World {
    let liar = Liar { inner: world.ledger.clone(), lie: Arc::new(lie) };
    world.beside(World::server(ISSUER, 1, liar, &world.clock, |own| own))
}

fn grant_of(world: &World, subject: &str) -> Arc<Record> {
    let of = |record: &Arc<Record>| record.subject() == Some(subject);
    world.ledger.grants().into_iter().find(of).expect("a grant")
}

/// Another grant's record under its own key, then under the asked key: neither helps anybody, nor is it the token's fault.
#[test]
fn rl_20_a_store_that_answers_with_another_record() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "carol").await.unwrap();
        let alice = world.tokens("web", "alice").await;
        world.tokens("web2", "bob").await;
        let (other, versions) = (grant_of(&world, "bob"), world.ledger.versions());
        let refresh = alice.refresh_token.clone().unwrap();

        let same = other.clone();
        let liar = lying(&world, move |_, record| record.map(|_| same.clone()));
        assert!(matches!(liar.server.verify(&alice.access_token).await, Err(VerifyError::Unavailable(_))));
        for error in [
            liar.redeem("web", &code).await.unwrap_err(),
            liar.refresh("web", &refresh, &[]).await.unwrap_err(),
            liar.revoke("web", &refresh).await.unwrap_err(),
            liar.introspect("web", &alice.access_token).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
        }

        let liar = lying(&world, move |key, record| {
            record.map(|_| Arc::new(Record { key: *key, ..(*other).clone() }))
        });
        for client in ["web", "web2"] {
            let error = liar.redeem(client, &code).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidGrant);
        }
        assert_eq!(liar.refresh("web", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        assert!(matches!(liar.server.verify(&alice.access_token).await, Err(VerifyError::Invalid(_))));
        assert!(!liar.introspect("web2", &alice.access_token).await.unwrap().is_active());
        assert_eq!(world.ledger.versions(), versions);
        assert!(world.redeem("web", &code).await.is_ok());
    });
}

#[test]
fn rl_20_a_store_that_answers_with_what_is_expired_or_of_another_issuer() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "carol").await.unwrap();
        let alice = world.tokens("web", "alice").await;
        let refresh = alice.refresh_token.unwrap();
        let old = world.ledger.snapshot();

        // Everything past its end comes back from a store that forgets to compare times.
        let liar = lying(&world, move |key, _| old.get(key).cloned());
        liar.advance(100 * 24 * 3600);
        for client in ["web", "web2"] {
            assert_eq!(liar.redeem(client, &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
            let error = liar.refresh(client, &refresh, &[]).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidGrant);
        }
        assert!(!liar.works(&alice.access_token).await);

        let world = World::new();
        let tokens = world.tokens("web", "alice").await;
        let liar = lying(&world, |_, record| {
            let mut record = (*record?).clone();
            if let Body::Grant(grant) = &mut record.body {
                grant.issuer = "https://other.example".into();
            }
            Some(Arc::new(record))
        });
        assert!(!liar.works(&tokens.access_token).await);
        assert!(liar.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.is_err());
    });
}

#[test]
fn rl_20_br_16_a_consent_of_another_client_or_person_skips_no_question() {
    let world = World::new();
    block_on(async {
        world.tokens("web", "alice").await;
        let consent = world.ledger.snapshot().into_values().find(|own| matches!(own.body, Body::Consent(_)));
        let consent = consent.expect("a consent");
        let liar = lying(&world, move |key, record| match key.namespace() {
            oauth_core::storage::Namespace::Consent => {
                Some(Arc::new(Record { key: *key, ..(*consent).clone() }))
            }
            _ => record,
        });
        for (client, subject) in [("web2", "alice"), ("web", "bob")] {
            let login = liar.login(subject);
            assert!(!liar.ticket(&World::url(client, &[]), &login).await.unwrap().is_empty());
        }
    });
}

#[test]
fn a_page_is_not_shown_and_nobody_is_redirected_while_the_store_is_down() {
    let stage = Stage::new(Flow::Approve);
    stage.store.script(|_| Some(Fault::Refuse));
    let world = &stage.world;
    block_on(async {
        match world.open(&World::url("web", &[]), Some(world.login("alice"))).await {
            Err(AuthorizeError::Show(error)) => {
                assert_eq!(error.kind(), ShowKind::Unavailable);
                assert!(error.retry_after().is_some());
            }
            other => panic!("{other:?}"),
        }
    });
}
