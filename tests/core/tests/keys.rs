//! Key rings and issuers: rotation, loss, and several issuers on one store.

use std::sync::Arc;

use core_tests::{ISSUER, World, code_of};
use oauth_core::authorize::{AuthorizeError, ShowKind};
use oauth_core::error::ErrorCode;
use oauth_core::handle::KeyRing;
use oauth_core::server::Server;

use oauth_core::storage::testing::block_on;

fn with_ring(world: &World, seed: u64, ring: KeyRing) -> World {
    world.beside(World::server(ISSUER, seed, world.ledger.clone(), &world.clock, |own| own.key_ring(ring)))
}

fn shown<T: std::fmt::Debug>(answer: Result<T, AuthorizeError>) -> ShowKind {
    match answer {
        Err(AuthorizeError::Show(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rl_15_everything_goes_on_after_a_rotation() {
    let old = World::new();
    let new = with_ring(&old, 1, KeyRing::new([2; 32]).with_previous([1; 32]));
    block_on(async {
        let login = old.login("alice");
        let ticket = old.ticket(&World::url("web", &[]), &login).await.unwrap();
        let new_browser = new.beside(new.server.clone());
        let new_world = old.beside(new_browser.server.clone());
        let code = code_of(&new_world.accept(&ticket, &login).await.unwrap());
        let tokens = new_world.redeem("web", &code).await.unwrap();
        let before = old.tokens("web", "bob").await;
        assert!(new.works(&before.access_token).await);
        let refresh = before.refresh_token.unwrap();
        let next = new.refresh("web", &refresh, &[]).await.unwrap();
        // The retry repeats the answer to the letter, with the new key; then the old one is dropped and it still does.
        let again = new.refresh("web", &refresh, &[]).await.unwrap();
        assert_eq!((&again.access_token, &again.refresh_token), (&next.access_token, &next.refresh_token));
        let dropped = with_ring(&old, 2, KeyRing::new([2; 32]));
        let again = dropped.refresh("web", &refresh, &[]).await.unwrap();
        assert_eq!(again.access_token, next.access_token);
        assert!(dropped.works(&tokens.access_token).await && dropped.works(&before.access_token).await);
    });
}

#[test]
fn a_replica_that_does_not_have_the_new_key_yet_still_verifies() {
    let old = World::new();
    let new = with_ring(&old, 1, KeyRing::new([2; 32]).with_previous([1; 32]));
    block_on(async {
        let tokens = new.tokens("web", "alice").await;
        assert!(old.works(&tokens.access_token).await, "the digest authenticates");
        assert!(old.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.is_ok());
    });
}

#[test]
fn a_lost_key_costs_no_session_and_ends_none() {
    let world = World::new();
    let lost = with_ring(&world, 1, KeyRing::new([9; 32]));
    block_on(async {
        let code = world.approve("web", "carol").await.unwrap();
        let tokens = world.tokens("web", "alice").await;
        let first = tokens.refresh_token.unwrap();
        let second = world.refresh("web", &first, &[]).await.unwrap();
        let third = world.refresh("web", second.refresh_token.as_ref().unwrap(), &[]).await.unwrap();
        let versions = world.ledger.versions();
        // Too old to be known by its digest: it cannot be told from a forgery, so it is refused and revokes nothing.
        assert_eq!(lost.refresh("web", &first, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        lost.revoke("web", &first).await.unwrap();
        // A lost answer cannot be repeated without its key.
        let previous = second.refresh_token.unwrap();
        assert_eq!(lost.refresh("web", &previous, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        assert_eq!(world.ledger.versions(), versions);
        assert!(lost.works(&third.access_token).await);
        assert!(lost.introspect("web", &third.access_token).await.unwrap().is_active());
        assert!(lost.refresh("web", &third.refresh_token.unwrap(), &[]).await.is_ok());
        let carol = lost.redeem("web", &code).await.unwrap();
        assert!(lost.redeem("web", &code).await.is_err(), "a replay is still known");
        assert!(!lost.works(&carol.access_token).await);
    });
}

#[test]
fn without_the_key_an_open_page_has_expired_and_an_altered_handle_matches_nothing() {
    let world = World::new();
    block_on(async {
        let login = world.login("alice");
        let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
        let tokens = world.tokens("web2", "alice").await;
        let lost = with_ring(&world, 1, KeyRing::new([9; 32]));
        assert_eq!(shown(lost.accept(&ticket, &login).await), ShowKind::Expired);
        let versions = world.ledger.versions();
        let (access, refresh) = (tokens.access_token, tokens.refresh_token.unwrap());
        let other_kind = [refresh.replacen("ort", "oat", 1), refresh.replacen("ort", "oac", 1)];
        assert!(!lost.works(&other_kind[0]).await);
        assert!(lost.redeem("web2", &other_kind[1]).await.is_err());
        assert!(lost.refresh("web2", &access.replacen("oat", "ort", 1), &[]).await.is_err());
        for at in [5, 20, 40] {
            let mut altered = refresh.clone();
            let other = if &altered[at..=at] == "A" { "B" } else { "A" };
            altered.replace_range(at..=at, other);
            assert!(lost.refresh("web2", &altered, &[]).await.is_err(), "at {at}");
        }
        assert_eq!(world.ledger.versions(), versions);
    });
}

/// Two issuers in one process, on one store, even with one key.
#[test]
fn ac_17_no_handle_works_at_another_issuer() {
    let here = World::new();
    let store = here.ledger.clone();
    let server: Arc<Server> = World::server("https://as.example/t2", 1, store, &here.clock, |own| own);
    let there = here.beside(server);
    block_on(async {
        let code = here.approve("web", "alice").await.unwrap();
        let tokens = here.tokens("web", "bob").await;
        let versions = here.ledger.versions();
        assert_eq!(there.redeem("web", &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        let refresh = tokens.refresh_token.unwrap();
        assert_eq!(there.refresh("web", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        assert!(!there.works(&tokens.access_token).await);
        assert!(!there.introspect("web", &tokens.access_token).await.unwrap().is_active());
        there.revoke("web", &refresh).await.unwrap();
        let lost = World::server("https://as.example/t2", 2, here.ledger.clone(), &here.clock, |own| {
            own.key_ring(KeyRing::new([9; 32]))
        });
        let lost = here.beside(lost);
        assert!(lost.redeem("web", &code).await.is_err(), "the record says whose it is, not the tag alone");
        assert!(!lost.works(&tokens.access_token).await);
        lost.revoke("web", &refresh).await.unwrap();
        assert_eq!(here.ledger.versions(), versions);
        there.server.grants().revoke_all(oauth_core::storage::Index::Subject("carol")).await.unwrap();
        assert!(here.works(&tokens.access_token).await);
        assert!(here.redeem("web", &code).await.is_ok());
        let ticket = here.ticket(&World::url("web2", &[]), &here.login("dave")).await.unwrap();
        assert_eq!(shown(there.accept(&ticket, &there.login("dave")).await), ShowKind::OtherBrowser);
    });
}

#[test]
fn a_set_is_revoked_at_one_issuer_and_not_at_the_other() {
    let here = World::new();
    let store = here.ledger.clone();
    let there = World::server("https://as.example/t2", 1, store, &here.clock, |own| own);
    block_on(async {
        let here_tokens = here.tokens("web", "alice").await;
        let there = here.beside(there);
        let there_tokens = there.tokens("web", "alice").await;
        let grants = there.server.grants();
        let alice = oauth_core::storage::Index::Subject("alice");
        assert_eq!(grants.list(alice).await.unwrap().len(), 1);
        assert_eq!(grants.revoke_all(alice).await.unwrap(), 1);
        assert!(here.works(&here_tokens.access_token).await);
        assert!(!there.works(&there_tokens.access_token).await);
    });
}
