//! What the strictest of real clients refuse, asserted on the raw answers. Each test names who refuses otherwise.

use scenario_tests::{API, FILES, Setup, World, basic, encode, secret};
use serde_json::Value;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REQUEST: &str = "/authorize?response_type=code&client_id=web&state=s&code_challenge_method=S256\
                       &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn no_null(value: &Value) {
    match value {
        Value::Null => panic!("null"),
        Value::Array(all) => all.iter().for_each(no_null),
        Value::Object(all) => all.values().for_each(no_null),
        _ => {}
    }
}

/// A token answer that every client can read.
fn is_strict(reply: &scenario_tests::Reply) -> Value {
    // oauth4webapi, openid-client and openidconnect take no 201; four libraries no other content type.
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let json = reply.json();
    no_null(&json);
    // openidconnect and rmcp take no string and no float.
    assert!(json["expires_in"].is_u64(), "{json}");
    assert_eq!(json["token_type"], "Bearer");
    assert!(json["access_token"].is_string() && json["scope"].is_string(), "{json}");
    json
}

async fn code(world: &World, request: &str) -> String {
    let back = world.browser().go_through(request, "alice").await;
    back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

async fn redeemed(world: &World, more: &str) -> Value {
    let code = code(world, REQUEST).await;
    let form = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}{more}");
    is_strict(&world.post_as("web", "/token", &form).await)
}

#[tokio::test]
async fn token_answers_have_no_null_and_the_right_types() {
    let world = World::start().await;
    let first = redeemed(&world, "").await;
    assert!(first["refresh_token"].is_string());
    let form = format!("grant_type=refresh_token&refresh_token={}", first["refresh_token"].as_str().unwrap());
    let second = is_strict(&world.post_as("web", "/token", &form).await);
    assert_eq!(second["scope"], first["scope"]);
    let machine = is_strict(&world.post_as("job", "/token", "grant_type=client_credentials").await);
    // Absent, not null: five libraries refuse null.
    assert!(machine.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_narrowed_scope_is_told() {
    let world = World::start().await;
    // requests-oauthlib warns when it learns of a change; a client that is not told believes that it has everything.
    assert_eq!(redeemed(&world, "&scope=notes:read").await["scope"], "notes:read");
}

#[tokio::test]
async fn metadata_is_byte_exact_and_complete() {
    for setup in [Setup::new(), Setup::new().path("/t1"), Setup::new().on_loopback()] {
        let world = setup.start().await;
        let path = world.issuer().strip_prefix(world.net.origin()).unwrap();
        let reply = world.net.get(&format!("/.well-known/oauth-authorization-server{path}")).await;
        let json = reply.json();
        no_null(&json);
        // A slash more, and nine of fifteen clients refuse it.
        let issuer = format!("\"issuer\":\"{}\"", world.issuer());
        assert!(reply.text().contains(&issuer) && !world.issuer().ends_with('/'));
        // openidconnect cannot read a document without either, the MCP SDK none without response types.
        assert!(json["jwks_uri"].is_string() && json["response_types_supported"].is_array());
        for list in ["response_types_supported", "grant_types_supported", "code_challenge_methods_supported"]
        {
            assert!(json[list].as_array().unwrap().iter().all(Value::is_string), "{list}");
        }
        assert_eq!(json["authorization_response_iss_parameter_supported"], true);
    }
}

#[tokio::test]
async fn iss_is_in_every_authorization_answer() {
    // Seven of fifteen clients refuse its absence once it is advertised (RFC 9207 §2.4).
    let world = World::start().await;
    let browser = world.browser();
    let bad = [
        format!("{REQUEST}&prompt=none"),
        format!("{REQUEST}&scope=nothing-like-it"),
        REQUEST.replace("response_type=code", "response_type=token"),
        REQUEST.replace("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ""),
        format!("{REQUEST}&resource=https://other.example"),
        format!("{REQUEST}&request_uri=urn:x"),
        format!("{REQUEST}&prompt=none+login"),
    ];
    let mut answers = Vec::new();
    for request in &bad {
        answers.push(browser.open(request).await.away());
    }
    let sign_in = browser.open(REQUEST).await.page();
    let consent = browser.sign_in(&sign_in, "alice").await.page();
    answers.push(browser.deny(&consent).await.away());
    assert!(answers.iter().all(|answer| answer.query_pairs().any(|(name, _)| name == "error")));
    answers.push(browser.go_through(REQUEST, "alice").await);
    for answer in &answers {
        let values = |name| -> Vec<String> {
            let pairs = answer.query_pairs().filter(|(own, _)| own == name);
            pairs.map(|(_, value)| value.into_owned()).collect()
        };
        assert_eq!(values("iss"), [world.issuer()], "{answer}");
        assert_eq!(values("state"), ["s"], "{answer}");
        assert!(answer.fragment().is_none(), "{answer}");
    }
}

#[tokio::test]
async fn basic_credentials_are_form_decoded() {
    // oauth4webapi and openid-client send `conf%2Dclient` (RFC 6749 §2.3.1).
    let world = World::start().await;
    let form = "grant_type=client_credentials";
    let encoded = basic("job", &secret("job"));
    assert_eq!(world.net.post("/token", &[("authorization", &encoded)], form).await.status, 200);
    let every_byte: String = "job".bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hard = format!("{every_byte}:{}", encode(&secret("job")));
    let hard = format!("basic {}", base64(&hard));
    assert_eq!(world.net.post("/token", &[("authorization", &hard)], form).await.status, 200);
    let wrong = basic("job", "not the secret of this client");
    let refused = world.net.post("/token", &[("authorization", &wrong)], form).await;
    assert_eq!(refused.refusal(), (401, "invalid_client".to_owned()));
    assert_eq!(refused.header("www-authenticate"), "Basic realm=\"oauth\"");
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn a_revocation_answers_an_empty_object() {
    // simple-oauth2 parses the answer of a revocation, and cannot parse nothing.
    let world = World::start().await;
    let tokens = redeemed(&world, "").await;
    for token in
        [tokens["access_token"].as_str().unwrap(), "unknown", tokens["refresh_token"].as_str().unwrap()]
    {
        for hint in ["", "&token_type_hint=refresh_token", "&token_type_hint=whatever"] {
            let form = format!("token={}{hint}", encode(token));
            let reply = world.post_as("web", "/revoke", &form).await;
            assert_eq!((reply.status.as_u16(), reply.text()), (200, "{}"));
            assert_eq!(reply.header("content-type"), "application/json");
        }
    }
}

#[tokio::test]
async fn introspection_has_no_null_and_says_nothing_of_dead_tokens() {
    let world = World::start().await;
    let token = redeemed(&world, "").await;
    let access = token["access_token"].as_str().unwrap();
    let live = world.introspect("web", access).await;
    no_null(&live);
    assert_eq!(live["active"], true);
    assert!(live["exp"].is_i64() && live["iat"].is_i64() && live["scope"].is_string(), "{live}");
    assert!(live["exp"].as_i64() > live["iat"].as_i64());
    let form = format!("token={}", encode(access));
    assert_eq!(world.post_as("post", "/introspect", &form).await.text(), "{\"active\":false}");
    assert_eq!(world.post_as("web", "/introspect", "token=unknown").await.text(), "{\"active\":false}");
}

#[tokio::test]
async fn an_audience_is_a_string_where_there_is_one() {
    let world = World::start().await;
    let app = world.app("web").await;
    let both = [("resource", API), ("resource", FILES)];
    let tokens = app.obtain(&world.browser(), "alice", "notes:read", &both).await;
    assert_eq!(world.introspect("api", &tokens.access).await["aud"], serde_json::json!([API, FILES]));
    let one = app.refresh(&tokens.refresh, "", &[("resource", API)]).await.unwrap();
    assert_eq!(world.introspect("api", &one.access).await["aud"], API);
}

#[tokio::test]
async fn errors_are_json_with_plain_descriptions() {
    let world = World::start().await;
    for (path, form) in [
        ("/token", "grant_type=password&username=a&password=b"),
        ("/token", "grant_type=authorization_code&code=junk"),
        ("/token", "grant_type=%C3%BC%22%5C"),
        ("/token", ""),
        ("/revoke", ""),
        ("/introspect", ""),
    ] {
        let reply = world.post_as("web", path, form).await;
        assert_eq!(reply.status, 400, "{path} {form}: {reply:?}");
        let json = reply.json();
        no_null(&json);
        // RFC 6749 §5.2 allows these characters and no others.
        let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(json["error_description"].as_str().unwrap().bytes().all(allowed), "{json}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}
