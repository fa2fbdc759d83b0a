//! The authorization endpoint against a small store that counts.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use http::request::Parts;

use super::{Answer, AuthorizeStep, ConsentPolicy, Pending, Server};
use crate::authorize::{AuthorizeError, Login, LoginReason, ShowKind};
use crate::client::Client;
use crate::clock::{ManualClock, Timestamp};
use crate::error::ErrorCode;
use crate::grant::State;
use crate::handle::{KeyRing, Kind};
use crate::scope::Scope;
use crate::secret::SeededRandom;
use crate::storage::{
    Index, Key, Listing, Namespace, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};

#[derive(Debug, Default)]
struct Counting {
    records: Mutex<HashMap<Key, Arc<Record>>>,
    swaps: AtomicUsize,
    down: AtomicBool,
}

impl Counting {
    fn up(&self) -> StoreResult<()> {
        if self.down.load(Ordering::SeqCst) { Err(StoreError::unavailable("down")) } else { Ok(()) }
    }

    fn grants(&self) -> Vec<Arc<Record>> {
        let records = self.records.lock().unwrap();
        records.values().filter(|record| record.key.namespace() == Namespace::Grant).cloned().collect()
    }
}

#[async_trait]
impl Store for Counting {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        self.up()?;
        Ok(self.records.lock().unwrap().get(key).cloned())
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        self.up()?;
        self.swaps.fetch_add(1, Ordering::SeqCst);
        let mut records = self.records.lock().unwrap();
        let stored = records.get(&next.key).map(|record| record.version);
        if stored == Some(next.version) {
            return Ok(Swap::Swapped);
        }
        if stored != expected {
            return Ok(Swap::Stale);
        }
        records.insert(next.key, next);
        Ok(Swap::Swapped)
    }

    async fn list(&self, index: Index<'_>, _page: Page) -> StoreResult<Listing> {
        let records = self.records.lock().unwrap();
        let keys = records.values().filter(|record| index.matches(record)).map(|record| record.key).collect();
        Ok(Listing { keys, next: None })
    }

    async fn purge(&self, _now: Timestamp, _limit: usize) -> StoreResult<Purged> {
        Ok(Purged::default())
    }
}

/// Nothing here waits for anything but its own turn.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server and one browser.
struct World {
    server: Arc<Server>,
    store: Arc<Counting>,
    clock: ManualClock,
    cookie: Mutex<Option<String>>,
}

impl World {
    fn new() -> Self {
        Self::with(
            Client::public("app").redirect_uri("https://app.example/cb").scope("read write").build().unwrap(),
        )
    }

    fn with(client: Client) -> Self {
        let store = Arc::new(Counting::default());
        let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
        Self {
            server: Self::server(&store, &clock, client, KeyRing::new([1; 32])),
            store,
            clock,
            cookie: Mutex::new(None),
        }
    }

    fn server(store: &Arc<Counting>, clock: &ManualClock, client: Client, ring: KeyRing) -> Arc<Server> {
        Server::builder("https://as.example/t1", store.clone())
            .client(client)
            .clock(clock.clone())
            .random(SeededRandom::new(1))
            .key_ring(ring)
            .build()
            .unwrap()
    }

    fn head(&self, method: &str, path_and_query: &str) -> Parts {
        let mut request = http::Request::builder().method(method).uri(path_and_query);
        if let Some(cookie) = &*self.cookie.lock().unwrap() {
            request = request.header("cookie", cookie);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn get(&self, path_and_query: &str, login: Option<Login>) -> Result<AuthorizeStep, AuthorizeError> {
        let answer = run(self.server.authorize(&self.head("GET", path_and_query), login))?;
        if let Some(set) = answer.set_cookie {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            *self.cookie.lock().unwrap() = Some(pair.to_owned());
        }
        Ok(answer.step)
    }

    fn consent(&self, path_and_query: &str, login: &Login) -> Pending {
        match self.get(path_and_query, Some(login.clone())) {
            Ok(AuthorizeStep::Consent(pending)) => *pending,
            other => panic!("{other:?}"),
        }
    }

    fn accept(&self, ticket: &str, login: &Login) -> Result<Answer, AuthorizeError> {
        let decision =
            run(self.server.resume_pending(&self.head("POST", "/any"), ticket, Some(login.clone())))?;
        run(decision.accept(None))
    }

    fn alice(&self) -> Login {
        Login::new("alice", self.server.now()).session("s1")
    }
}

fn url(more: &str) -> String {
    format!(
        "/t1/authorize?client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&state=xyz\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}"
    )
}

fn shown<T: std::fmt::Debug>(result: Result<T, AuthorizeError>) -> ShowKind {
    match result {
        Err(AuthorizeError::Show(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

fn redirected<T: std::fmt::Debug>(result: Result<T, AuthorizeError>) -> ErrorCode {
    match result {
        Err(AuthorizeError::Redirect(error)) => error.code(),
        other => panic!("{other:?}"),
    }
}

fn code(answer: &Answer) -> String {
    let query = answer.location().strip_prefix("https://app.example/cb?").unwrap();
    let pairs: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!((&*pairs["state"], &*pairs["iss"]), ("xyz", "https://as.example/t1"));
    pairs["code"].clone()
}

#[test]
fn a_login_writes_nothing_until_the_answer_and_then_one_grant() {
    let world = World::new();
    let Ok(AuthorizeStep::Login(sign_in)) = world.get(&url("&login_hint=al"), None) else { panic!() };
    assert_eq!((sign_in.reason, sign_in.login_hint.as_deref()), (LoginReason::NotSignedIn, Some("al")));
    let token = sign_in.return_to.strip_prefix(&url("&login_hint=al&resume=")).unwrap();
    assert!(token.len() <= 200);

    let alice = world.alice();
    let pending = world.consent(&sign_in.return_to, &alice);
    assert_eq!((pending.subject(), pending.redirect_host()), ("alice", "app.example"));
    assert_eq!((pending.scope().as_str(), pending.new_scope().as_str()), ("read write", "read write"));
    assert!(!format!("{pending:?}").contains("xyz"));
    assert_eq!(world.store.swaps.load(Ordering::SeqCst), 0, "EX-01");

    let answer = world.accept(&pending.ticket(), &alice).unwrap();
    assert!(!format!("{answer:?}").contains("code="));
    let handle = world.server.handles().parse(Kind::Code, &code(&answer)).unwrap();
    let grants = world.store.grants();
    let [record] = &grants[..] else { panic!("{grants:?}") };
    let grant = record.grant().unwrap();
    assert_eq!(record.key, Key::grant(handle.grant));
    assert_eq!(grant.code.as_ref().unwrap().digest, handle.digest());
    assert_eq!(grant.state, State::Approved);
    assert_eq!((grant.subject.as_deref(), grant.session.as_deref()), (Some("alice"), Some("s1")));
    assert_eq!(grant.authentication.as_ref().unwrap().time, alice.authenticated_at);
    assert!(record.retain_until >= world.server.now() + Duration::from_secs(15 * 60));
}

#[test]
fn a_double_click_gets_the_same_answer_and_a_redeemed_one_the_answered_page() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let first = world.accept(&ticket, &alice).unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.accept(&ticket, &alice).unwrap().location(), first.location());
    assert_eq!(world.store.grants().len(), 1);
    let denied = run(world.server.resume_pending(&world.head("POST", "/"), &ticket, Some(alice.clone())));
    assert_eq!(shown(run(denied.unwrap().deny())), ShowKind::AlreadyAnswered);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(shown(world.accept(&ticket, &alice)), ShowKind::AlreadyAnswered);
    world.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(shown(world.accept(&ticket, &alice)), ShowKind::Expired);
}

#[test]
fn a_double_click_across_a_key_rotation_is_one_code() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let first = world.accept(&ticket, &alice).unwrap();
    let client = Client::public("app").redirect_uri("https://app.example/cb").scope("read write");
    let client = client.build().unwrap();
    let rotated = KeyRing::new([2; 32]).with_previous([1; 32]);
    for (ring, same) in [(rotated, true), (KeyRing::new([2; 32]), false)] {
        let server = World::server(&world.store, &world.clock, client.clone(), ring);
        let decision = run(server.resume_pending(&world.head("POST", "/"), &ticket, Some(alice.clone())));
        if same {
            assert_eq!(run(decision.unwrap().accept(None)).unwrap().location(), first.location());
        } else {
            assert_eq!(shown(decision), ShowKind::Expired);
        }
    }
}

#[test]
fn deny_writes_nothing_and_tells_the_client() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let decision = run(world.server.resume_pending(&world.head("POST", "/"), &ticket, Some(alice)));
    let answer = run(decision.unwrap().deny()).unwrap();
    assert!(answer.location().starts_with("https://app.example/cb?error=access_denied&"));
    assert!(answer.location().ends_with("&state=xyz&iss=https%3A%2F%2Fas.example%2Ft1"));
    assert_eq!(world.store.swaps.load(Ordering::SeqCst), 0);
}

#[test]
fn br_07_br_13_br_15_an_answer_counts_for_its_page_only() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let post = |head: &Parts, login: Option<Login>| run(world.server.resume_pending(head, &ticket, login));

    for login in [
        None,
        Some(Login::new("bob", alice.authenticated_at).session("s1")),
        Some(Login::new("alice", alice.authenticated_at).session("s2")),
        Some(Login::new("alice", alice.authenticated_at + Duration::from_secs(1)).session("s1")),
    ] {
        assert_eq!(shown(post(&world.head("POST", "/"), login)), ShowKind::LoginChanged);
    }
    for method in ["GET", "HEAD", "PUT"] {
        assert_eq!(shown(post(&world.head(method, "/"), Some(alice.clone()))), ShowKind::Method);
    }
    let mine = world.cookie.lock().unwrap().clone().unwrap();
    let other = format!("__Host-oauth-browser={}", "A".repeat(43));
    for (cookie, kind) in [
        (None, ShowKind::OtherBrowser),
        (Some(other.clone()), ShowKind::OtherBrowser),
        (Some(format!("{mine}; {other}")), ShowKind::OtherBrowser),
    ] {
        *world.cookie.lock().unwrap() = cookie;
        assert_eq!(shown(post(&world.head("POST", "/"), Some(alice.clone()))), kind);
    }
    *world.cookie.lock().unwrap() = Some(mine);
    for (headers, accepted) in [
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("origin", "https://evil.example")], false),
        (vec![("origin", "null")], false),
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://as.example")], false),
        (vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], false),
        (vec![("sec-fetch-site", "same-origin"), ("origin", "null")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("origin", "https://as.example")], true),
    ] {
        let mut head = world.head("POST", "/");
        for (name, value) in &headers {
            head.headers.insert(*name, value.parse().unwrap());
        }
        assert_eq!(post(&head, Some(alice.clone())).is_ok(), accepted, "{headers:?}");
    }
    for broken in ["", "x", &ticket[1..], &format!("{ticket}A")] {
        let answer = run(world.server.resume_pending(&world.head("POST", "/"), broken, Some(alice.clone())));
        assert!(matches!(answer, Err(AuthorizeError::Show(_))));
    }
    assert!(world.store.grants().is_empty());
}

#[test]
fn ru_52_the_registration_is_checked_again_when_the_answer_comes() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let moved = Client::public("app").redirect_uri("https://app.example/new").scope("read write");
    let narrower = Client::public("app").redirect_uri("https://app.example/cb").scope("other");
    let post = |client: Client| {
        let server = World::server(&world.store, &world.clock, client, KeyRing::new([1; 32]));
        run(server.resume_pending(&world.head("POST", "/"), &ticket, Some(alice.clone())))
    };
    assert_eq!(shown(post(moved.build().unwrap())), ShowKind::RedirectUri);
    let off =
        Client::public("app").redirect_uri("https://app.example/cb").scope("read write").build().unwrap();
    assert_eq!(shown(post(off.disabled(Timestamp::EPOCH))), ShowKind::UnknownClient);
    // The request names no scope: what the default is now, nobody has seen.
    assert_eq!(shown(post(narrower.build().unwrap())), ShowKind::Expired);
}

#[test]
fn prompt_login_goes_round_once() {
    let world = World::new();
    let before = world.alice();
    world.clock.advance(Duration::from_secs(10));
    let Ok(AuthorizeStep::Login(sign_in)) = world.get(&url("&prompt=login"), Some(before.clone())) else {
        panic!()
    };
    assert_eq!(sign_in.reason, LoginReason::PromptLogin);
    world.clock.advance(Duration::from_secs(10));
    let fresh = world.alice();
    let pending = world.consent(&sign_in.return_to, &fresh);
    // A page of the host's own, at another path, knows that the sign-in is done.
    let head = world.head("GET", &format!("/my-consent?{}", pending.query()));
    let again = run(world.server.pending(&head, Some(fresh.clone()))).unwrap();
    assert!(matches!(again.step, AuthorizeStep::Consent(_)) && again.set_cookie.is_none());

    // Whoever comes back without a new authentication goes round, and not for ever.
    let mut return_to = sign_in.return_to;
    for _ in 0..2 {
        let Ok(AuthorizeStep::Login(next)) = world.get(&return_to, Some(before.clone())) else { panic!() };
        return_to = next.return_to;
    }
    assert_eq!(shown(world.get(&return_to, Some(before.clone()))), ShowKind::SignInLoop);

    // Another request, another browser, or too late: the token counts for nothing.
    let token = return_to.split_once("&resume=").unwrap().1;
    let elsewhere = url(&format!("&prompt=login&nonce=n&resume={token}"));
    assert!(matches!(world.get(&elsewhere, Some(fresh.clone())), Ok(AuthorizeStep::Login(_))));
    world.clock.advance(Duration::from_secs(3601));
    assert!(matches!(world.get(&return_to, Some(fresh.clone())), Ok(AuthorizeStep::Login(_))));
    *world.cookie.lock().unwrap() = None;
    assert!(matches!(world.get(&return_to, Some(fresh)), Ok(AuthorizeStep::Login(_))));
}

#[test]
fn consent_is_remembered_and_covers_no_more_than_was_allowed() {
    let world = World::new();
    let alice = world.alice();
    world.accept(&world.consent(&url("&scope=read"), &alice).ticket(), &alice).unwrap();
    world.clock.advance(Duration::from_secs(1));
    let swaps = world.store.swaps.load(Ordering::SeqCst);
    let Ok(AuthorizeStep::Issue(answer)) = world.get(&url("&scope=read&prompt=none"), Some(alice.clone()))
    else {
        panic!()
    };
    code(&answer);
    assert_eq!(world.store.swaps.load(Ordering::SeqCst), swaps + 1, "one insert");
    assert_eq!(world.consent(&url("&scope=read+write"), &alice).new_scope().as_str(), "write");
    world.consent(&url("&scope=read&prompt=consent"), &alice);
    assert_eq!(redirected(world.get(&url("&prompt=none"), Some(alice.clone()))), ErrorCode::ConsentRequired);
    let bob = Login::new("bob", world.server.now());
    world.consent(&url("&scope=read"), &bob);

    // The hand-written way never issues on a GET.
    let head = world.head("GET", &url("&scope=read"));
    let step = run(world.server.pending(&head, Some(alice.clone()))).unwrap().step;
    assert!(matches!(step, AuthorizeStep::Consent(pending) if pending.new_scope().is_empty()));
    // Nor does a HEAD.
    let head = world.head("HEAD", &url("&scope=read"));
    assert_eq!(shown(run(world.server.authorize(&head, Some(alice.clone())))), ShowKind::Method);

    run(world.server.consents().forget("app", "alice")).unwrap();
    assert!(run(world.server.consents().get("app", "alice")).unwrap().is_none());
    world.consent(&url("&scope=read"), &alice);
}

#[test]
fn consent_for_one_resource_is_not_consent_for_another() {
    let client = Client::public("app")
        .redirect_uri("https://app.example/cb")
        .scope("read write")
        .resource("https://a.example")
        .resource("https://b.example");
    let world = World::with(client.build().unwrap());
    let alice = world.alice();
    let request =
        |scope: &str, resource: &str| url(&format!("&scope={scope}&resource=https://{resource}.example"));
    let accept = |scope: &str, resource: &str| {
        let ticket = world.consent(&request(scope, resource), &alice).ticket();
        world.accept(&ticket, &alice).unwrap();
    };
    let asks = |scope: &str, resource: &str| {
        matches!(world.get(&request(scope, resource), Some(alice.clone())), Ok(AuthorizeStep::Consent(_)))
    };
    accept("read", "a");
    accept("read", "b");
    assert!(!asks("read", "a") && !asks("read", "b") && asks("write", "a"));
    accept("write", "b");
    assert!(!asks("write", "b") && asks("write", "a"));
}

#[test]
fn first_party_clients_are_answered_at_once() {
    let client = Client::public("app").redirect_uri("https://app.example/cb").scope("read").first_party();
    let world = World::with(client.build().unwrap());
    assert_eq!(redirected(world.get(&url("&prompt=none"), None)), ErrorCode::LoginRequired);
    let alice = world.alice();
    assert!(matches!(world.get(&url(""), Some(alice.clone())), Ok(AuthorizeStep::Issue(_))));
    assert_eq!(world.store.swaps.load(Ordering::SeqCst), 1);
    let ticket = world.consent(&url("&prompt=consent"), &alice).ticket();
    world.accept(&ticket, &alice).unwrap();
    assert_eq!(world.store.swaps.load(Ordering::SeqCst), 2, "consent of a first-party client is not kept");
}

#[test]
fn a_narrowed_scope_is_a_part_and_not_nothing() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let accept = |scope: &str| {
        let decision =
            run(world.server.resume_pending(&world.head("POST", "/"), &ticket, Some(alice.clone())));
        run(decision.unwrap().accept(Some(Scope::parse(scope).unwrap())))
    };
    for scope in ["", "admin", "read admin"] {
        assert_eq!(shown(accept(scope)), ShowKind::Malformed);
    }
    accept("write").unwrap();
    assert_eq!(world.store.grants()[0].grant().unwrap().scope.as_str(), "write");
    let consent = run(world.server.consents().get("app", "alice")).unwrap().unwrap();
    assert_eq!(consent.scope.as_str(), "write");
}

#[test]
fn logging_out_everywhere_wins_over_an_approval_in_flight() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    run(world.server.grants().revoke_all(Index::Subject("alice"))).unwrap();
    assert_eq!(redirected(world.accept(&ticket, &alice)), ErrorCode::AccessDenied);
    assert_eq!(shown(world.accept(&ticket, &alice)), ShowKind::AlreadyAnswered);
    assert!(matches!(world.store.grants()[0].grant().unwrap().state, State::Revoked { .. }));
}

#[test]
fn a_store_that_is_down_is_a_page_with_503_and_leaves_the_ticket_good() {
    let world = World::new();
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    world.store.down.store(true, Ordering::SeqCst);
    let answer = world.accept(&ticket, &alice);
    assert!(matches!(&answer, Err(AuthorizeError::Show(error)) if error.retry_after().is_some()));
    assert_eq!(shown(answer), ShowKind::Unavailable);
    assert_eq!(shown(world.get(&url(""), Some(alice.clone()))), ShowKind::Unavailable);
    world.store.down.store(false, Ordering::SeqCst);
    code(&world.accept(&ticket, &alice).unwrap());
}

#[test]
fn what_the_host_gets_wrong_is_a_500_and_no_grant() {
    let world = World::new();
    assert_eq!(shown(world.get(&url(""), Some(Login::new("", Timestamp::EPOCH)))), ShowKind::Internal);
    let alice = world.alice();
    let ticket = world.consent(&url(""), &alice).ticket();
    let large = alice.host_data("x".repeat(60_000));
    assert_eq!(shown(world.accept(&ticket, &large)), ShowKind::Internal);
    assert!(world.store.grants().is_empty());
    assert_eq!(shown(world.get("/t1/authorize?client_id=nope", None)), ShowKind::UnknownClient);
    assert_eq!(shown(world.get("/t1/authorize", None)), ShowKind::Malformed);
}

#[test]
fn consent_is_always_asked_where_the_policy_says_so() {
    let store = Arc::new(Counting::default());
    let client = Client::public("app").redirect_uri("https://app.example/cb").scope("read");
    let server = Server::builder("https://as.example/t1", store.clone())
        .client(client)
        .consent(ConsentPolicy::AlwaysAsk)
        .build()
        .unwrap();
    let clock = ManualClock::new(Timestamp::EPOCH);
    let world = World { server, store, clock, cookie: Mutex::new(None) };
    let alice = world.alice();
    world.accept(&world.consent(&url(""), &alice).ticket(), &alice).unwrap();
    world.consent(&url(""), &alice);
    assert_eq!(world.store.swaps.load(Ordering::SeqCst), 1);
}
