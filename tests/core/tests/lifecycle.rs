//! What ends a grant, a token or a page, and what must not begin again afterwards.

use std::time::Duration;

use core_tests::{World, code_of};
use oauth_core::authorize::{AuthorizeError, ShowKind};
use oauth_core::error::ErrorCode;
use oauth_core::server::Answer;
use oauth_core::storage::testing::{Fault, FaultStore, Op, block_on};
use oauth_core::storage::{Index, Namespace, Store};

fn shown(result: Result<Answer, AuthorizeError>) -> ShowKind {
    match result {
        Err(AuthorizeError::Show(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

/// The record of a redeemed code outlives the page that the code came from, however short its tokens live.
#[test]
fn ac_24_a_page_is_not_answered_again_after_a_purge() {
    let minute = Duration::from_secs(60);
    let world = World::with(|builder| builder.access_token_lifetime(minute).grant_lifetime(2 * minute));
    block_on(async {
        let login = world.login("alice");
        let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
        let code = code_of(&world.accept(&ticket, &login).await.unwrap());
        world.redeem("web", &code).await.unwrap();
        world.advance(10 * 60);
        world.ledger.purge(world.server.now(), 100).await.unwrap();
        assert_eq!(shown(world.accept(&ticket, &login).await), ShowKind::AlreadyAnswered);
        assert_eq!(world.redeem("web", &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        world.advance(10 * 60);
        assert_eq!(shown(world.accept(&ticket, &login).await), ShowKind::Expired);
    });
}

/// The approval fails between its insert and its fences; meanwhile everything is revoked by a host whose listing came first.
#[test]
fn a_repeated_approval_does_not_slip_past_a_fence() {
    let world = World::new();
    let faulty = FaultStore::calm(world.ledger.clone());
    let world = world.beside(World::server(core_tests::ISSUER, 1, faulty.clone(), &world.clock, |own| own));
    block_on(async {
        let login = world.login("alice");
        let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
        world.server.grants().revoke_all(Index::Subject("alice")).await.unwrap();
        faulty.script(|call| {
            (call.op == Op::Load && call.namespace == Some(Namespace::Fence)).then_some(Fault::Refuse)
        });
        assert_eq!(shown(world.accept(&ticket, &login).await), ShowKind::Unavailable);
        faulty.script(|_| None);
        match world.accept(&ticket, &login).await {
            Err(AuthorizeError::Redirect(error)) => assert_eq!(error.code(), ErrorCode::AccessDenied),
            other => panic!("{other:?}"),
        }
        assert_eq!(shown(world.accept(&ticket, &login).await), ShowKind::AlreadyAnswered);
        assert!(world.ledger.grants().iter().all(|record| record.grant().unwrap().state.name() == "revoked"));
    });
}

#[test]
fn rt_05_a_retry_does_not_give_a_revoked_access_token_again() {
    let world = World::new();
    block_on(async {
        let first = world.tokens("web", "alice").await;
        let old = first.refresh_token.unwrap();
        let second = world.refresh("web", &old, &[]).await.unwrap();
        world.revoke("web", &second.access_token).await.unwrap();
        assert!(world.works(&first.access_token).await);
        assert!(!world.works(&second.access_token).await);
        let error = world.refresh("web", &old, &[]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
        assert!(!world.works(&second.access_token).await);
    });
}

#[test]
fn an_unused_successor_that_has_expired_is_not_given_again() {
    let world = World::with(|builder| builder.refresh_token_idle(Duration::from_secs(30)));
    block_on(async {
        let old = world.tokens("web", "alice").await.refresh_token.unwrap();
        world.refresh("web", &old, &[]).await.unwrap();
        world.advance(29);
        assert!(world.refresh("web", &old, &[]).await.is_ok());
        world.advance(1);
        let error = world.refresh("web", &old, &[]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
    });
}

#[test]
fn rt_05_nor_one_that_was_issued_after_the_clock_had_stepped_back() {
    let world = World::new();
    block_on(async {
        let old = world.tokens("web", "alice").await.refresh_token.unwrap();
        world.advance(30);
        world.refresh("web", &old, &[]).await.unwrap();
        world.clock.set(world.server.now() - Duration::from_secs(10));
        let other = world.refresh("web", &old, &[("scope", "read")]).await.unwrap();
        world.revoke("web", &other.access_token).await.unwrap();
        assert!(world.refresh("web", &old, &[("scope", "read")]).await.is_err());
        assert!(!world.works(&other.access_token).await);
    });
}

#[test]
fn a_grant_is_listed_as_live_as_long_as_anything_of_it_works() {
    let (day, hour) = (24 * 3600, 3600);
    let world = World::with(|builder| {
        builder
            .access_token_lifetime(Duration::from_secs(hour))
            .refresh_token_idle(Duration::from_secs(day))
            .grant_lifetime(Duration::from_secs(9 * day))
    });
    block_on(async {
        let live = async || world.server.grants().list(Index::Subject("alice")).await.unwrap()[0].live;
        let tokens = world.tokens("web", "alice").await;
        assert!(live().await);
        world.advance(2 * hour);
        assert!(live().await, "it can be refreshed");
        let refresh = tokens.refresh_token.unwrap();
        let refresh = world.refresh("web", &refresh, &[]).await.unwrap().refresh_token.unwrap();
        world.advance(day);
        assert_eq!(world.refresh("web", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        assert!(!live().await, "nobody has used it for too long");
    });
}
