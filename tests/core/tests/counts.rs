//! What each flow costs in calls of the store.

use core_tests::{ISSUER, Ledger, World, code_of};
use oauth_core::storage::testing::{CountingStore, Counts, block_on};
use oauth_core::storage::{Namespace, Store};

/// A world over a counting store.
fn counted() -> (World, CountingStore<Ledger>) {
    let world = World::new();
    let store = CountingStore::new(world.ledger.clone());
    let server = World::server(ISSUER, 1, store.clone(), &world.clock, |own| own);
    (world.beside(server), store)
}

/// Loads, inserts and swaps of grants.
fn of_grants(counts: Counts) -> (u64, u64, u64) {
    let grant = Namespace::Grant;
    (counts.loads(grant), counts.inserts(grant), counts.swaps(grant))
}

#[test]
fn ex_01_an_authorization_request_without_approval_writes_nothing() {
    let (world, store) = counted();
    block_on(async {
        let alice = world.login("alice");
        for _ in 0..100 {
            world.open(&World::url("web", &[]), None).await.unwrap();
            world.ticket(&World::url("web", &[("prompt", "consent")]), &alice).await.unwrap();
        }
        let ticket = world.ticket(&World::url("web", &[]), &alice).await.unwrap();
        let head = world.head("POST", "/authorize");
        let decision = world.server.resume_pending(&head, &ticket, Some(alice)).await.unwrap();
        decision.deny().await.unwrap();
    });
    let counts = store.take();
    let writes = Namespace::ALL.map(|namespace| counts.inserts(namespace) + counts.swaps(namespace));
    assert_eq!(writes, [0; 8]);
    assert!(world.ledger.written().is_empty());
}

#[test]
fn a_login_is_one_insert_and_one_swap() {
    let (world, store) = counted();
    block_on(async {
        let alice = world.login("alice");
        let ticket = world.ticket(&World::url("web", &[]), &alice).await.unwrap();
        store.take();
        let code = code_of(&world.accept(&ticket, &alice).await.unwrap());
        assert_eq!(of_grants(store.take()), (0, 1, 0));
        world.redeem("web", &code).await.unwrap();
        let counts = store.take();
        assert_eq!((of_grants(counts), counts.total()), ((1, 0, 1), 2));
    });
}

#[test]
fn tokens_cost_one_load_and_one_swap_at_most() {
    let (world, store) = counted();
    block_on(async {
        let tokens = world.tokens("web", "alice").await;
        let (access, refresh) = (tokens.access_token, tokens.refresh_token.unwrap());
        store.take();
        world.server.verify(&access).await.unwrap();
        assert_eq!((of_grants(store.counts()), store.take().total()), ((1, 0, 0), 1), "a bearer check");
        for caller in ["web", "rs1", "rs2"] {
            world.introspect(caller, &access).await.unwrap();
            assert_eq!((of_grants(store.counts()), store.take().total()), ((1, 0, 0), 1), "an introspection");
        }
        world.introspect("web", &refresh).await.unwrap();
        assert_eq!((of_grants(store.counts()), store.take().total()), ((1, 0, 0), 1));
        world.refresh("web", &refresh, &[]).await.unwrap();
        assert_eq!((of_grants(store.counts()), store.take().total()), ((1, 0, 1), 2), "a refresh");
        world.refresh("web", &refresh, &[]).await.unwrap();
        assert_eq!(
            (of_grants(store.counts()), store.take().total()),
            ((1, 0, 0), 1),
            "a retry writes nothing"
        );
        world.revoke("web", &access).await.unwrap();
        assert_eq!((of_grants(store.counts()), store.take().total()), ((1, 0, 1), 2), "a revocation");
        world.token("m2m", &[("grant_type", "client_credentials")]).await.unwrap();
        let counts = store.take();
        assert_eq!(
            (of_grants(counts), counts.loads(Namespace::Fence)),
            ((0, 1, 0), 1),
            "for the client itself"
        );
        assert_eq!(counts.total(), 2);
    });
}

#[test]
fn junk_never_reaches_the_store() {
    let (world, store) = counted();
    block_on(async {
        let tokens = world.tokens("web", "alice").await;
        let access = tokens.access_token;
        store.take();
        let truncated = &access[..access.len() - 1];
        let mut flipped = access.clone().into_bytes();
        let last = flipped.len() - 1;
        flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(flipped).unwrap();
        for junk in ["x", "", truncated, &format!("{access}A"), &flipped, &access.replacen("oat", "ort", 1)] {
            assert!(world.server.verify(junk).await.is_err());
            assert!(world.redeem("web", junk).await.is_err());
            assert!(world.refresh("web", junk, &[]).await.is_err());
        }
    });
    assert_eq!(store.take().total(), 0);
}

#[test]
fn ex_08_a_thousand_refreshes_keep_the_record_small() {
    let (world, store) = counted();
    block_on(async {
        let mut refresh = world.tokens("web", "alice").await.refresh_token.unwrap();
        let mut sizes = Vec::new();
        for round in 0..1000 {
            refresh = world.refresh("web", &refresh, &[]).await.unwrap().refresh_token.unwrap();
            world.advance(1);
            if round % 100 == 99 {
                let grants = world.ledger.grants();
                assert_eq!(grants.len(), 1);
                sizes.push(grants[0].encode().len());
            }
        }
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(most - least < 64 && *most < 8 * 1024, "{sizes:?}");
        let counts = store.take();
        assert_eq!(of_grants(counts), (1001, 1, 1001));
        let key = world.ledger.grants()[0].key;
        assert!(store.load(&key).await.unwrap().is_some());
    });
}
