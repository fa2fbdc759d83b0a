//! Clients whose id is the URL of a metadata document.

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{API1, Browser, Documents, Query, Reply, START, VERIFIER, World, encode};
use oauth_core::client::Client;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::fetch::FetchError;
use oauth_core::limit::Unlimited;
use oauth_core::server::{ClientIdMetadataDocuments, Server, ServerBuilder, TrustPolicy};
use oauth_fetch::Fetcher;
use oauth_storage_memory::MemoryStore;
use serde_json::{Value, json};

const ID: &str = "https://c.example/client.json";
const CALLBACK: &str = "https://c.example/cb";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn document() -> Value {
    json!({
        "client_id": ID,
        "client_name": "The Client",
        "redirect_uris": [CALLBACK, "http://localhost/callback", "http://127.0.0.1:33418/"],
        "token_endpoint_auth_method": "none",
    })
}

/// The document with other members; `null` takes one away.
fn with(changes: Value) -> Value {
    let mut document = document();
    for (name, value) in changes.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn settings(builder: ServerBuilder, documents: &Documents) -> ServerBuilder {
    builder
        .resource(API1)
        .document_fetcher(documents.clone())
        .client_id_metadata_documents(ClientIdMetadataDocuments::new())
}

fn world(documents: &Documents) -> World {
    World::with(|builder| settings(builder, documents))
}

fn serving(document: impl ToString) -> (World, Documents) {
    let documents = Documents::default();
    documents.put(ID, document);
    (world(&documents), documents)
}

fn query(client_id: &str) -> Query {
    Query::of(client_id).set("redirect_uri", CALLBACK)
}

async fn authorize(world: &World, query: &Query) -> Reply {
    Browser::signed_in("alice").authorize(world, query).await
}

/// A page of the server itself: nothing goes anywhere.
#[track_caller]
fn assert_shown(reply: &Reply, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {reply:?}");
    assert_eq!(reply.header("location"), None, "{what}");
    assert!(!reply.body.contains("name=\"ticket\""), "{what}");
}

async fn code(world: &World) -> String {
    Browser::signed_in("alice").approve(world, query(ID)).await.code()
}

async fn redeem(world: &World, code: &str) -> Reply {
    let form = format!(
        "grant_type=authorization_code&client_id={}&code={}&code_verifier={VERIFIER}&redirect_uri={}",
        encode(ID),
        encode(code),
        encode(CALLBACK)
    );
    world.post("/token", &[], &form).await
}

async fn refresh(world: &World, token: &str) -> Reply {
    let form = format!("grant_type=refresh_token&client_id={}&refresh_token={}", encode(ID), encode(token));
    world.post("/token", &[], &form).await
}

#[tokio::test]
async fn a_client_with_a_document_gets_and_refreshes_tokens() {
    let (world, documents) = serving(document());
    let page = authorize(&world, &query(ID)).await;
    assert_eq!(page.status, 200, "{page:?}");
    for shown in ["The Client", "c.example", "read your notes", API1] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let tokens = redeem(&world, &code(&world).await).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert!(world.is_active(&tokens.text("access_token")).await);
    let refreshed = refresh(&world, &tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(documents.fetches(), 1, "a cached document adds no outbound request");
}

#[tokio::test]
async fn it_is_off_by_default_and_the_metadata_say_so() {
    let off = World::new();
    assert_shown(&authorize(&off, &query(ID)).await, "off");
    let metadata = "/.well-known/oauth-authorization-server";
    assert_eq!(off.get(metadata).await.json().get("client_id_metadata_document_supported"), None);
    let (on, _) = serving(document());
    let metadata = on.get(metadata).await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("none")) && methods.contains(&json!("private_key_jwt")));
}

#[tokio::test]
async fn cm_01_other_urls_are_no_clients_and_nothing_is_fetched() {
    let (world, documents) = serving(document());
    for id in [
        "http://c.example/x",
        "https://c.example",
        "https://c.example/x#f",
        "https://u:p@c.example/x",
        "https://c.example/./x",
        "https://c.example/a/../x",
        "https://c.example/%2e%2e/x",
        "HTTPS:/c.example/x",
        " https://c.example/x",
        "https:\\\\c.example\\x",
        "https://C.example/x",
        "https://c.example:443/x",
    ] {
        assert_shown(&authorize(&world, &query(id)).await, id);
    }
    assert_eq!(documents.fetches(), 0);
}

#[tokio::test]
async fn cm_02_cm_03_special_addresses_are_not_reached() {
    let fetcher = Fetcher::new();
    let world = World::with(|builder| {
        let documents = ClientIdMetadataDocuments::new().allow_loopback();
        builder.document_fetcher(fetcher).client_id_metadata_documents(documents)
    });
    for host in [
        "127.0.0.1",
        "[::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "198.18.0.1",
        "[fc00::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fec0::1]",
        "[2001:db8::1]",
        "[ff02::1]",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "[::]",
    ] {
        for scheme in ["https", "http"] {
            let id = format!("{scheme}://{host}/c");
            assert_shown(&authorize(&world, &query(&id)).await, &id);
        }
    }
}

#[tokio::test]
async fn cm_05_what_is_not_a_document_is_no_client() {
    let documents = Documents::default();
    let world = world(&documents);
    for error in [FetchError::Answer, FetchError::TooLong, FetchError::Address, FetchError::Url] {
        documents.fail(ID, error);
        assert_shown(&authorize(&world, &query(ID)).await, &error.to_string());
        world.clock.advance(Duration::from_secs(60));
    }
    documents.put(ID, format!("{}{}", document(), " ".repeat(6000)));
    assert_shown(&authorize(&world, &query(ID)).await, "too long");
}

#[tokio::test]
async fn cm_08_cm_09_cm_10_cm_11_a_document_that_breaks_a_rule_is_no_client() {
    let jwk = |more: &str| format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#);
    let set = |jwk: &str| json!({ "keys": [serde_json::from_str::<Value>(jwk).unwrap()] });
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    let good = with(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": set(&jwk(""))}));
    let (world, _) = serving(good);
    assert_eq!(authorize(&world, &query(ID)).await.status, 200);
    let cases = [
        ("no client_id", with(json!({"client_id": null}))),
        ("another client_id", with(json!({"client_id": "https://c.example/other.json"}))),
        ("a slash", with(json!({"client_id": format!("{ID}/")}))),
        ("a port", with(json!({"client_id": "https://c.example:443/client.json"}))),
        ("case", with(json!({"client_id": "https://C.example/client.json"}))),
        ("basic", with(json!({"token_endpoint_auth_method": "client_secret_basic"}))),
        ("post", with(json!({"token_endpoint_auth_method": "client_secret_post"}))),
        ("jwt", with(json!({"token_endpoint_auth_method": "client_secret_jwt"}))),
        ("tls", with(json!({"token_endpoint_auth_method": "tls_client_auth"}))),
        ("a secret", with(json!({"client_secret": "a secret of fair length"}))),
        ("a secret's end", with(json!({"client_secret_expires_at": 0}))),
        ("no keys", with(json!({"token_endpoint_auth_method": "private_key_jwt"}))),
        (
            "a private key",
            with(json!({"token_endpoint_auth_method": "private_key_jwt",
            "jwks": set(&jwk(r#","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#))})),
        ),
        ("a symmetric key", with(json!({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}))),
        ("both", with(json!({"jwks": set(&jwk("")), "jwks_uri": "https://c.example/jwks"}))),
        ("nested jwks_uri", with(json!({"jwks_uri": "https://169.254.169.254/"}))),
        ("nested logo_uri", with(json!({"logo_uri": "http://localhost:9200/"}))),
        ("script", with(json!({"client_uri": "javascript:alert(1)"}))),
        ("redirect to script", with(json!({"redirect_uris": [CALLBACK, "javascript:alert(1)"]}))),
        ("redirect by http", with(json!({"redirect_uris": [CALLBACK, "http://c.example/cb"]}))),
        ("no redirect", with(json!({"redirect_uris": []}))),
        ("null redirect", with(json!({"redirect_uris": [null]}))),
        ("implicit only", with(json!({"response_types": ["token"]}))),
        ("client credentials only", with(json!({"grant_types": ["client_credentials"]}))),
        ("an array", json!([document()])),
        ("a number", json!(1)),
    ];
    for (what, document) in cases {
        let (world, _) = serving(document);
        assert_shown(&authorize(&world, &query(ID)).await, what);
    }
    let twice = document().to_string().replacen('{', &format!(r#"{{"client_id":"{ID}","#), 1);
    let (world, _) = serving(twice);
    assert_shown(&authorize(&world, &query(ID)).await, "a member twice");
}

#[tokio::test]
async fn cm_11_nothing_that_a_document_names_is_fetched() {
    let more = json!({"logo_uri": "https://c.example/logo.svg", "client_uri": "https://c.example/",
        "jwks_uri": "https://c.example/jwks"});
    let (world, documents) = serving(with(more));
    let page = authorize(&world, &query(ID)).await;
    assert_eq!((page.status, documents.fetches()), (200, 1));
    assert!(!page.body.contains("logo.svg"));
}

#[derive(Debug)]
struct OwnOriginOnly;

impl TrustPolicy for OwnOriginOnly {
    fn may_fetch(&self, _: &str, host: &str) -> bool {
        host == "c.example"
    }

    fn accepts(&self, client: &Client) -> bool {
        client.redirect_uris().iter().all(|uri| uri.as_str().starts_with("https://c.example/"))
    }
}

#[tokio::test]
async fn cm_12_redirect_uris_are_those_of_the_document_and_of_the_policy() {
    let (world, _) = serving(document());
    for other in
        ["https://c.example/cb2", "https://evil.example/cb", "javascript:alert(1)", "http://localhost.evil/"]
    {
        assert_shown(&authorize(&world, &query(ID).set("redirect_uri", other)).await, other);
    }
    // The port of a loopback address is not known in advance.
    for loopback in ["http://localhost:52222/callback", "http://127.0.0.1:1/"] {
        let page = authorize(&world, &query(ID).set("redirect_uri", loopback)).await;
        assert_eq!(page.status, 200, "{loopback}");
        assert!(page.body.contains("c.example"));
    }
    let documents = Documents::default();
    let own = world_with_policy(&documents);
    documents.put(ID, document());
    assert_shown(&authorize(&own, &query(ID)).await, "the policy refuses loopback redirects");
    own.clock.advance(Duration::from_secs(60));
    documents.put(ID, with(json!({"redirect_uris": [CALLBACK]})));
    assert_eq!(authorize(&own, &query(ID)).await.status, 200);
    let before = documents.fetches();
    assert_shown(&authorize(&own, &query("https://evil.example/c")).await, "another host");
    assert_eq!(documents.fetches(), before, "not even fetched");
}

fn world_with_policy(documents: &Documents) -> World {
    World::with(|builder| {
        builder
            .document_fetcher(documents.clone())
            .client_id_metadata_documents(ClientIdMetadataDocuments::new().policy(OwnOriginOnly))
    })
}

#[tokio::test]
async fn cm_14_failures_are_remembered_for_a_moment_only() {
    let documents = Documents::default();
    let world = world(&documents);
    documents.fail(ID, FetchError::Unreachable);
    for _ in 0..100 {
        let reply = authorize(&world, &query(ID)).await;
        assert_eq!((reply.status, reply.header("location")), (503, None), "{reply:?}");
    }
    assert_eq!(documents.fetches(), 1, "a failure is not tried again at once");
    documents.put(ID, document());
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(authorize(&world, &query(ID)).await.status, 200);
    let invalid = "https://c.example/invalid.json";
    documents.put(invalid, "{}");
    assert_shown(&authorize(&world, &query(invalid)).await, "invalid");
    documents.put(invalid, with(json!({"client_id": invalid})));
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(authorize(&world, &query(invalid)).await.status, 200);
}

#[tokio::test]
async fn cm_15_cache_control_is_obeyed_within_bounds() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (cache_control, not_yet, again) in [
        ("max-age=0", minutes(4), minutes(5)),
        ("no-store", minutes(4), minutes(5)),
        ("max-age=600", minutes(9), minutes(10)),
        ("max-age=315360000", minutes(24 * 60 - 1), minutes(24 * 60)),
    ] {
        let (world, documents) = serving("");
        documents.put_cached(ID, document(), cache_control);
        authorize(&world, &query(ID)).await;
        world.clock.advance(not_yet);
        authorize(&world, &query(ID)).await;
        assert_eq!(documents.fetches(), 1, "{cache_control}");
        world.clock.advance(again - not_yet);
        authorize(&world, &query(ID)).await;
        assert_eq!(documents.fetches(), 2, "{cache_control}");
    }
}

#[tokio::test]
async fn cm_16_consent_does_not_outlive_what_it_was_given_to() {
    let (world, documents) = serving(document());
    redeem(&world, &code(&world).await).await;
    let mut alice = Browser::signed_in("alice");
    assert_eq!(alice.authorize(&world, query(ID)).await.status, 303, "remembered");
    for change in [
        json!({"client_name": "Another Name"}),
        json!({"client_name": "Another Name", "redirect_uris": [CALLBACK, "https://elsewhere.example/cb"]}),
    ] {
        documents.put(ID, with(change));
        world.clock.advance(DAY);
        assert_eq!(alice.authorize(&world, query(ID)).await.status, 200, "asked again");
        assert_eq!(alice.approve(&world, query(ID)).await.status, 303);
        assert_eq!(alice.authorize(&world, query(ID)).await.status, 303, "remembered");
    }
    let mut same = with(json!({"client_name": "Another Name",
        "redirect_uris": [CALLBACK, "https://elsewhere.example/cb"], "contacts": ["a@c.example"]}));
    same["tos_uri"] = json!("https://c.example/tos");
    documents.put(ID, same);
    world.clock.advance(DAY);
    assert_eq!(alice.authorize(&world, query(ID)).await.status, 303, "nothing that matters has changed");
}

#[tokio::test]
async fn cm_16_a_confidential_client_is_never_silently_public() {
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]});
    let (world, documents) =
        serving(with(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": keys})));
    let code = code(&world).await;
    documents.put(ID, document());
    world.clock.advance(Duration::from_secs(30));
    world.clock.advance(DAY);
    assert_shown(&authorize(&world, &query(ID)).await, "public now");
    assert_eq!(redeem(&world, &code).await.status, 401);
    world.server.clients().forget_document(ID).await.unwrap();
    assert_eq!(authorize(&world, &query(ID)).await.status, 200, "the operator has looked at it");
}

#[tokio::test]
async fn cm_18_a_registered_client_comes_first() {
    let documents = Documents::default();
    documents.put(ID, with(json!({"redirect_uris": ["https://evil.example/cb"]})));
    let world = World::with(|builder| {
        settings(builder, &documents).client(Client::public(ID).redirect_uri(CALLBACK).scope("read"))
    });
    assert_eq!(authorize(&world, &query(ID)).await.status, 200);
    let stored = "https://c.example/stored.json";
    let client = Client::public(stored).redirect_uri(CALLBACK).scope("read").build().unwrap();
    world.server.clients().put(client).await.unwrap();
    assert_eq!(authorize(&world, &query(stored)).await.status, 200);
    assert_eq!(documents.fetches(), 0);
}

#[tokio::test]
async fn cm_20_a_host_that_is_down_ends_nothing() {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let documents = Documents::default();
    documents.put(ID, document());
    let before = World::over(store.clone(), clock.clone(), |builder| settings(builder, &documents));
    let tokens = redeem(&before, &code(&before).await).await;
    documents.fail(ID, FetchError::Unreachable);
    clock.advance(DAY);
    // In memory, and after a restart from the store.
    let refreshed = refresh(&before, &tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let after = World::over(store.clone(), clock.clone(), |builder| settings(builder, &documents));
    let refreshed = refresh(&after, &refreshed.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let fetches = documents.fetches();
    let refreshed = refresh(&after, &refreshed.text("refresh_token")).await;
    assert_eq!((refreshed.status, documents.fetches()), (200, fetches), "not tried each time");
    // When that is too old, the answer is "later", and nothing is consumed.
    clock.advance(7 * DAY);
    let later = refresh(&after, &refreshed.text("refresh_token")).await;
    assert_eq!((later.status, later.text("error").as_str()), (503, "temporarily_unavailable"));
    documents.put(ID, document());
    clock.advance(Duration::from_secs(10));
    assert_eq!(refresh(&after, &refreshed.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_document_that_nobody_consented_to_leaves_no_row() {
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let documents = Documents::default();
    let world = World::over(store.clone(), clock, |builder| settings(builder, &documents).limiter(Unlimited));
    for at in 0..5000 {
        let id = format!("https://c.example/{at}");
        documents.put(&id, with(json!({"client_id": id})));
        assert_eq!(authorize(&world, &query(&id)).await.status, 200);
    }
    assert_eq!(store.len(), 0);
}

#[tokio::test]
async fn cm_21_loopback_needs_a_switch_and_an_issuer_on_loopback() {
    let documents = Documents::default();
    let id = "http://127.0.0.1:9000/client.json";
    documents.put(id, with(json!({"client_id": id})));
    let server = |issuer: &str, settings: ClientIdMetadataDocuments| {
        Server::builder(issuer, MemoryStore::new())
            .scope("read", "read your notes")
            .document_fetcher(documents.clone())
            .client_id_metadata_documents(settings)
            .build()
            .unwrap()
    };
    let on = ClientIdMetadataDocuments::new;
    for (issuer, settings, found) in [
        ("https://as.example", on(), false),
        ("https://as.example", on().allow_loopback(), false),
        ("http://127.0.0.1:8080", on(), false),
        ("http://127.0.0.1:8080", on().allow_loopback(), true),
    ] {
        assert_eq!(server(issuer, settings).client(id).await.unwrap().is_some(), found, "{issuer}");
    }
    assert_eq!(documents.fetches(), 1);
}

#[tokio::test]
async fn dc_17_a_client_on_the_device_is_asked_about_each_time() {
    let (world, _) = serving(document());
    let mut alice = Browser::signed_in("alice");
    let query = query(ID).set("redirect_uri", "http://localhost:5000/callback");
    alice.approve(&world, query.clone()).await.code();
    assert_eq!(alice.authorize(&world, query.clone()).await.status, 200);
    let silent = alice.authorize(&world, query.set("prompt", "none")).await;
    assert_eq!(silent.param("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn dc_18_pkce_is_not_optional() {
    let (world, _) = serving(document());
    let without = query(ID).without("code_challenge").without("code_challenge_method");
    let refused = authorize(&world, &without).await;
    assert_eq!(refused.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(refused.param("code"), None);
}

#[tokio::test]
async fn what_real_clients_ask_for_is_narrowed() {
    let (world, _) = serving(document());
    let tokens = |scope: &'static str, resources: &'static [&'static str]| {
        let world = &world;
        async move {
            let query =
                resources.iter().fold(query(ID).set("scope", scope), |query, one| query.add("resource", one));
            let code = Browser::signed_in("alice").approve(world, query).await.code();
            redeem(world, &code).await
        }
    };
    let narrowed = tokens("openid read offline_access", &[]).await;
    assert_eq!(narrowed.text("scope"), "read");
    tokens("read", &["https://api1.example/?client=codex", "https://api1.example"])
        .await
        .text("access_token");
    let refused = authorize(&world, &query(ID).set("scope", "admin")).await;
    assert_eq!(refused.param("error").as_deref(), Some("invalid_scope"));
    let refused = authorize(&world, &query(ID).add("resource", "https://api2.example")).await;
    assert_eq!(refused.param("error").as_deref(), Some("invalid_target"));
}
