//! Clocks that stand at the edge, jump, or step back.

use std::time::Duration;

use core_tests::{ISSUER, World};
use oauth_core::client::{Client, Lifetimes};
use oauth_core::clock::Timestamp;
use oauth_core::error::ErrorCode;
use oauth_core::server::BuildError;
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Body, Record, Store};

const YEAR: u64 = 365 * 24 * 3600;

#[test]
fn cl_04_lifetimes_are_bounded_and_times_saturate() {
    for lifetime in [Duration::ZERO, Duration::MAX, Duration::from_secs(u64::MAX)] {
        let store = core_tests::Ledger::new();
        let server =
            oauth_core::server::Server::builder(ISSUER, store).access_token_lifetime(lifetime).build();
        assert!(matches!(server, Err(BuildError::Duration { .. })));
        let lifetimes = Lifetimes { grant: Some(lifetime), ..Lifetimes::default() };
        assert!(Client::public("c").redirect_uri("https://c.example/").lifetimes(lifetimes).build().is_err());
    }
    // Beyond 2038, at the end of the calendar, and at the end of time itself.
    for start in [Timestamp::from_secs(1 << 31), Timestamp::from_secs(253_402_300_799), Timestamp::MAX] {
        let world = World::with(|builder| {
            builder
                .access_token_lifetime(Duration::from_secs(9 * YEAR))
                .grant_lifetime(Duration::from_secs(9 * YEAR))
        });
        world.clock.set(start);
        block_on(async {
            let login = oauth_core::authorize::Login::new("alice", start);
            let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
            let answer = world.accept(&ticket, &login).await;
            if start < Timestamp::MAX {
                let tokens = world.redeem("web", &core_tests::code_of(&answer.unwrap())).await.unwrap();
                assert_eq!(tokens.expires_in, 9 * YEAR);
                assert!(world.works(&tokens.access_token).await);
            }
            let _ = world.token("m2m", &[("grant_type", "client_credentials")]).await.map_err(|error| {
                assert_eq!(error.code(), ErrorCode::InvalidGrant);
            });
        });
    }
}

/// A record whose times are zero or negative has expired: zero is a time, not an absence.
#[test]
fn cl_05_zero_and_negative_ends_are_expired() {
    for end in [0, -1, i64::MIN] {
        let world = World::new();
        block_on(async {
            let tokens = world.tokens("web", "alice").await;
            let code = world.approve("web", "bob").await.unwrap();
            for stored in world.ledger.grants() {
                let mut next: Record = (*stored).clone();
                let Body::Grant(grant) = &mut next.body else { panic!() };
                let end = Timestamp::from_millis(end);
                if let Some(code) = &mut grant.code {
                    code.expires_at = end;
                }
                if let oauth_core::grant::State::Active(active) = &mut grant.state {
                    active.access.iter_mut().for_each(|entry| entry.expires_at = end);
                    active.refresh.iter_mut().for_each(|refresh| refresh.expires_at = end);
                }
                next.version = oauth_core::storage::Version::from_bytes([3; 16]);
                let _ = world.ledger.swap(next.into(), Some(stored.version)).await.unwrap();
            }
            assert!(!world.works(&tokens.access_token).await);
            let refresh = tokens.refresh_token.unwrap();
            assert_eq!(
                world.refresh("web", &refresh, &[]).await.unwrap_err().code(),
                ErrorCode::InvalidGrant
            );
            assert!(!world.introspect("web", &refresh).await.unwrap().is_active());
            assert_eq!(world.redeem("web", &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        });
    }
}

#[test]
fn ac_13_rt_20_cl_06_every_end_is_exact_and_what_is_near_it_has_the_rest() {
    let world = World::with(|builder| {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        builder.access_token_lifetime(minutes(5)).refresh_token_idle(minutes(20)).grant_lifetime(minutes(30))
    });
    block_on(async {
        let (early, late) =
            (world.approve("web", "alice").await.unwrap(), world.approve("web", "bob").await.unwrap());
        world.advance(59);
        let tokens = world.redeem("web", &early).await.unwrap();
        world.advance(1);
        assert_eq!(world.redeem("web", &late).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        world.advance(298);
        assert!(world.works(&tokens.access_token).await);
        world.advance(1);
        assert!(!world.works(&tokens.access_token).await);
        // 300 of 1800 seconds are over. A refresh in the last second gives the rest, whole seconds and never less than zero.
        world.advance(1199 - 300);
        let tokens = world.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.unwrap();
        world.advance(600);
        let last = world.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.unwrap();
        assert_eq!(last.expires_in, 1);
        world.clock.advance(Duration::from_millis(999));
        assert!(world.works(&last.access_token).await);
        let refresh = last.refresh_token.unwrap();
        let rest = world.refresh("web", &refresh, &[]).await.unwrap();
        assert_eq!(rest.expires_in, 0);
        world.clock.advance(Duration::from_millis(1));
        assert!(!world.works(&rest.access_token).await, "rotation never extends the absolute end");
        let refresh = rest.refresh_token.unwrap();
        assert_eq!(world.refresh("web", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);

        let idle = world.tokens("web", "carol").await.refresh_token.unwrap();
        world.advance(20 * 60);
        assert_eq!(world.refresh("web", &idle, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
    });
}

/// Used stays used: flags decide, not times.
#[test]
fn rt_23_a_clock_that_steps_back_revives_nothing_that_was_used() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        world.advance(30);
        let tokens = world.redeem("web", &code).await.unwrap();
        let first = tokens.refresh_token.unwrap();
        let second = world.refresh("web", &first, &[]).await.unwrap().refresh_token.unwrap();
        world.refresh("web", &second, &[]).await.unwrap();
        world.clock.set(Timestamp::from_secs(core_tests::START));
        assert!(world.refresh("web", &first, &[]).await.is_err());
        assert!(world.redeem("web", &code).await.is_err());
        assert!(!world.works(&tokens.access_token).await, "the reuse ended the grant");
        let grants = world.server.grants();
        let alice = oauth_core::storage::Index::Subject("alice");
        world.advance(100);
        grants.revoke_all(alice).await.unwrap();
        world.clock.set(Timestamp::from_secs(core_tests::START));
        grants.revoke_all(alice).await.unwrap();
        world.advance(50);
        assert!(world.approve("web", "alice").await.is_err(), "a fence never falls (RT-23)");
        world.advance(51);
        assert!(world.approve("web", "alice").await.is_ok());
    });
}
