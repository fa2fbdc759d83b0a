//! Attacks on secrets (LG): what logs, errors and the store give away.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use attack_tests::{
    Browser, DumpStore, Log, Query, START, Tokens, Users, VERIFIER, World, assert_json, basic, encode, secret,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::handle::{KeyRing, WrappingKey};
use oauth_core::storage::testing::{Fault, FaultStore, Op};
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::Pages;
use oauth_tower::server::AuthorizationServerLayer;

type Store = FaultStore<DumpStore<MemoryStore>>;

/// A server with the built-in pages, whose store keeps everything it was told.
fn dumped() -> (World, DumpStore<MemoryStore>, Store) {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let dump = DumpStore::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let store = FaultStore::calm(dump.clone());
    let world = World::over(store.clone(), clock, |builder| builder);
    let pages = Pages::new(world.server.clone(), Users);
    let layer = AuthorizationServerLayer::new(world.server.clone()).pages(pages);
    (World::mounted(world.server, world.clock, layer), dump, store)
}

/// Everything that must stay secret, and every answer that was not a success.
#[derive(Default)]
struct Canaries {
    secrets: Vec<String>,
    /// Secrets that may be stored as raw bytes, in hexadecimal digits.
    raw: Vec<String>,
    errors: Vec<String>,
}

impl Canaries {
    fn keep(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
        self.secrets.push(STANDARD.encode(secret));
    }

    /// The secret and the tag of a handle. What stands before them, key id, generation and grant id, may be told.
    fn keep_handle(&mut self, handle: &str) {
        let secret = &handle[handle.len() - 64..];
        self.secrets.push(secret.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(secret).expect("base64url");
        self.raw.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    }

    fn heard(&mut self, reply: &attack_tests::Reply) {
        if reply.status >= 400 {
            self.errors.push(format!("{:?} {}", reply.headers, reply.body));
        }
    }

    /// No eight characters of any canary, as they are or percent-encoded, stand in the text, nor eight of its bytes.
    #[track_caller]
    fn assert_absent(&self, text: &str) {
        let spelled = self.secrets.iter().flat_map(|secret| [(secret.clone(), 8), (encode(secret), 8)]);
        for (canary, len) in spelled.chain(self.raw.iter().map(|raw| (raw.clone(), 16))) {
            for window in canary.as_bytes().windows(len) {
                let window = std::str::from_utf8(window).expect("canaries are ASCII");
                if let Some(at) = text.find(window) {
                    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
                    panic!("a part of a secret, {window:?}, stands in {:?}", text[start..].lines().next());
                }
            }
        }
    }
}

const WRONG_SECRET: &str = "Zq7-wrong-client-Yx9";
const WRONG_PASSWORD: &str = "hunter2-Vb81-mistyped";
const FORGED: &str = "Kf03Wm-forged-by-somebody";

/// Signs in on the built-in pages, after a wrong password, and approves.
async fn sign_in(world: &World, canaries: &mut Canaries) -> String {
    let mut browser = Browser::new();
    let start = browser.authorize(world, Query::of("web")).await;
    let page = browser.get(world, start.location()).await;
    let form = |page: &attack_tests::Reply, password: &str| {
        format!("form={}&username=alice&password={password}", encode(&page.field("form")))
    };
    canaries.keep(WRONG_PASSWORD);
    canaries.keep(&page.field("form"));
    let wrong = browser.post(world, start.location(), &form(&page, WRONG_PASSWORD)).await;
    canaries.heard(&wrong);
    assert!(!wrong.body.contains(WRONG_PASSWORD));
    let signed_in = browser.post(world, start.location(), &form(&page, "secret")).await;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    for cookie in browser.cookies.values() {
        canaries.keep(cookie);
    }
    let consent = browser.get(world, signed_in.location()).await;
    canaries.keep(&consent.field("ticket"));
    let forged = browser.post(world, "/authorize", &format!("ticket={FORGED}&decision=approve")).await;
    canaries.heard(&forged);
    let code = browser.decide(world, &consent, "approve").await.code();
    canaries.keep_handle(&code);
    code
}

/// Every endpoint, well and badly used, with canaries wherever a secret can stand.
async fn use_everything(world: &World, store: &Store) -> Canaries {
    let mut canaries = Canaries::default();
    for canary in [secret("web"), WRONG_SECRET.into(), FORGED.into(), VERIFIER.into()] {
        canaries.keep(&canary);
    }
    canaries.keep(basic("web", WRONG_SECRET).trim_start_matches("Basic "));
    canaries.keep(basic("web", &secret("web")).trim_start_matches("Basic "));
    let code = sign_in(world, &mut canaries).await;

    for form in [
        format!("grant_type=authorization_code&code={code}&code_verifier={FORGED}{FORGED}"),
        format!("grant_type=authorization_code&code={FORGED}&code_verifier={VERIFIER}"),
        format!("grant_type={FORGED}&code={code}"),
        format!("grant_type=authorization_code&code={code}&code={FORGED}"),
        format!("grant_type=authorization_code&code={code}&redirect_uri={FORGED}"),
        format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&scope={FORGED}"),
        format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&resource={FORGED}"),
        format!("grant_type=refresh_token&refresh_token={FORGED}"),
        format!("grant_type=refresh_token&refresh_token={code}"),
        format!("grant_type=password&username=alice&password={FORGED}"),
    ] {
        canaries.heard(&world.token("web", &form).await);
    }
    let form = World::redemption(&code);
    let wrong = basic("web", WRONG_SECRET);
    canaries.heard(&world.post("/token", &[("authorization", &wrong)], &form).await);
    let posted = format!("{form}&client_id=web&client_secret={WRONG_SECRET}");
    canaries.heard(&world.post("/token", &[], &posted).await);
    canaries.heard(&world.post("/token", &[], &format!("{form}&client_id={FORGED}&client_secret=x")).await);
    canaries.heard(&world.post(&format!("/token?client_secret={WRONG_SECRET}"), &[], &form).await);
    canaries.heard(&world.post("/token", &[], &format!("{form}&client_assertion={FORGED}")).await);
    canaries.heard(&world.post("/token", &[("dpop", FORGED)], &format!("{form}&client_id=nobody")).await);

    store.script(|call| (call.op == Op::Load).then_some(Fault::Refuse));
    for path in ["/token", "/revoke", "/introspect"] {
        canaries.heard(&world.post_as("web", path, &format!("{form}&token={code}")).await);
    }
    store.script(|_| None);

    let tokens = Tokens::of(&world.redeem("web", &code).await);
    let next = Tokens::of(&world.refresh("web", &tokens.refresh).await);
    for token in [&tokens, &next] {
        canaries.keep_handle(&token.access);
        canaries.keep_handle(&token.refresh);
    }
    Tokens::of(&world.refresh("web", &tokens.refresh).await);
    for path in ["/revoke", "/introspect"] {
        for client in ["web", "web2", "rs1"] {
            canaries.heard(&world.post_as(client, path, &format!("token={FORGED}")).await);
        }
        canaries.heard(&world.post_as("web2", path, &format!("token={}", next.refresh)).await);
    }
    world.introspect("web", &next.access).await;
    let query = Query::of("web").set("state", FORGED).set("login_hint", FORGED).set("scope", FORGED);
    canaries.heard(&world.get(&format!("/authorize?{query}")).await);
    canaries.heard(&world.get(&format!("/authorize?client_id={FORGED}")).await);
    // Replay and reuse, which the operator must hear of.
    canaries.heard(&world.redeem("web", &code).await);
    canaries.heard(&world.refresh("web", &next.refresh).await);
    canaries
}

#[tokio::test]
async fn lg_01_no_log_line_and_no_error_has_a_part_of_a_secret() {
    let log = Log::listen();
    let (world, _, store) = dumped();
    let mut canaries = use_everything(&world, &store).await;
    let lines = log.lines();
    assert!(lines.len() > 20, "the log hears: {lines:#?}");
    assert!(lines.iter().any(|line| line.contains("WARN")), "{lines:#?}");
    // A client id is no secret, whoever wrote it; nothing else that was forged is repeated.
    canaries.secrets.retain(|secret| secret != FORGED);
    let log = lines.join("\n");
    canaries.assert_absent(&log);
    let named = lines.iter().filter(|line| line.contains(FORGED)).count();
    let as_client = lines.iter().filter(|line| line.contains(&format!("client_id={FORGED}"))).count();
    assert_eq!((named, as_client), (2, 2), "{lines:#?}");
    canaries.keep(FORGED);
    canaries.assert_absent(&canaries.errors.join("\n"));
    assert!(canaries.errors.len() > 20);
}

#[tokio::test]
async fn lg_03_log_lines_cannot_be_forged() {
    let log = Log::listen();
    let world = World::new();
    let evil = "a\n2026 INFO admin login\r\n\u{1b}[31mred\u{2028}";
    let header = format!("Basic {}", STANDARD.encode(format!("{}:x", encode(evil))));
    assert_json(
        &world.post("/token", &[("authorization", &header)], "grant_type=client_credentials").await,
        401,
        "invalid_client",
    );
    let form = format!("grant_type=client_credentials&client_id={}", encode(evil));
    assert_json(&world.post("/token", &[], &form).await, 400, "invalid_request");
    world.get(&format!("/authorize?client_id={}", encode(evil))).await;
    world.get(&format!("/authorize?client_id={}", encode("a\u{2028}\u{202e}b"))).await;
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("client_id=a")), "{lines:#?}");
    for line in lines {
        let harmless =
            |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}');
        assert!(line.chars().all(harmless), "{line:?}");
    }
}

#[tokio::test]
async fn lg_05_no_stored_byte_is_a_part_of_a_secret() {
    let (world, dump, store) = dumped();
    let mut canaries = use_everything(&world, &store).await;
    let own = ClientSecret::generate();
    canaries.keep(own.expose());
    let late = Client::machine("late", &own).build().expect("a client");
    world.server.clients().put(late).await.expect("stores");
    let text = dump.text();
    for stored in ["alice", "code_replay", "session", "consent", "late"] {
        assert!(text.contains(stored), "{stored} is stored: {text}");
    }
    canaries.assert_absent(&text);
}

#[tokio::test]
async fn nothing_that_prints_itself_shows_a_key_or_a_secret() {
    let key = *b"K3y-of-32-bytes-that-stays-inside";
    let key: [u8; 32] = key[..32].try_into().expect("32 bytes");
    let world = World::with(|builder| builder.key_ring(KeyRing::new(key)));
    let tokens = world.tokens("web").await;
    let handle = world.server.parse_access(&tokens.access).expect("a handle");
    let token = world.server.verify(&tokens.access).await.expect("a token");
    let shown =
        format!("{:?} {:#?} {handle:?} {token:?} {:?}", world.server, world.layer, world.server.handles());
    assert!(!shown.contains("K3y-of") && !shown.contains("75, 51, 121"), "the key is shown");
    let mut canaries = Canaries::default();
    canaries.keep(&secret("web"));
    canaries.keep(&STANDARD.encode(key));
    canaries.keep_handle(&tokens.access);
    canaries.keep_handle(&tokens.refresh);
    canaries.assert_absent(&shown);
}

#[tokio::test]
async fn the_store_alone_makes_no_token_and_neither_does_the_key() {
    // With the whole store but another key, nothing that was issued before can be refreshed into more than the digests allow.
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let own = World::over(store.clone(), clock.clone(), |builder| builder.key_ring(KeyRing::new([1; 32])));
    let tokens = own.tokens("web").await;
    // The key alone: the same key over an empty store.
    let empty = World::over(MemoryStore::new(), clock, |builder| builder.key_ring(KeyRing::new([1; 32])));
    assert!(!empty.is_active(&tokens.access).await);
    assert_json(&empty.refresh("web", &tokens.refresh).await, 400, "invalid_grant");
    own.assert_untouched("web", &tokens).await;
}

/// Every file of the product that a person may copy from: documents, examples, the libraries' own documentation.
fn copied_from(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !["target", "tests", "benches", ".git"].contains(&name) {
                copied_from(&path, found);
            }
        } else if [".md", ".rs", ".toml"].iter().any(|ending| name.ends_with(ending))
            && !name.contains("test")
        {
            found.push(path);
        }
    }
}

#[test]
fn lg_09_no_key_that_stands_in_the_repository_is_accepted() {
    let mut files = Vec::new();
    copied_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &mut files);
    assert!(files.len() > 100, "{}", files.len());
    let mut looked_at = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("text");
        // What stands in unit tests is not what a person copies.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in text.split(|byte: char| !byte.is_ascii_hexdigit()).filter(|word| word.len() == 64) {
            assert!(WrappingKey::parse(word).is_err(), "{}: {word}", file.display());
            looked_at += 1;
        }
        assert!(!text.contains("PRIVATE KEY-----\n"), "a private key stands in {}", file.display());
    }
    assert!(looked_at > 0, "at least one example is refused");
}
