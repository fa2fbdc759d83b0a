//! Attacks on clients that authenticate by a signed assertion (CA-19 to CA-46).

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{API1, Asserter, Documents, ISSUER, Reply, START, World, assert_json, asserted, encode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oauth_core::client::{Client, ClientKeys, ClientKeysError};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::fetch::FetchError;
use oauth_core::server::ServerBuilder;
use oauth_jose::Algorithm;
use oauth_storage_memory::MemoryStore;
use serde_json::{Value, json};

const FORM: &str = "grant_type=client_credentials";
const JWKS: &str = "https://machine.example/jwks";

fn machine(builder: ServerBuilder, id: &str, keys: ClientKeys) -> ServerBuilder {
    builder.client(
        Client::private_key_jwt(id, keys).grant_types(["client_credentials"]).scope("read").resource(API1),
    )
}

fn world(asserter: &Asserter) -> World {
    let keys = ClientKeys::by_value(&asserter.jwks()).unwrap();
    World::with(|builder| machine(builder, "machine", keys))
}

fn asserter() -> Asserter {
    Asserter::new("machine", Algorithm::Es256, "k1")
}

async fn token(world: &World, assertion: &str) -> Reply {
    world.post("/token", &[], &format!("{FORM}&{}", asserted(assertion))).await
}

/// The assertion with other claims is refused.
#[track_caller]
fn assert_refused(reply: &Reply) {
    assert_json(reply, 401, "invalid_client");
}

async fn with_claims(asserter: &Asserter, changes: Value) -> String {
    let mut claims = asserter.claims("j");
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    asserter.assertion(&claims).await
}

#[tokio::test]
async fn every_algorithm_authenticates_at_every_endpoint() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
        let asserter = Asserter::new("machine", algorithm, "k1");
        let world = world(&asserter);
        let form = asserter.form("1").await;
        let reply = world.post("/token", &[], &format!("{FORM}&{form}&client_id=machine")).await;
        assert_eq!(reply.status, 200, "{algorithm}: {reply:?}");
        let token = encode(&reply.text("access_token"));
        let form = asserter.form("2").await;
        let reply = world.post("/introspect", &[], &format!("token={token}&{form}")).await;
        assert_eq!(reply.json()["active"], true);
        let form = asserter.form("3").await;
        assert_eq!(world.post("/revoke", &[], &format!("token={token}&{form}")).await.status, 200);
        let form = asserter.form("4").await;
        let reply = world.post("/introspect", &[], &format!("token={token}&{form}")).await;
        assert_eq!(reply.json()["active"], false);
    }
}

#[tokio::test]
async fn ca_19_ca_34_ca_35_what_the_header_asks_for_is_not_done() {
    let (asserter, attacker) = (asserter(), Asserter::new("machine", Algorithm::Es256, "k1"));
    let documents = Documents::default();
    let keys = ClientKeys::by_value(&asserter.jwks()).unwrap();
    let world = World::with(|builder| machine(builder, "machine", keys).document_fetcher(documents.clone()));
    let claims = asserter.claims("j").to_string();
    for more in [
        json!({"alg": "none"}),
        json!({"alg": "nOnE"}),
        json!({"alg": "HS256"}),
        json!({"alg": "RS256"}),
        json!({"alg": null}),
        json!({"crit": ["x"], "x": 1}),
        json!({"crit": []}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"b64": false}),
        json!({"kid": "k2"}),
        json!({"kid": 1}),
    ] {
        let mut header = asserter.header();
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_refused(&token(&world, &asserter.sign(&header, &claims).await).await);
    }
    for (name, value) in [
        ("jwk", attacker.jwk()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = attacker.header();
        header[name] = value;
        assert_refused(&token(&world, &attacker.sign(&header, &claims).await).await);
    }
    let right = asserter.assertion(&asserter.claims("j")).await;
    let (signed, _) = right.rsplit_once('.').unwrap();
    assert_refused(&token(&world, &format!("{signed}.")).await);
    assert_eq!(documents.fetches(), 0);
    assert_eq!(token(&world, &right).await.status, 200, "nothing has used up its jti");
}

#[tokio::test]
async fn ca_22_ca_23_ca_24_the_issuer_is_the_only_audience() {
    let asserter = asserter();
    let world = world(&asserter);
    for aud in [
        json!(format!("{ISSUER}/token")),
        json!(format!("{ISSUER}/par")),
        json!(format!("{ISSUER}/")),
        json!("HTTPS://AS.example"),
        json!("https://attacker-as.example"),
        json!([ISSUER, "https://other.example"]),
        json!([ISSUER, ISSUER]),
        json!([ISSUER, 1]),
        json!([]),
        json!([[ISSUER]]),
        json!({"a": ISSUER}),
        json!(1),
        json!(null),
    ] {
        assert_refused(&token(&world, &with_claims(&asserter, json!({"aud": aud})).await).await);
    }
    assert_eq!(
        token(&world, &with_claims(&asserter, json!({"aud": [ISSUER], "jti": "a"})).await).await.status,
        200
    );
    assert_eq!(
        token(&world, &with_claims(&asserter, json!({"aud": ISSUER, "jti": "b"})).await).await.status,
        200
    );
}

#[tokio::test]
async fn ca_25_times_are_numbers_within_bounds() {
    let asserter = asserter();
    let world = world(&asserter);
    for changes in [
        json!({"exp": null}),
        json!({"exp": START - 61}),
        json!({"exp": "9999999999"}),
        json!({"exp": -1}),
        json!({"exp": true}),
        json!({"exp": 1e300}),
        json!({"exp": START + 365 * 24 * 3600}),
        json!({"exp": START + 3600 + 120}),
        json!({"nbf": START + 61}),
        json!({"iat": START + 61}),
        json!({"nbf": "x"}),
        json!({"iat": []}),
    ] {
        let assertion = with_claims(&asserter, changes.clone()).await;
        let reply = token(&world, &assertion).await;
        assert_eq!((reply.status, reply.text("error").as_str()), (401, "invalid_client"), "{changes}");
    }
    let huge = asserter.claims("j").to_string().replace(&(START + 300).to_string(), "1e400");
    assert_refused(&token(&world, &asserter.sign(&asserter.header(), &huge).await).await);
    let twice = asserter.claims("j").to_string().replacen('{', r#"{"exp":9999999999,"#, 1);
    assert_refused(&token(&world, &asserter.sign(&asserter.header(), &twice).await).await);
    for fine in [
        json!({"exp": START - 30}),
        json!({"exp": START + 3600, "jti": "k", "iat": START, "nbf": START + 30}),
    ] {
        assert_eq!(token(&world, &with_claims(&asserter, fine).await).await.status, 200);
    }
}

#[tokio::test]
async fn ca_27_ca_29_an_assertion_works_once_everywhere() {
    let asserter = asserter();
    let clock = ManualClock::new(Timestamp::from_secs(START));
    let store = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let replica = || {
        let keys = ClientKeys::by_value(&asserter.jwks()).unwrap();
        World::over(store.clone(), clock.clone(), |builder| machine(builder, "machine", keys))
    };
    let (a, b) = (replica(), replica());
    let form = asserter.form("once").await;
    assert_eq!(a.post("/token", &[], &format!("{FORM}&{form}")).await.status, 200);
    for world in [&a, &b, &replica()] {
        for (path, rest) in [("/token", FORM), ("/revoke", "token=x"), ("/introspect", "token=x")] {
            assert_refused(&world.post(path, &[], &format!("{rest}&{form}")).await);
        }
    }
    // Until nobody would take it any more, purging does not forget it.
    clock.advance(Duration::from_secs(300 + 59));
    b.server.store().purge(b.server.now(), 1000).await.unwrap();
    assert_refused(&b.post("/token", &[], &format!("{FORM}&{form}")).await);
    for missing in
        [json!({"jti": null}), json!({"jti": ""}), json!({"jti": 1}), json!({"jti": "x".repeat(257)})]
    {
        assert_refused(&token(&b, &with_claims(&asserter, missing).await).await);
    }
}

#[tokio::test]
async fn ca_30_a_jti_belongs_to_its_client() {
    let (a, b) = (asserter(), Asserter::new("machine2", Algorithm::Es256, "k1"));
    let keys = |own: &Asserter| ClientKeys::by_value(&own.jwks()).unwrap();
    let world = World::with(|builder| machine(machine(builder, "machine", keys(&a)), "machine2", keys(&b)));
    // Nobody uses up the jti of another: neither under their own name, nor with a signature that is wrong.
    let attacker = Asserter::new("machine2", Algorithm::Es256, "k1");
    assert_refused(&world.post("/token", &[], &format!("{FORM}&{}", attacker.form("same").await)).await);
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", a.form("same").await)).await.status, 200);
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", b.form("same").await)).await.status, 200);
}

#[tokio::test]
async fn ca_31_issuer_subject_and_client_are_one() {
    let asserter = asserter();
    let world = world(&asserter);
    for changes in [
        json!({"iss": "other"}),
        json!({"sub": "other"}),
        json!({"sub": null}),
        json!({"iss": null}),
        json!({"iss": "web", "sub": "web"}),
        json!({"sub": 1}),
    ] {
        assert_refused(&token(&world, &with_claims(&asserter, changes).await).await);
    }
    let form = asserter.form("j").await;
    for other in ["m2m", "web", "nobody"] {
        assert_refused(&world.post("/token", &[], &format!("{FORM}&{form}&client_id={other}")).await);
    }
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{form}&client_id=machine")).await.status, 200);
}

#[tokio::test]
async fn ca_32_the_type_of_the_assertion_is_said() {
    let asserter = asserter();
    let world = world(&asserter);
    let assertion = asserter.assertion(&asserter.claims("j")).await;
    let saml = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Asaml2-bearer";
    for form in [
        format!("client_assertion={assertion}&client_assertion_type={saml}"),
        format!("client_assertion={assertion}"),
        asserted("").replace("&client_assertion=", ""),
    ] {
        let reply = world.post("/token", &[], &format!("{FORM}&client_id=machine&{form}")).await;
        assert_refused(&reply);
    }
    let twice = format!("{FORM}&{}&client_assertion={assertion}", asserted(&assertion));
    assert_json(&world.post("/token", &[], &twice).await, 400, "invalid_request");
    assert_eq!(token(&world, &assertion).await.status, 200);
}

#[tokio::test]
async fn ca_37_other_tokens_of_the_client_are_no_assertions() {
    let asserter = asserter();
    let world = world(&asserter);
    for typ in
        ["dpop+jwt", "oauth-authz-req+jwt", "at+jwt", "logout+jwt", "secevent+jwt", "application/at+jwt"]
    {
        let mut header = asserter.header();
        header["typ"] = json!(typ);
        assert_refused(
            &token(&world, &asserter.sign(&header, &asserter.claims("j").to_string()).await).await,
        );
    }
    let mut header = asserter.header();
    header["typ"] = json!("client-authentication+jwt");
    let right = asserter.sign(&header, &asserter.claims("j").to_string()).await;
    assert_eq!(token(&world, &right).await.status, 200);
    let bare = json!({"alg": "ES256", "kid": "k1"});
    let right = asserter.sign(&bare, &asserter.claims("k").to_string()).await;
    assert_eq!(token(&world, &right).await.status, 200);
}

#[tokio::test]
async fn ca_38_weak_and_invalid_keys_are_not_registered() {
    let jwks = |key: Value| json!({"keys": [key]}).to_string();
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    let modulus = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xc1; bytes]);
    for (key, error) in [
        (json!({"kty": "RSA", "alg": "RS256", "n": modulus(64), "e": "AQAB"}), ClientKeysError::Set),
        (json!({"kty": "RSA", "alg": "RS256", "n": modulus(128), "e": "AQAB"}), ClientKeysError::Set),
        (json!({"kty": "RSA", "alg": "RS256", "n": modulus(256), "e": "AQ"}), ClientKeysError::Set),
        (json!({"kty": "EC", "crv": "P-256", "x": zeros, "y": zeros}), ClientKeysError::Set),
        (json!({"kty": "EC", "crv": "secp256k1", "x": zeros, "y": zeros}), ClientKeysError::Set),
        (json!({"kty": "oct", "k": "AAAA"}), ClientKeysError::Private),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": zeros, "d": zeros}), ClientKeysError::Private),
        (json!(1), ClientKeysError::Set),
    ] {
        assert_eq!(ClientKeys::by_value(&jwks(key.clone())).unwrap_err(), error, "{key}");
    }
    for text in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":{}}"#] {
        assert_eq!(ClientKeys::by_value(text).unwrap_err(), ClientKeysError::Set, "{text}");
    }
    // Points of small order, in every spelling: a signature by one of them fits many messages.
    let eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let other = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let hex = |text: &str| -> Vec<u8> {
        (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    };
    let near = |first: u8| [&[first][..], &[0xff; 30], &[0x7f]].concat();
    let one = [&[1][..], &[0; 31]].concat();
    for mut point in [vec![0; 32], one, hex(eight), hex(other), near(0xec), near(0xed), near(0xee)] {
        for sign in [0, 0x80] {
            point[31] |= sign;
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&point)});
            assert_eq!(ClientKeys::by_value(&jwks(jwk)).unwrap_err(), ClientKeysError::Set, "{point:x?}");
        }
    }
}

#[tokio::test]
async fn ca_39_ca_40_signatures_have_one_form() {
    let asserter = asserter();
    let world = world(&asserter);
    let right = asserter.assertion(&asserter.claims("j")).await;
    let (signed, signature) = right.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut forged = vec![
        vec![0; 64],
        bytes[..63].to_vec(),
        [&bytes[..], &[0]].concat(),
        Vec::new(),
        [&[0x30, 0x44, 0x02, 0x20], &bytes[..32], &[0x02, 0x20], &bytes[32..]].concat(),
    ];
    forged.push({
        let mut flipped = bytes.clone();
        flipped[10] ^= 1;
        flipped
    });
    for forged in forged {
        assert_refused(&token(&world, &format!("{signed}.{}", URL_SAFE_NO_PAD.encode(forged))).await);
    }
    let (header, claims) = signed.split_once('.').unwrap();
    for lax in [
        format!("{right}=="),
        format!("{right}="),
        format!(" {right}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{signed}.{}", STANDARD.encode(&bytes)),
        format!("{right}.x"),
        format!("{header}.{claims}"),
        format!("{}.{claims}.{signature}", header.to_uppercase()),
    ] {
        assert_refused(&token(&world, &lax).await);
    }
    assert_json(&token(&world, &format!("{right}\n")).await, 400, "invalid_request");
    // The last digit of 64 bytes carries four bits that are not used.
    let last = signature.chars().last().unwrap();
    for other in ('A'..='Z').chain('a'..='z').chain('0'..='9').filter(|other| *other != last) {
        let lax = format!("{}{other}", &right[..right.len() - 1]);
        assert_refused(&token(&world, &lax).await);
    }
    assert_eq!(token(&world, &right).await.status, 200);
}

#[tokio::test]
async fn keys_are_fetched_when_they_are_needed_and_when_they_change() {
    let (old, new) = (asserter(), Asserter::new("machine", Algorithm::EdDsa, "k2"));
    let documents = Documents::default();
    documents.put(JWKS, old.jwks());
    let world = by_uri(&documents);
    assert_eq!(documents.fetches(), 0);
    for jti in ["1", "2", "3"] {
        assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", old.form(jti).await)).await.status, 200);
    }
    assert_eq!(documents.fetches(), 1);
    documents.put(JWKS, json!({"keys": [old.jwk(), new.jwk()]}));
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", new.form("4").await)).await.status, 200);
    assert_eq!(documents.fetches(), 2);
}

fn by_uri(documents: &Documents) -> World {
    let keys = ClientKeys::by_uri(JWKS).unwrap();
    World::with(|builder| machine(builder, "machine", keys).document_fetcher(documents.clone()))
}

#[tokio::test]
async fn ca_41_unknown_keys_and_broken_hosts_cost_one_fetch() {
    let (asserter, unknown) = (asserter(), Asserter::new("machine", Algorithm::Es256, "k9"));
    let documents = Documents::default();
    documents.put(JWKS, asserter.jwks());
    let world = by_uri(&documents);
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await.status, 200);
    world.clock.advance(Duration::from_secs(30));
    let form = unknown.form("x").await;
    for _ in 0..1000 {
        assert_refused(&world.post("/token", &[], &format!("{FORM}&{form}")).await);
    }
    assert_eq!(documents.fetches(), 2, "one fetch in a cool-down");
    // The last good keys count while the host is down.
    documents.fail(JWKS, FetchError::Unreachable);
    world.clock.advance(Duration::from_secs(200));
    let claims = with_claims(&asserter, json!({"jti": "late", "exp": START + 300})).await;
    assert_eq!(token(&world, &claims).await.status, 200);
    for error in [FetchError::Unreachable, FetchError::TooLong, FetchError::Answer, FetchError::Address] {
        let documents = Documents::default();
        documents.fail(JWKS, error);
        let world = by_uri(&documents);
        for _ in 0..100 {
            assert_refused(&world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await);
        }
        assert_eq!(documents.fetches(), 1, "{error}");
        assert_eq!(world.token("m2m", FORM).await.status, 200, "others are not affected");
    }
    for uri in [
        "http://machine.example/jwks",
        "https://169.254.169.254/",
        "https://localhost/",
        "file:///etc/passwd",
    ] {
        assert_eq!(ClientKeys::by_uri(uri).unwrap_err(), ClientKeysError::Uri, "{uri}");
    }
}

#[tokio::test]
async fn ca_41_a_purge_does_not_forget_the_last_good_keys_of_a_host_that_is_down() {
    let asserter = asserter();
    let documents = Documents::default();
    documents.put(JWKS, asserter.jwks());
    let world = by_uri(&documents);
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await.status, 200);
    documents.fail(JWKS, FetchError::Unreachable);
    for hours in [2_u32, 4, 6] {
        world.clock.advance(Duration::from_secs(2 * 3600));
        world.server.purge(1000).await.unwrap();
        let at = START + i64::from(hours) * 3600;
        let claims = json!({"jti": hours.to_string(), "iat": at, "exp": at + 60});
        let assertion = with_claims(&asserter, claims).await;
        assert_eq!(token(&world, &assertion).await.status, 200, "after {hours} hours");
    }
    world.clock.advance(Duration::from_secs(8 * 24 * 3600));
    world.server.purge(1000).await.unwrap();
    assert_refused(&token(&world, &with_claims(&asserter, json!({"exp": START + 3600 * 200})).await).await);
}

#[tokio::test]
async fn ca_41_too_many_fetches_of_others_are_no_failure_of_the_client() {
    let asserter = asserter();
    let documents = Documents::default();
    documents.fail(JWKS, FetchError::Busy);
    let world = by_uri(&documents);
    let later = world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await;
    assert_json(&later, 503, "temporarily_unavailable");
    documents.put(JWKS, asserter.jwks());
    assert_eq!(world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await.status, 200);
}

#[tokio::test]
async fn ca_43_ca_46_certificates_in_headers_are_not_read() {
    let asserter = asserter();
    let world = world(&asserter);
    for header in ["x-ssl-client-cert", "client-cert", "x-forwarded-client-cert", "x-client-cert"] {
        let reply = world.post("/token", &[(header, "MIIB")], &format!("{FORM}&client_id=machine")).await;
        assert_refused(&reply);
    }
}

#[tokio::test]
async fn a_client_that_registered_another_algorithm_or_method_is_refused() {
    let asserter = Asserter::new("machine", Algorithm::Rs256, "k1");
    let keys = ClientKeys::by_value(&asserter.jwks()).unwrap().only(Algorithm::Ps256);
    let world = World::with(|builder| machine(builder, "machine", keys));
    assert_refused(&world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await);
    // A client with a secret has no keys that could count.
    let asserter = asserter.of("m2m");
    assert_refused(&world.post("/token", &[], &format!("{FORM}&{}", asserter.form("1").await)).await);
}
