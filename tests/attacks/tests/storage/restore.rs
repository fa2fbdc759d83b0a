//! A backup is restored: what was used or revoked after it was taken would be alive again (RL-19).

use oauth_core::grant::Refusal;
use oauth_core::server::VerifyError;
use oauth_core::storage::testing::CountingStore;

use super::*;

/// A store that can be copied as a whole.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<BTreeMap<Key, Arc<Record>>>>);

impl Shelf {
    fn records(&self) -> BTreeMap<Key, Arc<Record>> {
        self.0.lock().expect("no panic").clone()
    }

    fn backup(&self) -> Self {
        Self(Arc::new(Mutex::new(self.records())))
    }

    fn grants(&self) -> Vec<Arc<Record>> {
        self.records().into_values().filter(|record| record.grant().is_some()).collect()
    }
}

#[async_trait]
impl Store for Shelf {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        Ok(self.0.lock().expect("no panic").get(key).cloned())
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let mut records = self.0.lock().expect("no panic");
        let stored = records.get(&next.key).map(|record| record.version);
        if stored != expected && stored != Some(next.version) {
            return Ok(Swap::Stale);
        }
        records.insert(next.key, next);
        Ok(Swap::Swapped)
    }

    async fn list(&self, index: Index<'_>, _page: Page) -> StoreResult<Listing> {
        let records = self.records();
        let keys = records.values().filter(|own| index.matches(own)).map(|own| own.key).collect();
        Ok(Listing { keys, next: None })
    }

    async fn purge(&self, _now: Timestamp, _limit: usize) -> StoreResult<Purged> {
        Ok(Purged::default())
    }
}

/// A server over a restored backup, and what its clients held when the store was lost.
struct Restored {
    backup: Shelf,
    clock: ManualClock,
    browser: Browser,
    page: attack_tests::Reply,
    spent: String,
    fresh: String,
    rotated: [Tokens; 3],
    revoked: Tokens,
}

impl Restored {
    async fn new() -> Self {
        let (clock, shelf) = (clock(), Shelf::default());
        let world = Self::replica(&shelf, &clock);
        let (spent, fresh) = (world.code("web").await, world.code("web").await);
        let first = world.tokens("web").await;
        let revoked = world.tokens("web").await;
        let mut browser = Browser::signed_in("alice");
        let page = browser.authorize(&world, Query::of("web2")).await;
        let backup = shelf.backup();
        Tokens::of(&world.redeem("web", &spent).await);
        let second = Tokens::of(&world.refresh("web", &first.refresh).await);
        let third = Tokens::of(&world.refresh("web", &second.refresh).await);
        assert_eq!(world.revoke("web", &revoked.refresh).await.status, 200);
        world.assert_ended("web", &revoked).await;
        clock.advance(Duration::from_secs(10));
        Self { backup, clock, browser, page, spent, fresh, rotated: [first, second, third], revoked }
    }

    fn replica(store: &Shelf, clock: &ManualClock) -> World {
        let ring = KeyRing::new([7; 32]);
        World::over(store.clone(), clock.clone(), |builder| builder.key_ring(ring))
    }

    async fn is_dead(world: &World, token: &str) -> bool {
        !world.is_active(token).await && world.server.verify(token).await.is_err()
    }
}

#[tokio::test]
async fn rl_19_without_a_fence_a_backup_brings_back_what_was_used_and_revoked() {
    let restored = Restored::new().await;
    let world = Restored::replica(&restored.backup, &restored.clock);
    Tokens::of(&world.redeem("web", &restored.spent).await);
    Tokens::of(&world.refresh("web", &restored.rotated[0].refresh).await);
    world.assert_untouched("web", &restored.revoked).await;
}

#[tokio::test]
async fn rl_19_a_fence_ends_everything_that_was_issued_before_it() {
    let mut restored = Restored::new().await;
    let world = Restored::replica(&restored.backup, &restored.clock);
    let raised = world.server.grants().raise_fence_all().await.expect("raises");
    assert_eq!(raised, restored.clock_now());
    let before = restored.backup.grants();
    for code in [&restored.spent, &restored.fresh] {
        assert_json(&world.redeem("web", code).await, 400, "invalid_grant");
    }
    for tokens in restored.rotated.iter().chain([&restored.revoked]) {
        assert_json(&world.refresh("web", &tokens.refresh).await, 400, "invalid_grant");
        assert_inactive(&world.introspect("web", &tokens.refresh).await);
        assert!(Restored::is_dead(&world, &tokens.access).await);
    }
    let refusal = world.server.verify(&restored.rotated[0].access).await;
    assert!(matches!(refusal, Err(VerifyError::Invalid(Refusal::Revoked))), "{refusal:?}");
    assert_eq!(restored.backup.grants(), before, "one write in all, however many grants there are");
    let listed = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    assert!(!listed.is_empty() && listed.iter().all(|grant| !grant.live));
    // A page that was open then is void, and remembered consent is asked for again.
    let answer = restored.browser.decide(&world, &restored.page, "approve").await;
    assert!(answer.status >= 400 && answer.header("location").is_none(), "{answer:?}");
    restored.clock.advance(Duration::from_secs(1));
    let page = restored.browser.authorize(&world, Query::of("web")).await;
    assert_eq!(page.status, 200, "a consent page: {page:?}");
    // Life goes on.
    let code = restored.browser.decide(&world, &page, "approve").await.code();
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    world.assert_untouched("web", &tokens).await;
    assert_eq!(restored.browser.authorize(&world, Query::of("web")).await.status, 303);
}

#[tokio::test]
async fn rl_19_every_replica_sees_the_fence_within_four_seconds_and_a_new_one_at_once() {
    let restored = Restored::new().await;
    let [raiser, other] = [(), ()].map(|()| Restored::replica(&restored.backup, &restored.clock));
    let token = &restored.rotated[0].access;
    assert!(!Restored::is_dead(&other, token).await);
    raiser.server.grants().raise_fence_all().await.expect("raises");
    let late = Restored::replica(&restored.backup, &restored.clock);
    assert!(Restored::is_dead(&late, token).await);
    restored.clock.advance(Duration::from_secs(4));
    assert!(Restored::is_dead(&other, token).await);
    assert_json(&other.redeem("web", &restored.spent).await, 400, "invalid_grant");
}

#[tokio::test]
async fn rl_19_a_fence_never_falls_and_lies_in_the_past() {
    let restored = Restored::new().await;
    let world = Restored::replica(&restored.backup, &restored.clock);
    let (now, grants) = (restored.clock_now(), world.server.grants());
    let earlier = now - Duration::from_secs(3600);
    assert_eq!(grants.raise_fence(earlier).await.expect("raises"), earlier);
    assert!(!Restored::is_dead(&world, &restored.rotated[0].access).await, "issued after it");
    assert_eq!(grants.raise_fence(now + Duration::from_secs(3600)).await.expect("raises"), now);
    assert_eq!(grants.raise_fence(earlier).await.expect("raises"), now);
    // Also when the store goes back in time below a running server.
    for record in restored.backup.records().into_values() {
        if record.key.namespace() == Namespace::Keys {
            restored.backup.0.lock().expect("no panic").remove(&record.key);
        }
    }
    restored.clock.advance(Duration::from_secs(10));
    assert!(Restored::is_dead(&world, &restored.rotated[0].access).await);
}

#[tokio::test]
async fn rl_19_a_bearer_check_behind_a_fence_is_one_load() {
    let clock = clock();
    let store = CountingStore::new(memory(&clock));
    let world = World::over(store.clone(), clock, |builder| builder);
    world.server.grants().raise_fence(Timestamp::from_secs(1)).await.expect("raises");
    let tokens = world.tokens("web").await;
    store.take();
    for _ in 0..100 {
        world.server.verify(&tokens.access).await.expect("works");
    }
    let counts = store.take();
    assert_eq!((counts.loads(Namespace::Grant), counts.total()), (100, 100));
    for _ in 0..100 {
        world.clock.advance(Duration::from_millis(100));
        world.server.verify(&tokens.access).await.expect("works");
    }
    let counts = store.take();
    assert_eq!((counts.loads(Namespace::Grant), counts.loads(Namespace::Keys)), (100, 5));
}

#[tokio::test]
async fn rl_19_a_newer_token_is_refused_without_revoking_and_reported() {
    let restored = Restored::new().await;
    let world = Restored::replica(&restored.backup, &restored.clock);
    let before = restored.backup.records();
    let log = attack_tests::Log::listen();
    assert_json(&world.refresh("web", &restored.rotated[2].refresh).await, 400, "invalid_grant");
    let lines = log.lines();
    let alarm = Refusal::FromTheFuture.to_string();
    assert!(lines.iter().any(|line| line.starts_with("WARN") && line.contains(&alarm)), "{lines:?}");
    assert_eq!(restored.backup.records(), before);
    world.assert_untouched("web", &restored.rotated[0]).await;
}

#[tokio::test]
async fn rl_19_sign_ins_of_the_built_in_pages_end_too() {
    let world = World::with_pages();
    let mut browser = Browser::new();
    let page = browser.get(&world, "/sign-in").await;
    let form = format!("username=alice&password=secret&form={}", encode(&page.field("form")));
    assert_eq!(browser.post(&world, "/sign-in", &form).await.status, 303);
    let first_party = Query::of("web");
    assert_eq!(browser.authorize(&world, &first_party).await.status, 200, "the consent page");
    world.clock.advance(Duration::from_secs(1));
    world.server.grants().raise_fence_all().await.expect("raises");
    let reply = browser.authorize(&world, &first_party).await;
    assert!(reply.header("location").is_some_and(|to| to.contains("/sign-in")), "{reply:?}");
}

impl Restored {
    fn clock_now(&self) -> Timestamp {
        oauth_core::clock::Clock::now(&self.clock)
    }
}
