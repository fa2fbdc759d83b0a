//! A grant type of the host's own, in about twenty lines, whose proof counts once.

use std::sync::Arc;
use std::time::Duration;

use core_tests::{Assertion, ISSUER, World, form};
use oauth_core::client::{Client, ClientBuilder};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::server::BuildError;
use oauth_core::storage::Store;
use oauth_core::storage::testing::block_on;
use oauth_core::token::TokenResponse;

const NAME: &str = "urn:example:assertion";

fn device(id: &str) -> ClientBuilder {
    Client::public(id).grant_types([NAME, "refresh_token"]).scope("read").resource(core_tests::API1)
}

fn world() -> World {
    World::with(|builder| builder.grant_type(Assertion).client(device("device")))
}

async fn exchange(world: &World, pairs: &[(&str, &str)]) -> Result<TokenResponse, Error> {
    let base = [("client_id", "device"), ("grant_type", NAME)];
    world.server.token(&http::HeaderMap::new(), form(&[&base, pairs].concat()).as_bytes()).await
}

#[test]
fn a_proof_counts_once() {
    let world = world();
    block_on(async {
        let tokens = exchange(&world, &[("assertion", "jti1.alice")]).await.unwrap();
        let token = world.server.verify(&tokens.access_token).await.unwrap();
        assert_eq!((token.subject.as_deref(), token.scope.as_str()), (Some("alice"), "read"));
        assert!(tokens.refresh_token.is_some());
        let again = exchange(&world, &[("assertion", "jti1.alice")]).await.unwrap_err();
        assert_eq!(again.code(), ErrorCode::InvalidGrant);
        assert!(world.works(&tokens.access_token).await, "a replay of a proof revokes nothing");
        assert!(exchange(&world, &[("assertion", "jti2.alice")]).await.is_ok());
    });
}

#[test]
fn a_failed_request_leaves_the_proof_usable() {
    let world = world();
    block_on(async {
        for (wrong, code) in [
            (("scope", "admin"), ErrorCode::InvalidScope),
            (("resource", "https://other.example"), ErrorCode::InvalidTarget),
            (("client_secret", "not-of-a-public-client"), ErrorCode::InvalidClient),
        ] {
            let error = exchange(&world, &[("assertion", "jti1.alice"), wrong]).await.unwrap_err();
            assert_eq!(error.code(), code);
        }
        assert!(world.ledger.written().is_empty(), "invariant 6");
        assert!(exchange(&world, &[("assertion", "jti1.alice")]).await.is_ok());
    });
}

#[test]
fn used_stays_used_across_restarts_keys_and_purges() {
    let world = world();
    block_on(async {
        exchange(&world, &[("assertion", "jti1.alice")]).await.unwrap();
        let ring = oauth_core::handle::KeyRing::new([9; 32]);
        let restarted = World::server(ISSUER, 1, world.ledger.clone(), &world.clock, |builder| {
            builder.grant_type(Assertion).client(device("device")).key_ring(ring)
        });
        let restarted = world.beside(restarted);
        world.advance(599);
        // A replica whose clock is ahead purges.
        let ahead = world.server.now() + Duration::from_secs(30);
        world.ledger.purge(ahead, 100).await.unwrap();
        let error = exchange(&restarted, &[("assertion", "jti1.alice")]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
    });
}

#[test]
fn only_clients_that_may_and_only_known_names() {
    let world = world();
    block_on(async {
        let pairs = [("grant_type", NAME), ("assertion", "jti1.alice")];
        let error = world.token("web", &pairs).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnauthorizedClient);
        let error = world.token("web", &[("grant_type", "urn:example:other")]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnsupportedGrantType);
        let error = exchange(&world, &[]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        let nobody = format!("jti1.{}", "a".repeat(256));
        let error = exchange(&world, &[("assertion", &nobody)]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
        assert!(world.ledger.written().is_empty());
    });
    let store = core_tests::Ledger::new();
    let unknown = oauth_core::server::Server::builder(ISSUER, store).client(device("device")).build();
    assert!(matches!(unknown, Err(BuildError::UnknownGrantType { .. })));
}

#[test]
fn logging_out_everywhere_catches_what_a_proof_began() {
    let world = world();
    block_on(async {
        let tokens = exchange(&world, &[("assertion", "jti1.alice")]).await.unwrap();
        world.server.grants().revoke_all(oauth_core::storage::Index::Subject("alice")).await.unwrap();
        assert!(!world.works(&tokens.access_token).await);
        let error = exchange(&world, &[("assertion", "jti2.alice")]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
        world.clock.advance(Duration::from_millis(1));
        assert!(exchange(&world, &[("assertion", "jti3.alice")]).await.is_ok());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_sixteen_uses_at_once_wins() {
    for _ in 0..20 {
        let world = Arc::new(world());
        let barrier = Arc::new(tokio::sync::Barrier::new(16));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (world, barrier) = (world.clone(), barrier.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    exchange(&world, &[("assertion", "jti1.alice")]).await
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error.code(), ErrorCode::InvalidGrant),
            }
        }
        assert_eq!((won, world.ledger.grants().len()), (1, 1));
    }
}
