//! Attacks through the store (RL): failures at every call, lost answers, stale reads, lies.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    API1, APP, Browser, Query, START, Socket, Tokens, World, assert_inactive, assert_json,
    assert_unavailable, basic, encode, secret,
};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::handle::KeyRing;
use oauth_core::server::{ServerBuilder, SubjectStatus};
use oauth_core::storage::testing::{Fault, FaultStore, Op};
use oauth_core::storage::{
    Index, Key, Listing, Namespace, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};
use oauth_core::token::{GrantType, Permit, Proof, TokenRequest};
use oauth_storage_memory::MemoryStore;

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(START))
}

fn memory(clock: &ManualClock) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(clock.clone()))
}

/// A server over a store that can fail, with a client in the store.
async fn faulty() -> (World, FaultStore<MemoryStore>) {
    let clock = clock();
    let store = FaultStore::calm(memory(&clock));
    let world = World::over(store.clone(), clock, |builder| builder.client_cache(Duration::ZERO));
    let client = Client::confidential("late", &ClientSecret::from_text(secret("late")));
    let client = client.redirect_uri(APP).scope("read write").resource(API1).build().expect("a client");
    world.server.clients().put(client).await.expect("stores");
    (world, store)
}

/// How many calls a request makes while nothing fails.
fn calls(store: &FaultStore<MemoryStore>) -> u64 {
    store.calls().len() as u64
}

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
async fn rl_11_a_stale_read_decides_nothing() {
    let (world, store) = faulty().await;
    let (code, tokens) = world.redeemed("web").await;
    // The replica has not seen the redemption; the swap has.
    let mut first = true;
    store.script(move |call| (call.op == Op::Load && std::mem::take(&mut first)).then_some(Fault::ReadStale));
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    store.script(|_| None);
    world.assert_ended("web", &tokens).await;

    let first_tokens = world.tokens("web").await;
    let second = Tokens::of(&world.refresh("web", &first_tokens.refresh).await);
    let third = Tokens::of(&world.refresh("web", &second.refresh).await);
    let mut first = true;
    store.script(move |call| (call.op == Op::Load && std::mem::take(&mut first)).then_some(Fault::ReadStale));
    // To a reader of the past the second token is the current one. It is answered as what it is: a retry.
    let again = Tokens::of(&world.refresh("web", &second.refresh).await);
    assert_eq!(again.refresh, third.refresh);
    store.script(|_| None);
    assert_eq!(world.revoke("web", &third.refresh).await.status, 200);
    let mut first = true;
    store.script(move |call| (call.op == Op::Load && std::mem::take(&mut first)).then_some(Fault::ReadStale));
    assert_json(&world.refresh("web", &third.refresh).await, 400, "invalid_grant");
    store.script(|_| None);
    world.assert_ended("web", &third).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rl_12_purging_under_load_deletes_nothing_that_is_needed() {
    let clock = clock();
    let memory = memory(&clock);
    let world = World::over(memory.clone(), clock, |builder| builder);
    for _ in 0..200 {
        world.code("spa").await;
    }
    let (spent, ended) = world.redeemed("spa").await;
    assert_json(&world.redeem("spa", &spent).await, 400, "invalid_grant");
    world.clock.advance(Duration::from_secs(1800));
    let tokens = world.tokens("spa").await;
    let socket = Socket::open(&world).await;
    let server = world.server.clone();
    let purging = tokio::spawn(async move {
        let mut deleted = 0;
        for _ in 0..400 {
            deleted += server.store().purge(server.now(), 5).await.expect("purges").deleted;
            tokio::task::yield_now().await;
        }
        deleted
    });
    let mut codes = Vec::new();
    for _ in 0..32 {
        codes.push(world.code("spa").await);
    }
    let forms = codes.iter().map(|code| World::redemption(code)).collect();
    for reply in socket.race("spa", "/token", forms).await {
        Tokens::of(&reply);
    }
    assert_eq!(purging.await.expect("ends"), 200, "the unredeemed codes, and no tombstone");
    world.assert_untouched("spa", &tokens).await;
    assert_json(&world.redeem("spa", &spent).await, 400, "invalid_grant");
    world.assert_ended("spa", &ended).await;
}

#[tokio::test]
async fn rl_15_handle_keys_rotate_without_ending_anything() {
    let clock = clock();
    let memory = memory(&clock);
    let at = |keys: &[u8]| {
        let ring = KeyRing::from_keys(keys.iter().map(|key| [*key; 32])).expect("a ring");
        World::over(memory.clone(), clock.clone(), |builder| builder.key_ring(ring))
    };
    let old = at(&[1]);
    let tokens = old.tokens("web").await;
    let code = old.code("web").await;
    let lost = Tokens::of(&old.refresh("web", &tokens.refresh).await);
    let both = at(&[2, 1]);
    // The lost answer can still be given again, to the letter.
    assert_eq!(Tokens::of(&both.refresh("web", &tokens.refresh).await).refresh, lost.refresh);
    let next = both.assert_untouched("web", &lost).await;
    let key_id = |token: &str| token.split_once('_').expect("a prefix").1[..5].to_owned();
    assert_ne!(key_id(&next.refresh), key_id(&lost.refresh));
    assert_eq!(key_id(&next.refresh), key_id(&next.access));
    Tokens::of(&both.redeem("web", &code).await);
    // Reuse of a token of the old key is still seen as such.
    assert_json(&both.refresh("web", &tokens.refresh).await, 400, "invalid_grant");
    both.assert_ended("web", &next).await;

    let tokens = both.tokens("web").await;
    let new = at(&[2]);
    let next = new.assert_untouched("web", &tokens).await;
    let stranger = at(&[3]);
    // With no key at all in common the digest still knows what is current.
    stranger.assert_untouched("web", &next).await;
}

/// What a broken adapter answers.
const HONEST: u8 = 0;
/// The record of another key, as it is.
const OTHER_RECORD: u8 = 1;
/// The body of another record under the key that was asked for.
const OTHER_BODY: u8 = 2;
/// Every key that it has, whatever was asked for.
const LIST_ALL: u8 = 3;

/// A store with a lie.
#[derive(Clone)]
struct Liar {
    inner: MemoryStore,
    lie: Arc<AtomicU8>,
    records: Arc<Mutex<BTreeMap<Key, Arc<Record>>>>,
}

impl Liar {
    fn new(inner: MemoryStore) -> Self {
        Self { inner, lie: Arc::default(), records: Arc::default() }
    }

    fn tell(&self, lie: u8) {
        self.lie.store(lie, Ordering::SeqCst);
    }

    fn other(&self, key: &Key) -> Option<Arc<Record>> {
        let records = self.records.lock().expect("no panic");
        let mut others =
            records.values().filter(|own| own.key != *key && own.key.namespace() == key.namespace());
        others.next().cloned()
    }
}

impl fmt::Debug for Liar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liar").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Liar {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        match self.lie.load(Ordering::SeqCst) {
            OTHER_RECORD => Ok(self.other(key)),
            OTHER_BODY => Ok(self.other(key).map(|other| Arc::new(Record { key: *key, ..(*other).clone() }))),
            _ => self.inner.load(key).await,
        }
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.records.lock().expect("no panic").insert(next.key, next.clone());
        self.inner.swap(next, expected).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        if self.lie.load(Ordering::SeqCst) != LIST_ALL {
            return self.inner.list(index, page).await;
        }
        let records = self.records.lock().expect("no panic");
        let keys = records.keys().filter(|key| key.namespace() == Namespace::Grant).copied().collect();
        Ok(Listing { keys, next: None })
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.inner.purge(now, limit).await
    }
}

#[tokio::test]
async fn rl_20_a_store_that_hands_out_other_records_is_not_believed() {
    for lie in [OTHER_RECORD, OTHER_BODY] {
        let clock = clock();
        let store = Liar::new(memory(&clock));
        let world = World::over(store.clone(), clock, |builder| builder.client_cache(Duration::ZERO));
        let mut bob = Browser::signed_in("bob");
        let theirs =
            Tokens::of(&world.redeem("web2", &bob.approve(&world, Query::of("web2")).await.code()).await);
        let code = bob.approve(&world, Query::of("web2")).await.code();
        let mine = world.tokens("web").await;
        store.tell(lie);
        for token in [&mine.access, &theirs.access] {
            assert!(world.server.verify(token).await.is_err(), "{lie}");
            let reply = world.introspect("rs1", token).await;
            assert!(!reply.body.contains("\"active\":true"), "{reply:?}");
        }
        for reply in [
            world.refresh("web", &mine.refresh).await,
            world.refresh("web2", &theirs.refresh).await,
            world.redeem("web2", &code).await,
        ] {
            assert!(reply.status == 400 || reply.status == 503, "{reply:?}");
            assert!(!reply.body.contains("access_token"), "{reply:?}");
        }
        for client in ["web", "web2"] {
            let reply = world.revoke(client, &mine.refresh).await;
            assert!(reply.status == 200 || reply.status == 503, "{reply:?}");
        }
        store.tell(HONEST);
        Tokens::of(&world.redeem("web2", &code).await);
        world.assert_untouched("web2", &theirs).await;
        world.assert_untouched("web", &mine).await;
    }
}

#[tokio::test]
async fn rl_20_another_clients_record_is_no_client() {
    for lie in [OTHER_RECORD, OTHER_BODY] {
        let clock = clock();
        let store = Liar::new(memory(&clock));
        let world = World::over(store.clone(), clock, |builder| builder.client_cache(Duration::ZERO));
        for id in ["one", "two"] {
            let own = ClientSecret::from_text(secret(id));
            let client = Client::machine(id, &own).scope(id).build().expect("a client");
            world.server.clients().put(client).await.expect("stores");
        }
        store.tell(lie);
        for (id, own) in [("one", "one"), ("one", "two"), ("two", "one"), ("two", "two"), ("three", "one")] {
            let header = [("authorization", &*basic(id, &secret(own)))];
            let reply = world.post("/token", &header, "grant_type=client_credentials").await;
            assert!(reply.status == 401 || reply.status == 503, "{reply:?}");
        }
        store.tell(HONEST);
        assert_eq!(world.token("one", "grant_type=client_credentials").await.status, 200);
    }
}

#[tokio::test]
async fn rl_20_a_listing_that_names_too_much_revokes_no_more() {
    let clock = clock();
    let store = Liar::new(memory(&clock));
    let world = World::over(store.clone(), clock, |builder| builder);
    let alice = world.tokens("web").await;
    let code = Browser::signed_in("bob").approve(&world, Query::of("web")).await.code();
    let bob = Tokens::of(&world.redeem("web", &code).await);
    store.tell(LIST_ALL);
    let listed = world.server.grants().list(Index::Subject("bob")).await.expect("lists");
    assert!(listed.iter().all(|grant| grant.subject.as_deref() == Some("bob")) && listed.len() == 1);
    assert_eq!(world.server.grants().revoke_all(Index::Subject("bob")).await.expect("revokes"), 1);
    store.tell(HONEST);
    world.assert_ended("web", &bob).await;
    world.assert_untouched("web", &alice).await;
}

/// What the host's hook does.
const FINE: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;

#[derive(Debug)]
struct Hook(Arc<AtomicU8>);

#[async_trait]
impl SubjectStatus for Hook {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        match self.0.load(Ordering::SeqCst) {
            FAILS => Err(StoreError::unavailable("the directory is down")),
            HANGS => std::future::pending().await,
            _ => Ok(true),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rl_21_a_hook_that_fails_or_hangs_consumes_nothing() {
    for broken in [FAILS, HANGS] {
        let mode = Arc::new(AtomicU8::new(FINE));
        let world = World::with(|builder| builder.subject_status(Hook(mode.clone())));
        let (tokens, code) = (world.tokens("web").await, world.code("web").await);
        mode.store(broken, Ordering::SeqCst);
        assert_unavailable(&world.redeem("web", &code).await);
        assert_unavailable(&world.refresh("web", &tokens.refresh).await);
        assert_unavailable(&world.introspect("rs1", &tokens.access).await);
        // Revoking asks nobody.
        let other = world.code("web").await;
        assert_eq!(world.revoke("web", &other).await.status, 200);
        mode.store(FINE, Ordering::SeqCst);
        Tokens::of(&world.redeem("web", &code).await);
        world.assert_untouched("web", &tokens).await;
    }
}

#[tokio::test]
async fn a_restored_backup_neither_accepts_nor_punishes_tokens_from_its_future() {
    let clock = clock();
    let now = memory(&clock);
    let ring = KeyRing::new([7; 32]);
    let at = |store: &MemoryStore| {
        World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring.clone()))
    };
    let world = at(&now);
    let first = world.tokens("web").await;
    let id = world.server.parse_access(&first.access).expect("a handle").grant;
    let backup = memory(&clock);
    let record = now.load(&Key::grant(id)).await.expect("loads").expect("a record");
    assert_eq!(backup.swap(record, None).await.expect("swaps"), Swap::Swapped);
    let second = Tokens::of(&world.refresh("web", &first.refresh).await);
    let third = Tokens::of(&world.refresh("web", &second.refresh).await);
    let restored = at(&backup);
    for newer in [&second, &third] {
        assert_json(&restored.refresh("web", &newer.refresh).await, 400, "invalid_grant");
        assert_inactive(&restored.introspect("web", &newer.access).await);
    }
    restored.assert_untouched("web", &first).await;
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
