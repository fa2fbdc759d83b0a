//! Handle keys that are kept in the store: the first start, restarts, wrapping, rotation while running, and loss.

use std::sync::Arc;
use std::time::Duration;

use core_tests::{ISSUER, Ledger, World, code_of};
use futures_util::future::join_all;
use oauth_core::clock::ManualClock;
use oauth_core::error::ErrorCode;
use oauth_core::handle::{Authenticity, Kind, WrappingKey};
use oauth_core::secret::SeededRandom;
use oauth_core::server::keys::keys_key;
use oauth_core::server::{BuildError, KeyPhase, KeysError, Server, StartError, StoredKeys};
use oauth_core::storage::testing::{CountingStore, Fault, FaultStore, Op, block_on};
use oauth_core::storage::{Body, Keys, Namespace, Record, Store, Version};

async fn started(world: &World, seed: u64, keys: StoredKeys) -> World {
    let server = World::start(seed, world.ledger.clone(), &world.clock, keys).await;
    world.beside(server.expect("starts"))
}

async fn refused(world: &World, keys: StoredKeys) -> KeysError {
    let versions = world.ledger.versions();
    match World::start(99, world.ledger.clone(), &world.clock, keys).await {
        Err(StartError::Keys(error)) => {
            assert_eq!(world.ledger.versions(), versions, "a start that fails changes nothing");
            error
        }
        other => panic!("{other:?}"),
    }
}

fn stored(ledger: &Ledger) -> Keys {
    match &ledger.get(&keys_key(ISSUER)).expect("a record").body {
        Body::Keys(keys) => (**keys).clone(),
        other => panic!("{other:?}"),
    }
}

async fn overwrite(ledger: &Ledger, keys: Keys) {
    let before = ledger.get(&keys_key(ISSUER)).expect("a record");
    let version = Version::generate(&SeededRandom::new(7));
    let next = Record { version, body: Body::Keys(Box::new(keys)), ..(*before).clone() };
    let _ = ledger.swap(Arc::new(next), Some(before.version)).await.expect("swaps");
}

fn wrapping(byte: u8) -> WrappingKey {
    WrappingKey::new([byte; 32])
}

fn key_of(token: &str) -> String {
    token.split_once('_').expect("a prefix").1[..5].to_owned()
}

fn is_known(server: &Server, kind: Kind, token: &str) -> bool {
    server.handles().parse(kind, token).expect("a handle").authenticity == Authenticity::Genuine
}

#[test]
fn of_many_first_starts_one_makes_the_key() {
    let world = World::new();
    block_on(async {
        let starts = (1..=8).map(|seed| {
            // All of them see that there is no key yet.
            let store = FaultStore::new(world.ledger.clone(), |call| {
                (call.op == Op::Load).then_some(Fault::DelayAnswer(5))
            });
            let clock = world.clock.clone();
            async move { World::start(seed, store, &clock, StoredKeys::new()).await.expect("starts") }
        });
        let servers = join_all(starts).await;
        assert_eq!(stored(&world.ledger).ring.len(), 1);
        for server in &servers {
            let tokens = world.beside(server.clone()).tokens("web", "alice").await;
            assert!(servers.iter().all(|other| is_known(other, Kind::Access, &tokens.access_token)));
        }
    });
}

#[test]
fn a_first_start_survives_a_fault_at_any_call() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Redeliver, Fault::DelayAnswer(2)] {
        for nth in 0..4 {
            let world = World::new();
            block_on(async {
                let store = FaultStore::nth(world.ledger.clone(), nth, fault);
                let first = World::start(1, store, &world.clock, StoredKeys::new()).await;
                let second = started(&world, 2, StoredKeys::new()).await;
                let tokens = second.tokens("web", "alice").await;
                assert_eq!(stored(&world.ledger).ring.len(), 1);
                match first {
                    Ok(first) => assert!(is_known(&first, Kind::Access, &tokens.access_token)),
                    Err(StartError::Keys(KeysError::Store(_))) => {}
                    Err(other) => panic!("{other}"),
                }
            });
        }
    }
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let world = World::new();
    block_on(async {
        let before = started(&world, 1, StoredKeys::new()).await;
        let login = before.login("alice");
        let tokens = before.tokens("web", "bob").await;
        let ticket = before.ticket(&World::url("web", &[]), &login).await.unwrap();
        let refresh = tokens.refresh_token.unwrap();
        let next = before.refresh("web", &refresh, &[]).await.unwrap();
        let after = started(&before, 2, StoredKeys::new()).await;
        let again = after.refresh("web", &refresh, &[]).await.unwrap();
        assert_eq!((again.access_token, again.refresh_token), (next.access_token, next.refresh_token));
        let code = code_of(&after.accept(&ticket, &login).await.expect("the page still opens"));
        assert!(after.redeem("web", &code).await.is_ok());
    });
}

#[test]
fn wrapped_keys_need_their_wrapping_key_and_are_never_replaced_unasked() {
    let world = World::new();
    block_on(async {
        let first = started(&world, 1, StoredKeys::new().wrapped_by(wrapping(1))).await;
        let tokens = first.tokens("web", "alice").await;
        let id = stored(&world.ledger).ring[0].id;
        let error = refused(&world, StoredKeys::new()).await;
        assert!(matches!(error, KeysError::Wrapped { key, by } if key == id && by == wrapping(1).id()));
        assert!(error.to_string().contains("wrapped_by"), "{error}");
        let error = refused(&world, StoredKeys::new().wrapped_by(wrapping(2))).await;
        assert!(matches!(error, KeysError::OtherWrappingKey { given, .. } if given == wrapping(2).id()));

        // Another wrapping key takes over; the first is not needed any more then.
        let both = StoredKeys::new().wrapped_by(wrapping(2)).also_unwrapped_by(wrapping(1));
        let second = started(&world, 2, both).await;
        assert!(is_known(&second.server, Kind::Access, &tokens.access_token));
        assert_eq!(stored(&world.ledger).ring[0].key.wrapped_by(), Some(wrapping(2).id()));
        started(&world, 3, StoredKeys::new().wrapped_by(wrapping(2))).await;
        refused(&world, StoredKeys::new().wrapped_by(wrapping(1))).await;

        // What is wrapped is not stored plain again by a process that could.
        started(&world, 4, StoredKeys::new().also_unwrapped_by(wrapping(2))).await;
        assert_eq!(stored(&world.ledger).ring[0].key.wrapped_by(), Some(wrapping(2).id()));

        let mut damaged = stored(&world.ledger);
        damaged.ring.push(damaged.ring[0].clone());
        damaged.ring[0].id = oauth_core::handle::KeyId::from_bytes([1; 4]);
        overwrite(&world.ledger, damaged).await;
        let error = refused(&world, StoredKeys::new().wrapped_by(wrapping(2))).await;
        assert!(matches!(error, KeysError::Damaged { .. }), "{error}");
        assert!(second.works(&tokens.access_token).await);
    });
}

#[test]
fn plain_keys_are_wrapped_at_the_next_start() {
    let world = World::new();
    block_on(async {
        let plain = started(&world, 1, StoredKeys::new()).await;
        let tokens = plain.tokens("web", "alice").await;
        assert_eq!(stored(&world.ledger).ring[0].key.wrapped_by(), None);
        // A name, two bytes that say "32 bytes", and the key.
        let bytes = |ledger: &Ledger| ledger.get(&keys_key(ISSUER)).expect("a record").encode();
        let before = bytes(&world.ledger);
        let at = before.windows(5).position(|window| window == b"plain").expect("a plain key") + 7;
        let key = &before[at..at + 32];
        let wrapped = started(&world, 2, StoredKeys::new().wrapped_by(wrapping(1))).await;
        assert_eq!(stored(&world.ledger).ring[0].key.wrapped_by(), Some(wrapping(1).id()));
        assert!(is_known(&wrapped.server, Kind::Access, &tokens.access_token));
        assert!(!bytes(&world.ledger).windows(8).any(|window| window == &key[..8]), "the store has the key");
        assert!(!format!("{:?}", world.ledger.written()).contains(&format!("{:?}", &key[..8])));
        // One that is still running without it keeps the keys that it has.
        world.advance(10);
        assert!(plain.works(&tokens.access_token).await);
        assert!(is_known(&plain.server, Kind::Access, &tokens.access_token));
    });
}

#[test]
fn a_lost_wrapping_key_is_given_up_by_name_and_costs_no_session() {
    let world = World::new();
    block_on(async {
        let before = started(&world, 1, StoredKeys::new().wrapped_by(wrapping(1))).await;
        let tokens = before.tokens("web", "alice").await;
        let fence =
            before.server.grants().raise_fence(oauth_core::clock::Timestamp::from_secs(1)).await.unwrap();
        let lost = StoredKeys::new().wrapped_by(wrapping(2)).replace_unreadable();
        let after = started(&world, 2, lost).await;
        assert!(!is_known(&after.server, Kind::Access, &tokens.access_token));
        assert!(after.works(&tokens.access_token).await);
        assert!(after.refresh("web", &tokens.refresh_token.unwrap(), &[]).await.is_ok());
        let keys = stored(&world.ledger);
        assert_eq!((keys.ring.len(), keys.not_before), (1, Some(fence)));
    });
}

#[test]
fn a_key_is_published_before_it_mints_and_checks_long_after() {
    let world = World::new();
    block_on(async {
        let keep = Duration::from_secs(1000);
        let keys = || StoredKeys::new().keep_previous(keep);
        let [a, b] = [started(&world, 1, keys()).await, started(&world, 2, keys()).await];
        let old = a.tokens("web", "alice").await;
        let added = a.server.rotate_keys().await.unwrap();
        assert_eq!(added.mints_from.since(world.server.now()), Duration::from_secs(60));
        assert_eq!(b.server.rotate_keys().await.unwrap(), added, "one at a time");
        let phases = async |of: &World| {
            let keys = of.server.handle_keys().await.unwrap();
            keys.iter().map(|key| key.phase).collect::<Vec<_>>()
        };
        assert_eq!(phases(&b).await, [KeyPhase::Current, KeyPhase::Next]);
        for _ in 0..59 {
            world.advance(1);
            for replica in [&a, &b] {
                let tokens = replica.tokens("web", "bob").await;
                assert_eq!(key_of(&tokens.access_token), key_of(&old.access_token));
            }
        }
        world.advance(1);
        // One replica has switched, the other has not looked since: it knows the key all the same.
        world.advance(2);
        let new = a.tokens("web", "carol").await;
        assert_ne!(key_of(&new.access_token), key_of(&old.access_token));
        assert!(is_known(&b.server, Kind::Access, &new.access_token));
        assert_eq!(phases(&b).await, [KeyPhase::Previous, KeyPhase::Current]);
        let next = b.refresh("web", &old.refresh_token.unwrap(), &[]).await.unwrap();
        assert_eq!(key_of(&next.access_token), key_of(&new.access_token));

        world.advance(keep.as_secs());
        a.server.rotate_keys().await.unwrap();
        assert_eq!(phases(&a).await, [KeyPhase::Current, KeyPhase::Next], "the first one is dropped");
        assert!(!is_known(&a.server, Kind::Access, &old.access_token));
        assert!(a.works(&old.access_token).await, "and the digest still decides");
        assert!(a.server.rotate_keys().await.is_ok());
    });
}

#[test]
fn rl_14_a_hundred_rotations_under_three_replicas_fail_no_check() {
    let world = World::new();
    block_on(async {
        let mut replicas = Vec::new();
        for seed in 1..=3 {
            replicas.push(started(&world, seed, StoredKeys::new().wrapped_by(wrapping(1))).await);
        }
        let first = replicas[0].tokens("web", "alice").await;
        let mut refresh = first.refresh_token.unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for round in 0..100 {
            let at = |offset: usize| &replicas[(round + offset) % 3];
            let added = join_all(replicas.iter().map(|own| own.server.rotate_keys())).await;
            let ids: Vec<_> = added.into_iter().map(|key| key.unwrap().id).collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "replicas that rotate at once add one key");
            for step in 0..3 {
                world.advance(21);
                let next = at(step).refresh("web", &refresh, &[]).await.unwrap();
                // A retry at another replica gets the same answer: its key is known everywhere.
                let next_refresh = next.refresh_token.unwrap();
                let again = at(step + 1).refresh("web", &refresh, &[]).await.unwrap();
                assert_eq!(again.refresh_token.as_ref(), Some(&next_refresh));
                for replica in &replicas {
                    assert!(replica.works(&next.access_token).await);
                    assert!(is_known(&replica.server, Kind::Access, &next.access_token));
                }
                seen.insert(key_of(&next_refresh));
                refresh = next_refresh;
            }
        }
        assert!(seen.len() >= 99, "{} keys have minted", seen.len());
        assert!(stored(&world.ledger).ring.len() <= 32);
    });
}

#[test]
fn a_key_that_is_not_known_is_looked_for_at_most_once_a_second() {
    let world = World::new();
    block_on(async {
        let a = started(&world, 1, StoredKeys::new()).await;
        let counted = CountingStore::new(world.ledger.clone());
        let slow = World::start(2, counted.clone(), &world.clock, StoredKeys::new()).await.unwrap();
        let slow = world.beside(slow);
        // The clock of the first replica is ahead: it mints with a key that the other has had no reason to look for.
        let ahead = ManualClock::new(world.server.now());
        let fast = World::start(3, world.ledger.clone(), &ahead, StoredKeys::new()).await.unwrap();
        let fast = world.beside(fast);
        fast.server.rotate_keys().await.unwrap();
        ahead.advance(Duration::from_secs(60));
        let first = fast.tokens("web", "alice").await.refresh_token.unwrap();
        let second = fast.refresh("web", &first, &[]).await.unwrap().refresh_token.unwrap();
        let third = fast.refresh("web", &second, &[]).await.unwrap();
        assert!(!is_known(&slow.server, Kind::Refresh, &first));
        counted.take();
        // Reuse: seen as such only by one who knows the key.
        let error = slow.refresh("web", &first, &[]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant);
        assert!(!a.works(&third.access_token).await, "the family has ended");
        assert_eq!(counted.take().loads(Namespace::Keys), 1);
        let strange = World::new().tokens("web", "bob").await.refresh_token.unwrap();
        for _ in 0..20 {
            assert!(slow.refresh("web", &strange, &[]).await.is_err());
            assert!(slow.revoke("web", &strange).await.is_ok());
        }
        assert_eq!(counted.take().loads(Namespace::Keys), 0);
        world.advance(1);
        assert!(slow.refresh("web", &strange, &[]).await.is_err());
        assert_eq!(counted.take().loads(Namespace::Keys), 1);
    });
}

#[test]
fn a_server_that_cannot_look_answers_for_four_seconds_and_then_no_more() {
    let world = World::new();
    block_on(async {
        let store = FaultStore::calm(world.ledger.clone());
        let server = World::start(1, store.clone(), &world.clock, StoredKeys::new()).await.unwrap();
        let world = world.beside(server);
        let tokens = world.tokens("web", "alice").await;
        store.script(|call| (call.namespace == Some(Namespace::Keys)).then_some(Fault::Refuse));
        world.advance(3);
        assert!(world.works(&tokens.access_token).await);
        world.advance(1);
        let refresh = tokens.refresh_token.unwrap();
        let error = world.refresh("web", &refresh, &[]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
        assert!(!world.works(&tokens.access_token).await);
        assert!(world.introspect("rs1", &tokens.access_token).await.is_err());
        store.script(|_| None);
        assert!(world.works(&tokens.access_token).await);
        assert!(world.refresh("web", &refresh, &[]).await.is_ok());
    });
}

#[test]
fn the_wrong_way_to_build_is_refused() {
    let world = World::new();
    let builder = || Server::builder(ISSUER, world.ledger.clone()).stored_keys(StoredKeys::new());
    assert!(matches!(builder().build(), Err(BuildError::NeedsStart)));
    let ring = oauth_core::handle::KeyRing::new([1; 32]);
    block_on(async {
        let both = builder().key_ring(ring).start().await;
        assert!(matches!(both, Err(StartError::Build(BuildError::TwoRings))));
        assert!(matches!(world.server.rotate_keys().await, Err(KeysError::NotStored)));
        let short = builder().reload_every(Duration::from_millis(999)).start().await;
        assert!(matches!(short, Err(StartError::Build(BuildError::Duration { .. }))));
    });
}
