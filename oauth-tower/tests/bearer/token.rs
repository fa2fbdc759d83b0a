//! Which tokens are good.

use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::error::Error;
use oauth_core::grant::{Confirmation, State};
use oauth_core::handle::{GrantId, Kind};
use oauth_core::secret::Secret32;
use oauth_core::server::{AccessToken, VerifyError};
use oauth_core::storage::Index;
use oauth_core::storage::testing::Fault;
use oauth_tower::bearer::{BearerLayer, Verification, Verifier};

use crate::world::{API, ISSUER, World, ask, bearer};

#[tokio::test]
async fn a_good_token_costs_one_load() {
    let world = World::new();
    let token = world.token("read").await;
    world.loads();
    let answer = ask(&world.layer(), bearer(&token)).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "m2m read"));
    assert_eq!(world.counts().total(), 1);
}

#[tokio::test]
async fn bt_14_a_dpop_bound_token_as_bearer() {
    let world = World::new();
    let token = world.token("read").await;
    world.bind(Confirmation::Jkt("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into())).await;
    ask(&world.layer(), bearer(&token)).await.refused(401, "invalid_token");
    ask(&world.layer().optional(), bearer(&token)).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn bt_15_a_certificate_bound_token_as_bearer() {
    let world = World::new();
    let token = world.token("read").await;
    world.bind(Confirmation::X5tS256("A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0".into())).await;
    ask(&world.layer(), bearer(&token)).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn bt_18_other_credentials_as_access_token() {
    let world = World::new();
    world.token("read").await;
    let listing = world.server.grants().list(Index::Client("m2m")).await.unwrap();
    let handles = world.server.handles();
    let mint =
        |kind, id| handles.write(&handles.mint(kind, id, 0, Secret32::generate(world.server.random())));
    world.loads();
    for kind in [Kind::Refresh, Kind::Code] {
        ask(&world.layer(), bearer(&mint(kind, listing[0].id))).await.refused(401, "invalid_token");
    }
    let id_token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.";
    ask(&world.layer(), bearer(id_token)).await.refused(401, "invalid_token");
    assert_eq!(world.loads(), 0, "none of them reaches the store");
    // Genuine by its tag, and of a secret or a grant that is not stored.
    for id in [listing[0].id, GrantId::new_random(world.server.random())] {
        ask(&world.layer(), bearer(&mint(Kind::Access, id))).await.refused(401, "invalid_token");
    }
    assert_eq!(world.loads(), 2);
}

#[tokio::test]
async fn bt_19_the_wrong_audience() {
    let world = World::new();
    let layer = world.layer().resource(API);
    for other in ["https://api2.example", "https://api1.example.evil"] {
        let token = world.token_for(other).await;
        ask(&layer, bearer(&token)).await.refused(401, "invalid_token");
        assert_eq!(ask(&world.layer(), bearer(&token)).await.status, 200, "no resource, no check");
        assert_eq!(ask(&world.layer().resource(API).resource(other), bearer(&token)).await.status, 200);
    }
    let right = world.token_for(API).await;
    assert_eq!(ask(&layer, bearer(&right)).await.status, 200);
    for prefix in ["https://api1", "https://api1.example/v1", "http://api1.example", "api1.example", ""] {
        ask(&world.layer().resource(prefix), bearer(&right)).await.refused(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_token_without_an_audience_where_one_is_asked_for() {
    let world = World::new();
    let token = world.token("read").await;
    world
        .alter(|grant| {
            let State::Active(active) = &mut grant.state else { panic!() };
            active.access[0].resources = Default::default();
        })
        .await;
    assert_eq!(ask(&world.layer(), bearer(&token)).await.status, 200);
    ask(&world.layer().resource(API), bearer(&token)).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn rt_25_altered_tokens() {
    let world = World::new();
    let token = world.token("read").await;
    world.loads();
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        ask(&world.layer(), bearer(&altered)).await.refused(401, "invalid_token");
    }
    // Only an altered key id looks as if its key had been lost: four bytes, six characters.
    assert!(world.loads() <= 6);
    for altered in
        [&token[..token.len() - 1], &format!("{token}A"), &format!("{token}="), &token.to_uppercase()]
    {
        ask(&world.layer(), bearer(altered)).await.refused(401, "invalid_token");
    }
    assert_eq!(ask(&world.layer(), bearer(&token)).await.status, 200);
}

#[tokio::test]
async fn expiry_to_the_second() {
    let world = World::new();
    let token = world.token("read").await;
    let alive = world.server.verify(&token).await.unwrap();
    world.clock.set(Timestamp::from_secs(alive.expires_at.as_secs() - 1));
    assert_eq!(ask(&world.layer(), bearer(&token)).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    ask(&world.layer(), bearer(&token)).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_revoked_grant_and_all_refusals_look_alike() {
    let world = World::new();
    let token = world.token("read").await;
    let id = world.server.grants().list(Index::Client("m2m")).await.unwrap()[0].id;
    world.server.grants().revoke(id).await.unwrap();
    let revoked = ask(&world.layer(), bearer(&token)).await;
    revoked.refused(401, "invalid_token");
    let junk = ask(&world.layer(), bearer("junk")).await;
    assert_eq!((&revoked.body, &revoked.headers), (&junk.body, &junk.headers));
}

#[tokio::test]
async fn a_failing_store_is_503_and_the_token_still_works() {
    let world = World::new();
    let token = world.token("read").await;
    world.store.script(|_| Some(Fault::Refuse));
    let answer = ask(&world.layer(), bearer(&token)).await;
    answer.refused(503, "temporarily_unavailable");
    assert_eq!(answer.headers["retry-after"], "2");
    ask(&world.layer(), bearer("junk")).await.refused(401, "invalid_token");
    world.store.script(|_| None);
    assert_eq!(ask(&world.layer(), bearer(&token)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_503() {
    let world = World::new();
    let token = world.token("read").await;
    world.store.script(|_| Some(Fault::Hang));
    let (standard, patient) = (world.layer(), world.layer().deadline(Duration::from_secs(7)));
    for (layer, seconds) in [(standard, 2), (patient, 7)] {
        let began = tokio::time::Instant::now();
        ask(&layer, bearer(&token)).await.refused(503, "temporarily_unavailable");
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}

/// Never knows.
#[derive(Clone)]
struct Silent;

impl Verifier for Silent {
    type Future = std::future::Pending<Result<Arc<AccessToken>, VerifyError>>;

    fn verify_token(&self, _token: &str) -> Verification<Self::Future> {
        Verification::Later(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_verifier_of_ones_own_that_never_answers_is_503() {
    let answer = ask(&BearerLayer::new(Silent), bearer("x")).await;
    answer.refused(503, "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
}

/// Knows the answers, without a future.
#[derive(Clone)]
struct AtHand;

impl Verifier for AtHand {
    type Future = std::future::Pending<Result<Arc<AccessToken>, VerifyError>>;

    fn verify_token(&self, token: &str) -> Verification<Self::Future> {
        let at = Timestamp::from_secs;
        let mut verified = AccessToken::new(ISSUER, "elsewhere", at(1), at(2));
        match token {
            "good" => {}
            "bound" => verified.confirmation = Some(Arc::new(Confirmation::Jkt("x".into()))),
            _ => return Verification::Now(Err(VerifyError::Unavailable(Error::unavailable("no network")))),
        }
        Verification::Now(Ok(Arc::new(verified)))
    }
}

#[tokio::test]
async fn a_verifier_of_ones_own_with_the_answer_at_hand() {
    let layer = BearerLayer::new(AtHand);
    assert_eq!(ask(&layer, bearer("good")).await.body, "elsewhere ");
    ask(&layer, bearer("bound")).await.refused(401, "invalid_token");
    ask(&layer, bearer("other")).await.refused(503, "temporarily_unavailable");
    ask(&layer.clone().require_scope("read"), bearer("good")).await.refused(403, "insufficient_scope");
    ask(&layer.resource(API), bearer("good")).await.refused(401, "invalid_token");
}
