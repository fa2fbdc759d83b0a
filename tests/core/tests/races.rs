//! Many at once on several threads: exactly one wins, and the rest agree on what has happened.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use core_tests::{API1, API2, ISSUER, World, code_of, secret};
use oauth_core::authorize::{AuthorizeError, ShowKind};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::storage::Index;
use oauth_core::storage::testing::CountingStore;
use oauth_core::token::TokenResponse;
use tokio::sync::Barrier;

/// Runs `count` futures that begin together.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: usize,
    run: impl Fn(usize) -> F,
) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let (barrier, future) = (barrier.clone(), run(index));
            tokio::spawn(async move {
                barrier.wait().await;
                future.await
            })
        })
        .collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.expect("no panic"));
    }
    outputs
}

fn split(answers: Vec<Result<TokenResponse, Error>>) -> (Vec<TokenResponse>, Vec<ErrorCode>) {
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(response) => won.push(response),
            Err(error) => lost.push(error.code()),
        }
    }
    (won, lost)
}

async fn redeem_64_times(world: &Arc<World>) -> TokenResponse {
    let code = world.approve("web", "alice").await.unwrap();
    let answers = at_once(64, |_| {
        let (world, code) = (world.clone(), code.clone());
        async move { world.redeem("web", &code).await }
    });
    let (mut won, lost) = split(answers.await);
    assert_eq!(won.len(), 1);
    assert_eq!(lost, vec![ErrorCode::InvalidGrant; 63]);
    won.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ac_08_one_of_64_redemptions_wins_and_the_replays_end_the_grant() {
    let world = Arc::new(World::new());
    let tokens = redeem_64_times(&world).await;
    assert!(!world.works(&tokens.access_token).await);
    let error = world.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidGrant);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ac_27_with_tolerance_the_winner_of_64_redemptions_is_kept() {
    let world = Arc::new(World::with(|builder| builder.code_replay_tolerance(Duration::from_secs(5))));
    let tokens = redeem_64_times(&world).await;
    assert!(world.works(&tokens.access_token).await);
    assert!(world.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ac_09_two_replicas_redeem_one_code_once() {
    let world = World::new();
    let other = World::server(ISSUER, 1, world.ledger.clone(), &world.clock, |own| own);
    let replicas = [Arc::new(world.beside(other)), Arc::new(world)];
    let code = replicas[0].approve("web", "alice").await.unwrap();
    let answers = at_once(32, |index| {
        let (world, code) = (replicas[index % 2].clone(), code.clone());
        async move { world.redeem("web", &code).await }
    });
    let (won, lost) = split(answers.await);
    assert_eq!((won.len(), lost.len()), (1, 31));
    assert!(!replicas[1].works(&won[0].access_token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rt_08_64_refreshes_inside_the_window_get_the_same_answer_from_one_write() {
    let counting = CountingStore::new(core_tests::Ledger::new());
    let store = counting.clone();
    let world = World::new();
    let world = Arc::new(world.beside(World::server(ISSUER, 1, store, &world.clock, |own| own)));
    let old = world.tokens("web", "alice").await.refresh_token.unwrap();
    let (before, stale) = (counting.take(), counting.stale());
    let answers = at_once(64, |_| {
        let (world, old) = (world.clone(), old.clone());
        async move { world.refresh("web", &old, &[]).await }
    });
    let (won, lost) = split(answers.await);
    assert!(lost.is_empty(), "{lost:?}");
    let distinct: HashSet<_> = won.iter().map(|own| (&own.access_token, &own.refresh_token)).collect();
    assert_eq!((won.len(), distinct.len()), (64, 1));
    let swaps = counting.take().swaps(oauth_core::storage::Namespace::Grant);
    assert_eq!(swaps - (counting.stale() - stale), 1, "after {before:?}");
    assert!(world.works(&won[0].access_token).await);
    assert!(world.refresh("web", won[0].refresh_token.as_ref().unwrap(), &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rt_07_without_a_window_one_of_50_refreshes_wins_and_the_grant_ends() {
    let world = Arc::new(World::with(|builder| builder.retry_window(Duration::ZERO)));
    let old = world.tokens("web", "alice").await.refresh_token.unwrap();
    let answers = at_once(50, |_| {
        let (world, old) = (world.clone(), old.clone());
        async move { world.refresh("web", &old, &[]).await }
    });
    let (won, lost) = split(answers.await);
    assert_eq!((won.len(), lost), (1, vec![ErrorCode::InvalidGrant; 49]));
    assert!(!world.works(&won[0].access_token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_refreshes_for_sixteen_resources_share_one_successor() {
    let apis: Vec<String> = (0..16).map(|number| format!("https://api{number}.example.com")).collect();
    let client = Client::confidential("many", &ClientSecret::from_text(secret("many")))
        .redirect_uri(core_tests::APP)
        .scope("read");
    let client = apis.iter().fold(client, |client, api| client.resource(api.as_str()));
    let world = Arc::new(World::with(|builder| builder.client(client)));
    let old = world.tokens("many", "alice").await.refresh_token.unwrap();
    let answers = at_once(16, |index| {
        let (world, old, api) = (world.clone(), old.clone(), apis[index].clone());
        async move { world.refresh("many", &old, &[("resource", &api)]).await }
    });
    let (won, lost) = split(answers.await);
    assert!(lost.is_empty(), "{lost:?}");
    let successors: HashSet<_> = won.iter().map(|own| &own.refresh_token).collect();
    assert_eq!(successors.len(), 1);
    for (response, api) in won.iter().zip(&apis) {
        let token = world.server.verify(&response.access_token).await.unwrap();
        assert_eq!(token.resources.iter().map(|own| own.as_str()).collect::<Vec<_>>(), [api.as_str()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rv_09_after_a_revocation_raced_a_refresh_nothing_lives() {
    for _ in 0..100 {
        let world = Arc::new(World::new());
        let first = world.tokens("web", "alice").await;
        let old = first.refresh_token.unwrap();
        let answers = at_once(4, |index| {
            let (world, old) = (world.clone(), old.clone());
            async move {
                if index == 0 {
                    world.revoke("web", &old).await.unwrap();
                    return None;
                }
                let resource = [API1, API2][index % 2];
                Some(world.refresh("web", &old, &[("resource", resource)]).await)
            }
        });
        let (won, lost) = split(answers.await.into_iter().flatten().collect());
        assert!(lost.iter().all(|code| *code == ErrorCode::InvalidGrant), "{lost:?}");
        assert!(!world.works(&first.access_token).await);
        for response in won {
            assert!(!world.works(&response.access_token).await);
            assert!(world.refresh("web", &response.refresh_token.unwrap(), &[]).await.is_err());
        }
        assert!(world.refresh("web", &old, &[]).await.is_err());
    }
}

/// Whoever had a code before the revocation returned holds nothing afterwards; whoever got none was told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revoking_all_of_a_subject_wins_over_approvals_in_flight() {
    for round in 0..50 {
        let world = Arc::new(World::new());
        let login = world.login("alice");
        let mut tickets = Vec::new();
        for _ in 0..8 {
            tickets.push(world.ticket(&World::url("web", &[]), &login).await.unwrap());
        }
        let tickets = Arc::new(tickets);
        let answers = at_once(9, |index| {
            let (world, tickets) = (world.clone(), tickets.clone());
            async move {
                let Some(ticket) = tickets.get(index) else {
                    for _ in 0..round % 10 {
                        tokio::task::yield_now().await;
                    }
                    world.server.grants().revoke_all(Index::Subject("alice")).await.unwrap();
                    return None;
                };
                world.accept(ticket, &world.login("alice")).await.ok().map(|answer| code_of(&answer))
            }
        });
        let codes: Vec<String> = answers.await.into_iter().flatten().collect();
        for code in codes {
            let error = world.redeem("web", &code).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidGrant);
        }
        for ticket in tickets.iter() {
            assert!(world.accept(ticket, &login).await.is_err());
        }
        let live = |record: &Arc<oauth_core::storage::Record>| {
            record.grant().is_some_and(|grant| grant.state.name() != "revoked")
        };
        assert!(!world.ledger.grants().iter().any(live));
        world.advance(1);
        assert!(world.approve("web", "alice").await.is_ok(), "later approvals count");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ac_24_a_concurrent_double_click_is_one_grant_and_one_code() {
    for _ in 0..20 {
        let world = Arc::new(World::new());
        let ticket = world.ticket(&World::url("web", &[]), &world.login("alice")).await.unwrap();
        let answers = at_once(16, |_| {
            let (world, ticket) = (world.clone(), ticket.clone());
            async move { world.accept(&ticket, &world.login("alice")).await }
        });
        let codes: HashSet<String> = answers.await.into_iter().map(|own| code_of(&own.unwrap())).collect();
        assert_eq!((codes.len(), world.ledger.grants().len()), (1, 1));
        world.redeem("web", codes.iter().next().unwrap()).await.unwrap();
        match world.accept(&ticket, &world.login("alice")).await {
            Err(AuthorizeError::Show(error)) => assert_eq!(error.kind(), ShowKind::AlreadyAnswered),
            other => panic!("{other:?}"),
        }
    }
}
