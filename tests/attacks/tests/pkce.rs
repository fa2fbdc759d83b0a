//! Attacks on the proof key of a code.

use std::time::Duration;

use attack_tests::{
    API2, APP, Browser, CHALLENGE, Query, SPA, VERIFIER, World, assert_json, assert_redirect, encode, secret,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use oauth_core::client::{Client, ClientError, ClientSecret};

/// A verifier of the right form that answers another challenge.
const OTHER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";

/// The request is refused at the client's redirect URI, and nothing is stored.
async fn invalid(query: Query, redirect_uri: &str) {
    let world = World::new();
    for mut browser in [Browser::new(), Browser::signed_in("alice")] {
        let reply = browser.authorize(&world, &query).await;
        assert_redirect(&reply, redirect_uri, "invalid_request", Some("s-1"));
    }
    for client in ["web", "spa", "cli"] {
        assert!(world.grants(client).await.is_empty());
    }
}

fn without(client_id: &str) -> Query {
    Query::of(client_id).without("code_challenge").without("code_challenge_method")
}

/// A confidential client that may go without.
fn lax_world() -> World {
    let key = ClientSecret::from_text(secret("lax"));
    let lax = Client::confidential("lax", &key).redirect_uri(APP).dangerous().without_pkce();
    World::with(|builder| builder.client(lax))
}

fn redemption(code: &str, verifier: &str) -> String {
    format!("grant_type=authorization_code&code={code}&code_verifier={}", encode(verifier))
}

#[tokio::test]
async fn pk_01_public_client_without_challenge() {
    invalid(without("spa"), SPA).await;
    invalid(without("cli"), "com.example.cli:/cb").await;
    invalid(without("spa").set("nonce", "n"), SPA).await;
    let lax = Client::public("lax").redirect_uri(APP).dangerous().without_pkce().build();
    assert_eq!(lax, Err(ClientError::Pkce), "nor can that be switched off");
}

#[tokio::test]
async fn pk_02_confidential_client_without_challenge() {
    invalid(without("web"), APP).await;
    invalid(without("web").set("nonce", "n"), APP).await;
    let world = lax_world();
    assert!(!world.code_for(without("lax")).await.is_empty(), "an explicit option of the client allows it");
}

#[tokio::test]
async fn pk_03_plain() {
    for challenge in [VERIFIER, CHALLENGE] {
        let query = Query::of("web").set("code_challenge", challenge).set("code_challenge_method", "plain");
        invalid(query, APP).await;
    }
}

#[tokio::test]
async fn pk_04_method_omitted() {
    invalid(Query::of("web").without("code_challenge_method"), APP).await;
    invalid(Query::of("spa").set("code_challenge_method", ""), SPA).await;
}

#[tokio::test]
async fn pk_05_unknown_method() {
    for method in ["s256", "S512", "none", "S256 ", " S256", "S256,plain", "sha256", "PLAIN"] {
        invalid(Query::of("web").set("code_challenge_method", method), APP).await;
    }
}

#[tokio::test]
async fn pk_06_method_without_challenge() {
    invalid(Query::of("web").without("code_challenge"), APP).await;
    let world = lax_world();
    let reply =
        Browser::signed_in("alice").authorize(&world, Query::of("lax").without("code_challenge")).await;
    assert_redirect(&reply, APP, "invalid_request", Some("s-1"));
}

#[tokio::test]
async fn pk_07_challenge_length() {
    for length in [1, 42, 44, 64, 86, 128, 129, 2000] {
        invalid(Query::of("web").set("code_challenge", &"A".repeat(length)), APP).await;
    }
}

#[tokio::test]
async fn pk_08_challenge_charset() {
    let body = &CHALLENGE[..42];
    for last in ["=", "+", "/", " ", "é", ".", "~", "%"] {
        invalid(Query::of("web").set("code_challenge", &format!("{body}{last}")), APP).await;
    }
    // The last character carries four bits: with others set it is another spelling of the same digest.
    invalid(Query::of("web").set("code_challenge", &format!("{body}N")), APP).await;
    invalid(Query::of("web").set("code_challenge", &format!("{CHALLENGE}=")), APP).await;
}

#[tokio::test]
async fn pk_09_verifier_missing() {
    let world = World::new();
    for client in ["web", "spa"] {
        let code = world.code(client).await;
        for form in ["", "&code_verifier=", "&Code_Verifier=x", "&code_challenge=x"] {
            let form = format!("grant_type=authorization_code&code={code}{form}");
            assert_json(&world.token(client, &form).await, 400, "invalid_grant");
        }
        assert_eq!(world.grants(client).await, ["approved"]);
        assert_eq!(world.redeem(client, &code).await.status, 200);
    }
}

#[tokio::test]
async fn pk_10_wrong_verifier() {
    let world = World::new();
    let earlier = world.tokens("web").await;
    let code = world.code("web").await;
    let (short, long) = (&VERIFIER[..42], VERIFIER.repeat(3));
    for verifier in
        [OTHER, short, &long, &VERIFIER.to_lowercase(), &format!("{VERIFIER}="), &format!("{VERIFIER} ")]
    {
        assert_json(&world.token("web", &redemption(&code, verifier)).await, 400, "invalid_grant");
    }
    assert!(world.is_active(&earlier.access).await, "what there is stays");
    assert_eq!(world.redeem("web", &code).await.status, 200, "the code is not consumed");
    // Nor is a replay with a wrong verifier a way to end what the code has bought.
    assert_json(&world.token("web", &redemption(&code, OTHER)).await, 400, "invalid_grant");
    assert_eq!(world.grants("web").await, ["active", "active"]);
}

#[tokio::test]
async fn pk_11_challenge_as_verifier() {
    let world = World::new();
    let code = world.code("spa").await;
    assert_json(&world.token("spa", &redemption(&code, CHALLENGE)).await, 400, "invalid_grant");
    assert_eq!(world.redeem("spa", &code).await.status, 200);
}

#[tokio::test]
async fn pk_13_downgrade_verifier_without_challenge() {
    let world = lax_world();
    let code = world.code_for(without("lax")).await;
    for verifier in [VERIFIER, OTHER] {
        assert_json(&world.token("lax", &redemption(&code, verifier)).await, 400, "invalid_request");
    }
    assert_eq!(world.grants("lax").await, ["approved"]);
    let plain = format!("grant_type=authorization_code&code={code}");
    assert_eq!(world.token("lax", &plain).await.status, 200);
}

#[tokio::test]
async fn pk_14_challenge_stripped() {
    for client in ["web", "web2"] {
        invalid(without(client), APP).await;
        invalid(Query::of(client).set("code_challenge", "").without("code_challenge_method"), APP).await;
    }
    // Where going without is allowed, the client notices: its verifier is refused. And what has a challenge needs its verifier.
    let world = lax_world();
    let stripped = world.code_for(without("lax")).await;
    assert_json(&world.redeem("lax", &stripped).await, 400, "invalid_request");
    let bound = world.code_for(Query::of("lax").set("prompt", "consent")).await;
    let form = format!("grant_type=authorization_code&code={bound}");
    assert_json(&world.token("lax", &form).await, 400, "invalid_grant");
    assert_eq!(world.redeem("lax", &bound).await.status, 200);
}

#[tokio::test]
async fn pk_15_method_flipped_in_flight() {
    let query = Query::of("spa").set("code_challenge_method", "plain");
    invalid(query.clone(), SPA).await;
    invalid(query.add("code_challenge_method", "S256"), SPA).await;
}

#[tokio::test]
async fn pk_17_challenge_disclosed() {
    let world = World::new();
    let reply = Browser::signed_in("alice").approve(&world, Query::of("web")).await;
    let code = reply.code();
    assert!(!reply.location().contains(CHALLENGE) && !reply.location().contains(VERIFIER));
    let digest = URL_SAFE_NO_PAD.decode(CHALLENGE).unwrap();
    let payload = code.split_once('_').unwrap().1;
    for engine in [&URL_SAFE_NO_PAD, &URL_SAFE, &STANDARD, &STANDARD_NO_PAD] {
        let Ok(bytes) = engine.decode(payload) else { continue };
        for clue in [&digest[..8], &CHALLENGE.as_bytes()[..8], b"alice", b"web", b"app.example"] {
            assert!(!bytes.windows(clue.len()).any(|part| part == clue), "{clue:?}");
        }
    }
    let redeemed = world.redeem("web", &code).await;
    assert!(!redeemed.body.contains(CHALLENGE) && !redeemed.body.contains(VERIFIER));
}

#[tokio::test]
async fn pk_22_check_order() {
    let world = World::new();
    let code = world.code("web").await;
    // The wrong client hears the same whatever else is wrong, and consumes nothing.
    let mut texts = Vec::new();
    for (client, verifier) in [("web2", OTHER), ("web2", VERIFIER), ("spa", VERIFIER), ("cli", OTHER)] {
        let reply = world.token(client, &redemption(&code, verifier)).await;
        assert_json(&reply, 400, "invalid_grant");
        texts.push(reply.body);
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    // What comes after PKCE consumes nothing either.
    let form = World::redemption(&code);
    let too_much = format!("{form}&resource={}", encode("https://evil.example"));
    assert_json(&world.token("web", &too_much).await, 400, "invalid_target");
    assert_eq!(world.grants("web").await, ["approved"]);
    assert_eq!(world.token("web", &format!("{form}&resource={}", encode(API2))).await.status, 200);
    // Expiry comes before PKCE: a late guess learns nothing.
    let late = world.code("spa").await;
    world.clock.advance(Duration::from_secs(60));
    let right = world.redeem("spa", &late).await;
    let wrong = world.token("spa", &redemption(&late, OTHER)).await;
    assert_json(&right, 400, "invalid_grant");
    assert_eq!(right.body, wrong.body);
}
