//! JWT access tokens (JW) where they are issued and where this server is asked about them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use attack_tests::{
    API1, API2, ISSUER, Query, START, World, assert_inactive, assert_json, assert_unavailable, encode,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::server::{ServerBuilder, SigningKeys, TokenClaims, TokenContext, VerifyError};
use oauth_core::storage::{StoreError, StoreResult};
use oauth_jose::{
    AccessTokenClaims, Algorithm, CompactSigner, JwkSet, LocalKey, SignError, Signer, VerifyingKey,
    VerifyingKeys,
};
use serde_json::{Map, Value, json};

fn world() -> World {
    World::with(|builder| builder.jwt_for(API1))
}

/// What a resource server makes of a token: the key set as it is published, and the claims.
async fn read(world: &World, token: &str) -> AccessTokenClaims {
    let set = JwkSet::parse(world.get("/jwks").await.body.as_bytes()).unwrap();
    let keys = VerifyingKeys::from_jwks(&set, &Algorithm::ALL).unwrap();
    AccessTokenClaims::parse(keys.verify(token, &["at+jwt"]).unwrap().payload()).unwrap()
}

async fn tokens(world: &World, query: Query) -> (String, String) {
    let reply = world.redeem("web", &world.code_for(query).await).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["expires_in"], 600);
    (reply.text("access_token"), reply.text("refresh_token"))
}

fn for_api1() -> Query {
    Query::of("web").set("resource", API1)
}

#[tokio::test]
async fn every_claim_of_the_profile_is_there() {
    let world = world();
    let (token, _) = tokens(&world, for_api1()).await;
    let claims = read(&world, &token).await;
    let now = u64::try_from(START).unwrap();
    assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (ISSUER, "alice"));
    assert_eq!((claims.aud.as_slice(), claims.client_id.as_deref()), (&[API1.to_owned()][..], Some("web")));
    assert_eq!((claims.iat, claims.exp, claims.auth_time), (Some(now), now + 600, Some(now)));
    assert!(claims.jti.is_some() && claims.cnf.is_none() && claims.extra.is_empty());
    assert!(claims.scope.is_some());

    let own = world.token("m2m", "grant_type=client_credentials&scope=read").await;
    let claims = read(&world, &own.text("access_token")).await;
    assert_eq!((claims.sub.as_str(), claims.scope.as_deref()), ("m2m", Some("read")));
    assert_eq!((claims.auth_time, own.json().get("refresh_token")), (None, None));
    let grants = world.server.grants().list(oauth_core::storage::Index::Client("m2m")).await.unwrap();
    assert!(grants[0].live);
}

#[tokio::test]
async fn unless_said_otherwise_es256_signs_and_the_key_set_is_kept_for_five_minutes() {
    let world = world();
    let (token, _) = tokens(&world, for_api1()).await;
    let header = base64_header(&token);
    assert_eq!((&header["alg"], &header["typ"]), (&"ES256".into(), &"at+jwt".into()));
    let keys = world.get("/jwks").await;
    assert_eq!(keys.json()["keys"][0]["alg"], "ES256");
    assert_eq!(keys.header("cache-control"), Some("public, max-age=300"));
}

fn base64_header(token: &str) -> Value {
    let (header, _) = token.split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

#[tokio::test]
async fn formats_follow_resources_and_do_not_mix() {
    let world = world();
    let opaque = world.redeem("web", &world.code_for(Query::of("web").set("resource", API2)).await).await;
    assert!(opaque.text("access_token").starts_with("oat_"), "{opaque:?}");

    // A grant for both: each request names one of them.
    let code = world.code("web").await;
    let mixed = world.redeem("web", &code).await;
    assert_json(&mixed, 400, "invalid_target");
    let form = format!("{}&resource={}", World::redemption(&code), encode(API1));
    let first = world.token("web", &form).await;
    assert_eq!(read(&world, &first.text("access_token")).await.aud.as_slice(), [API1]);
    let other = format!("{}&resource={}", World::refreshment(&first.text("refresh_token")), encode(API2));
    assert!(world.token("web", &other).await.text("access_token").starts_with("oat_"));
}

#[tokio::test]
async fn this_server_knows_its_own_tokens_and_their_end() {
    let world = world();
    let (token, refresh) = tokens(&world, for_api1()).await;
    let shown = world.post_as("rs1", "/introspect", &format!("token={token}")).await.json();
    assert_eq!(
        (&shown["active"], &shown["sub"], &shown["aud"]),
        (&true.into(), &"alice".into(), &API1.into())
    );
    assert_eq!(shown["token_type"], "Bearer");
    for stranger in ["rs2", "web2"] {
        assert_inactive(&world.post_as(stranger, "/introspect", &format!("token={token}")).await);
    }
    let verified = world.server.verify(&token).await.unwrap();
    assert_eq!((verified.subject(), &*verified.client_id), (Some("alice"), "web"));

    // Revoked by another client: nothing happens. By its own: it alone ends.
    let second = world.refresh("web", &refresh).await;
    for (client, active) in [("web2", true), ("web", false)] {
        assert_eq!(world.post_as(client, "/revoke", &format!("token={token}")).await.status, 200);
        assert_eq!(world.is_active(&token).await, active, "{client}");
        assert_eq!(world.server.verify(&token).await.is_ok(), active, "{client}");
    }
    assert!(world.is_active(&second.text("access_token")).await);

    // The grant ends: everything does.
    let form = format!("token={}", second.text("refresh_token"));
    world.post_as("web", "/revoke", &form).await;
    assert!(!world.is_active(&second.text("access_token")).await);
    assert!(matches!(world.server.verify(&second.text("access_token")).await, Err(VerifyError::Invalid(_))));
}

#[tokio::test]
async fn a_token_ends_with_its_time_its_replayed_code_and_its_subject() {
    let world = world();
    let (expiring, _) = tokens(&world, for_api1()).await;
    world.clock.advance(Duration::from_secs(599));
    assert!(world.is_active(&expiring).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.is_active(&expiring).await);

    let code = world.code_for(for_api1()).await;
    let token = world.redeem("web", &code).await.text("access_token");
    assert!(world.is_active(&token).await);
    assert_json(&world.redeem("web", &code).await, 400, "invalid_grant");
    assert!(!world.is_active(&token).await);

    let (token, _) = tokens(&world, for_api1()).await;
    world.clock.advance(Duration::from_secs(1));
    world.server.grants().revoke_all(oauth_core::storage::Index::Subject("alice")).await.unwrap();
    assert!(!world.is_active(&token).await);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_with_equal_claims() {
    let world = world();
    let (_, refresh) = tokens(&world, for_api1()).await;
    world.clock.advance(Duration::from_millis(1_700));
    let first = world.refresh("web", &refresh).await;
    world.clock.advance(Duration::from_secs(5));
    let again = world.refresh("web", &refresh).await;
    assert_eq!(first.text("refresh_token"), again.text("refresh_token"));
    let [one, two] = [&first, &again].map(|reply| reply.text("access_token"));
    assert_eq!(read(&world, &one).await, read(&world, &two).await);
    assert_eq!(again.json()["expires_in"], 595);

    // Revoking it closes the window: it is not made again.
    world.post_as("web", "/revoke", &format!("token={two}")).await;
    assert!(!world.is_active(&one).await);
    assert_json(&world.refresh("web", &refresh).await, 400, "invalid_grant");
}

/// Gives what it was made with.
#[derive(Debug)]
struct Claims(Mutex<StoreResult<Map<String, Value>>>);

#[async_trait]
impl TokenClaims for Claims {
    async fn claims(&self, token: &TokenContext<'_>) -> StoreResult<Map<String, Value>> {
        assert_eq!((token.client_id, token.subject), ("web", Some("alice")));
        let mut own = self.0.lock().unwrap();
        std::mem::replace(&mut *own, Ok(Map::new()))
    }
}

fn with_claims(claims: StoreResult<Value>) -> World {
    let claims = claims.map(|claims| claims.as_object().unwrap().clone());
    World::with(|builder| builder.jwt_for(API1).token_claims(Claims(Mutex::new(claims))))
}

#[tokio::test]
async fn jw_22_a_hook_cannot_say_what_the_server_decides() {
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "scope",
        "auth_time",
        "acr",
        "amr",
        "cnf",
        "act",
    ] {
        let world = with_claims(Ok(json!({"tenant": 1, name: "https://evil.example"})));
        let code = world.code_for(for_api1()).await;
        assert_json(&world.redeem("web", &code).await, 500, "server_error");
        // Nothing was consumed.
        assert_eq!(world.redeem("web", &code).await.status, 200);
    }
    let world = with_claims(Ok(json!({"tenant": {"id": "\"7\\"}, "\"\n": [1]})));
    let claims = read(&world, &tokens(&world, for_api1()).await.0).await;
    assert_eq!(Value::Object(claims.extra), json!({"tenant": {"id": "\"7\\"}, "\"\n": [1]}));
}

#[tokio::test]
async fn a_hook_that_fails_consumes_nothing() {
    let world = with_claims(Err(StoreError::Unavailable("down".into())));
    let code = world.code_for(for_api1()).await;
    assert_unavailable(&world.redeem("web", &code).await);
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

/// A KMS whose answers are given.
#[derive(Debug)]
struct Kms(LocalKey, Mutex<Vec<Result<Vec<u8>, SignError>>>);

#[async_trait]
impl Signer for Kms {
    fn key(&self) -> &VerifyingKey {
        self.0.key()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let answer = self.1.lock().unwrap().pop();
        match answer {
            Some(answer) => answer,
            None => self.0.sign(message).await,
        }
    }
}

#[tokio::test]
async fn a_signer_that_fails_consumes_nothing() {
    let der = vec![0x30; 71];
    let answers = vec![Ok(der), Err(SignError::new("the KMS is down"))];
    let kms = Kms(LocalKey::generate(Algorithm::Es256).unwrap(), Mutex::new(answers));
    let world = World::with(|builder| builder.jwt_for(API1).signing_keys(SigningKeys::given(kms)));
    let code = world.code_for(for_api1()).await;
    for _ in 0..2 {
        assert_unavailable(&world.redeem("web", &code).await);
    }
    let reply = world.redeem("web", &code).await;
    assert_eq!(reply.status, 200);
    assert!(world.is_active(&reply.text("access_token")).await);
}

#[tokio::test]
async fn every_algorithm_issues_and_is_published() {
    for algorithm in Algorithm::ALL {
        let key = LocalKey::generate(algorithm).unwrap();
        let configure =
            |builder: ServerBuilder| builder.jwt_for(API1).signing_keys(SigningKeys::given(key.clone()));
        let world = World::with(configure);
        let (token, _) = tokens(&world, for_api1()).await;
        assert_eq!(read(&world, &token).await.sub, "alice");
        assert!(world.is_active(&token).await, "{algorithm}");
    }
}

#[tokio::test]
async fn jw_26_the_key_set_has_public_members_only() {
    let next = LocalKey::generate(Algorithm::Rs256).unwrap();
    let keys = SigningKeys::given(LocalKey::generate(Algorithm::EdDsa).unwrap())
        .also_published(next.key().jwk().clone())
        .max_age(Duration::from_secs(60));
    let world = World::with(|builder| builder.jwt_for(API1).signing_keys(keys));
    let reply = world.get("/jwks").await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
    let json = reply.json();
    let published = json["keys"].as_array().unwrap();
    assert_eq!(published.len(), 2);
    for key in published {
        for member in ["kid", "alg", "use", "kty"] {
            assert!(key[member].is_string(), "{key}");
        }
        for secret in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(key.get(secret).is_none(), "{key}");
        }
    }
    assert_eq!(World::new().get("/jwks").await.body, r#"{"keys":[]}"#);
}

#[tokio::test]
async fn forged_and_foreign_jwts_are_not_ours() {
    let world = world();
    let (token, _) = tokens(&world, for_api1()).await;
    let payload = {
        let set = JwkSet::parse(world.get("/jwks").await.body.as_bytes()).unwrap();
        let keys = VerifyingKeys::from_jwks(&set, &Algorithm::ALL).unwrap();
        keys.verify(&token, &["at+jwt"]).unwrap().into_payload()
    };
    // Another server of the same name and another key, and one of another name.
    let evil = LocalKey::generate(Algorithm::Es256).unwrap();
    let forged = CompactSigner::new(Arc::new(evil), "at+jwt").sign(&payload).await.unwrap();
    let other = self::world();
    let (foreign, _) = tokens(&other, for_api1()).await;
    let [head, body, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let cut = format!("{head}.{body}.");
    let long = format!("{head}.{body}.{signature}.{signature}");
    for token in [forged.as_str(), &foreign, &cut, &long, "a.b.c", "..", "."] {
        assert_inactive(&world.post_as("rs1", "/introspect", &format!("token={token}")).await);
        assert!(world.server.verify(token).await.is_err());
        assert_eq!(world.post_as("web", "/revoke", &format!("token={token}")).await.status, 200);
    }
    assert!(world.is_active(&token).await);
}

#[tokio::test]
async fn tokens_of_another_purpose_that_our_key_has_signed_are_not_access_tokens() {
    let key = LocalKey::generate(Algorithm::Es256).unwrap();
    let keys = SigningKeys::given(key.clone());
    let world = World::with(|builder| builder.jwt_for(API1).signing_keys(keys));
    let (token, _) = tokens(&world, for_api1()).await;
    let claims = read(&world, &token).await;
    for typ in ["JWT", "dpop+jwt", "logout+jwt", ""] {
        let signer = CompactSigner::new(Arc::new(key.clone()), typ);
        let other = signer.sign(&serde_json::to_vec(&claims).unwrap()).await.unwrap();
        assert!(!world.is_active(&other).await, "{typ}");
    }
    // Also not with a jti that names no grant, or with an issuer that shares the key.
    for change in [json!({"jti": "x"}), json!({"iss": "https://other.example"}), json!({"client_id": "web2"})]
    {
        let mut other = serde_json::to_value(&claims).unwrap();
        for (name, value) in change.as_object().unwrap() {
            other[name] = value.clone();
        }
        let signer = CompactSigner::new(Arc::new(key.clone()), "at+jwt");
        let other = signer.sign(&serde_json::to_vec(&other).unwrap()).await.unwrap();
        assert!(!world.is_active(&other).await, "{change}");
    }
}

#[tokio::test]
async fn revoking_more_jwts_of_a_grant_than_are_remembered_ends_it() {
    let world = World::with(|builder| builder.jwt_for(API1).max_access_tokens(2));
    let (token, mut refresh) = tokens(&world, for_api1()).await;
    let mut all = vec![token];
    for _ in 0..2 {
        let reply = world.refresh("web", &refresh).await;
        refresh = reply.text("refresh_token");
        all.push(reply.text("access_token"));
    }
    for token in &all[..2] {
        world.post_as("web", "/revoke", &format!("token={token}")).await;
        assert!(!world.is_active(token).await);
    }
    assert_eq!(world.grants("web").await, ["active"]);
    world.post_as("web", "/revoke", &format!("token={}", all[2])).await;
    assert!(!world.is_active(&all[2]).await);
    assert_eq!(world.grants("web").await, ["revoked"]);
}

#[tokio::test]
async fn rv_11_a_revoked_jwt_is_one_everywhere_that_asks() {
    let world = world();
    let (token, refresh) = tokens(&world, for_api1()).await;
    assert!(world.is_active(&token).await);
    // No `unsupported_token_type`, and no success that means nothing.
    assert_eq!(world.revoke("web", &token).await.status, 200);
    assert_inactive(&world.introspect("rs1", &token).await);
    assert!(world.server.verify(&token).await.is_err());
    assert_eq!(world.refresh("web", &refresh).await.status, 200, "the grant lives on");
}
