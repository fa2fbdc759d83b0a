//! A store that answers with what was not asked for.

use super::*;

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
