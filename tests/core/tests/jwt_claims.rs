//! What a JWT access token says of how its subject signed in, and of the key that it is bound to (RFC 9068 §2.2.1, RFC 7800).

use std::sync::Arc;

use core_tests::{API1, World, code_of};
use oauth_core::grant::{Confirmation, Details};
use oauth_core::server::AuthorizeStep;
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Body, Index, Key, Record, Store as _, Version};
use oauth_jose::{AccessTokenClaims, Algorithm, JwkSet, VerifyingKeys};
use serde_json::{Value, json};

/// What a resource server reads.
fn read(world: &World, token: &str) -> AccessTokenClaims {
    let set = JwkSet::parse(&world.server.key_set().json).unwrap();
    let keys = VerifyingKeys::from_jwks(&set, &Algorithm::ALL).unwrap();
    AccessTokenClaims::parse(keys.verify(token, &["at+jwt"]).unwrap().payload()).unwrap()
}

/// A code for `spa`, of somebody who signed in with two factors.
async fn code(world: &World) -> String {
    let login = world.login("alice").acr("gold").amr(["pwd", "otp"]);
    let step = world.open(&World::url("spa", &[]), Some(login.clone())).await.unwrap();
    let AuthorizeStep::Consent(pending) = step else { panic!("a consent page") };
    code_of(&world.accept(&pending.ticket(), &login).await.unwrap())
}

/// Binds the only grant to a key, as a flow with proof of possession does.
async fn bind(world: &World, confirmation: Confirmation) {
    let grants = world.server.grants().list(Index::Subject("alice")).await.unwrap();
    let stored = world.ledger.get(&Key::grant(grants[0].id)).unwrap();
    let mut grant = stored.grant().unwrap().clone();
    grant.details.get_or_insert_with(|| Box::new(Details::default())).confirmation =
        Some(Arc::new(confirmation));
    let version = Version::generate(world.server.random());
    let next = Record { version, body: Body::Grant(grant), ..Record::clone(&stored) };
    let _ = world.ledger.swap(Arc::new(next), Some(stored.version)).await.unwrap();
}

#[test]
fn how_the_subject_signed_in() {
    let world = World::with(|builder| builder.jwt_for(API1));
    block_on(async {
        let tokens = world.redeem("spa", &code(&world).await).await.unwrap();
        let next = world.refresh("spa", &tokens.refresh_token.unwrap(), &[]).await.unwrap();
        for token in [tokens.access_token, next.access_token] {
            let claims = read(&world, &token);
            assert_eq!(claims.acr.as_deref(), Some("gold"));
            assert_eq!(json!(claims.amr), json!(["pwd", "otp"]));
            assert!(claims.auth_time.is_some() && claims.cnf.is_none());
        }
    });
}

#[test]
fn jw_21_a_bound_grant_is_bound_in_each_of_its_tokens() {
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for (confirmation, member) in [
        (Confirmation::Jkt(thumbprint.into()), "jkt"),
        (Confirmation::X5tS256(thumbprint.into()), "x5t#S256"),
    ] {
        let world = World::with(|builder| builder.jwt_for(API1));
        block_on(async {
            let code = code(&world).await;
            bind(&world, confirmation.clone()).await;
            let tokens = world.redeem("spa", &code).await.unwrap();
            let next = world.refresh("spa", &tokens.refresh_token.unwrap(), &[]).await.unwrap();
            for token in [tokens.access_token, next.access_token] {
                let cnf = read(&world, &token).cnf.map(Value::Object);
                assert_eq!(cnf, Some(json!({ member: thumbprint })));
                let verified = world.server.verify(&token).await.unwrap();
                assert_eq!(verified.confirmation.as_deref(), Some(&confirmation), "in process as well");
            }
        });
    }
}
