//! Keys that sign JWTs, in the store: the first start, the schedule, replicas, wrapping, import.

use std::time::Duration;

use core_tests::{API1, ISSUER, Ledger, World, clients};
use oauth_core::handle::WrappingKey;
use oauth_core::secret::SeededRandom;
use oauth_core::server::keys::keys_key;
use oauth_core::server::{BuildError, KeyPhase, KeysError, Server, SigningKeys, StartError, StoredKeys};
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Body, StoredSigningKey};
use oauth_jose::{Algorithm, JwkSet, LocalKey, Signer as _, VerifyingKeys};

const DAY: u64 = 24 * 3600;

async fn try_start(
    world: &World,
    seed: u64,
    keys: StoredKeys,
    signing: SigningKeys,
) -> Result<World, StartError> {
    let builder = Server::builder(ISSUER, world.ledger.clone())
        .clock(world.clock.clone())
        .random(SeededRandom::new(seed))
        .stored_keys(keys)
        .jwt_for(API1)
        .signing_keys(signing);
    let server =
        clients().into_iter().fold(builder, oauth_core::server::ServerBuilder::client).start().await?;
    Ok(world.beside(server))
}

async fn started(world: &World, seed: u64) -> World {
    try_start(world, seed, StoredKeys::new(), es256()).await.expect("starts")
}

fn es256() -> SigningKeys {
    SigningKeys::stored(Algorithm::Es256)
}

fn stored(ledger: &Ledger) -> Vec<StoredSigningKey> {
    match &ledger.get(&keys_key(ISSUER)).expect("a record").body {
        Body::Keys(keys) => keys.signing.clone(),
        other => panic!("{other:?}"),
    }
}

async fn jwt(world: &World) -> String {
    let token = world.tokens("spa", "alice").await.access_token;
    assert!(token.starts_with("eyJ"), "{token}");
    token
}

/// The keys as a resource server reads them.
fn published(world: &World) -> VerifyingKeys {
    let set = JwkSet::parse(&world.server.key_set().json).unwrap();
    VerifyingKeys::from_jwks(&set, &Algorithm::ALL).unwrap()
}

fn kid(token: &str, keys: &VerifyingKeys) -> String {
    keys.verify(token, &["at+jwt"]).unwrap().kid().to_owned()
}

#[test]
fn replicas_share_one_key_and_a_restart_keeps_it() {
    let world = World::new();
    block_on(async {
        let (one, two) = (started(&world, 1).await, started(&world, 2).await);
        assert_eq!(stored(&world.ledger).len(), 1);
        assert_eq!(one.server.key_set().json, two.server.key_set().json);
        assert_eq!(one.server.key_set().max_age, Duration::from_secs(300));
        let token = jwt(&one).await;
        assert!(two.server.verify(&token).await.is_ok());
        assert!(started(&world, 3).await.server.verify(&token).await.is_ok());
    });
}

#[test]
fn jw_24_a_key_is_published_before_it_signs_and_until_its_tokens_have_expired() {
    let world = World::new();
    block_on(async {
        let (one, two) = (started(&world, 1).await, started(&world, 2).await);
        let first = jwt(&one).await;
        // A resource server that reads the key set as rarely as it may, and every replica signing all the time.
        let (mut cached, mut read_at) = (published(&two), 0);
        let mut live: Vec<(String, u64)> = Vec::new();
        let mut signers = Vec::new();
        let begin = 90 * DAY - 1_200;
        world.advance(begin);
        for step in 0..300 {
            let now = step * 10;
            for server in [&one, &two] {
                let token = jwt(server).await;
                if now >= read_at + 300 {
                    (cached, read_at) = (published(server), now);
                }
                let signer = kid(&token, &cached);
                if signers.last() != Some(&signer) {
                    signers.push(signer);
                }
                live.push((token, now));
            }
            live.retain(|(_, issued)| now < issued + 600);
            for (token, _) in &live {
                kid(token, &cached);
            }
            world.advance(10);
        }
        signers.dedup();
        assert!(signers.len() >= 2, "it has rotated: {signers:?}");
        // The old key is gone, and with it what it had signed.
        assert_eq!(stored(&world.ledger).len(), 1);
        assert_eq!(published(&one).keys().len(), 1);
        assert!(published(&one).verify(&first, &["at+jwt"]).is_err());
    });
}

#[test]
fn replicas_that_rotate_at_once_add_one_key() {
    let world = World::new();
    block_on(async {
        let servers = [started(&world, 1).await, started(&world, 2).await];
        let added = servers[0].server.rotate_signing_keys().await.unwrap();
        assert_eq!(added.phase, KeyPhase::Next);
        assert_eq!(servers[1].server.rotate_signing_keys().await.unwrap().kid, added.kid);
        let phases: Vec<_> =
            servers[0].server.signing_keys().await.unwrap().iter().map(|key| key.phase).collect();
        assert_eq!(phases, [KeyPhase::Current, KeyPhase::Next]);
        world.advance(599);
        assert_ne!(kid(&jwt(&servers[1]).await, &published(&servers[1])), *added.kid);
        world.advance(1);
        let token = jwt(&servers[0]).await;
        assert_eq!(kid(&token, &published(&servers[0])), *added.kid);
        // The other replica has not looked since.
        assert!(servers[1].server.verify(&token).await.is_ok());
    });
}

#[test]
fn a_replica_that_has_slept_finds_the_key_of_a_token() {
    let world = World::new();
    block_on(async {
        let (one, asleep) = (started(&world, 1).await, started(&world, 2).await);
        one.server.rotate_signing_keys().await.unwrap();
        world.advance(601);
        let token = jwt(&one).await;
        assert!(asleep.server.verify(&token).await.is_ok());
        assert_eq!(asleep.server.fresh_key_set().await.json, one.server.key_set().json);
    });
}

#[test]
fn lg_08_private_keys_are_wrapped_and_need_their_wrapping_key() {
    let world = World::new();
    let wrapping = |byte| StoredKeys::new().wrapped_by(WrappingKey::new([byte; 32]));
    block_on(async {
        let one = try_start(&world, 1, wrapping(1), es256()).await.unwrap();
        let token = jwt(&one).await;
        assert!(stored(&world.ledger)[0].key.wrapped_by().is_some());
        let refused = try_start(&world, 2, wrapping(2), es256()).await;
        assert!(matches!(refused, Err(StartError::Keys(_))), "{refused:?}");
        // Another wrapping key, step by step.
        let both = wrapping(2).also_unwrapped_by(WrappingKey::new([1; 32]));
        let two = try_start(&world, 3, both, es256()).await.unwrap();
        assert!(two.server.verify(&token).await.is_ok());
        let three = try_start(&world, 4, wrapping(2), es256()).await.unwrap();
        assert!(three.server.verify(&token).await.is_ok());
        // Lost for good: a new key.
        let lost = wrapping(3).replace_unreadable();
        let four = try_start(&world, 5, lost, es256()).await.unwrap();
        assert!(four.server.verify(&token).await.is_err());
        assert!(four.server.verify(&jwt(&four).await).await.is_ok());
    });
}

#[test]
fn an_imported_key_signs_after_its_time() {
    let world = World::new();
    block_on(async {
        let one = started(&world, 1).await;
        // As an operator has it: text.
        let jwk = LocalKey::generate(Algorithm::Es256).unwrap().to_jwk().unwrap();
        let own = LocalKey::from_jwk(jwk.as_bytes()).unwrap().with_kid("mine");
        let imported = one.server.import_signing_key(&own).await.unwrap();
        assert_eq!((&*imported.kid, imported.phase), ("mine", KeyPhase::Next));
        let other = LocalKey::generate(Algorithm::Es256).unwrap();
        let refused = one.server.import_signing_key(&other).await;
        assert!(matches!(refused, Err(KeysError::Pending { .. })), "{refused:?}");
        assert_eq!(one.server.import_signing_key(&own).await.unwrap().kid, imported.kid);
        for _ in 0..3 {
            world.advance(600);
            let token = jwt(&one).await;
            let keys = published(&one);
            let verified = keys.verify(&token, &["at+jwt"]).unwrap();
            assert_eq!((verified.kid(), verified.key().jwk()), ("mine", own.key().jwk()));
        }
    });
}

/// RFC 9500 §2.3: a key that everybody has, and its public half.
const PEM: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49\n\
    AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjV\n\
    uKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==\n\
    -----END EC PRIVATE KEY-----\n";
const PUBLIC: &str = r#"{"kty":"EC","crv":"P-256","alg":"ES256",
    "x":"QiVI-I-3gv-17KN0RFLHKh5Vj71vc75eSOkyMsxFxbE",
    "y":"bEzRDEy41bihcTnpSILImSVymTQl9BQZq36QpCpJQnI"}"#;

#[test]
fn a_key_in_pem_is_imported_for_every_replica() {
    let world = World::new();
    let wrapped = || StoredKeys::new().wrapped_by(WrappingKey::new([1; 32]));
    block_on(async {
        let one = try_start(&world, 1, wrapped(), es256()).await.unwrap();
        let own = LocalKey::from_pem(PEM, Algorithm::Es256).unwrap();
        let imported = one.server.import_signing_key(&own).await.unwrap();
        assert_eq!(imported.phase, KeyPhase::Next);
        assert!(stored(&world.ledger).iter().all(|key| key.key.wrapped_by().is_some()));
        world.advance(600);
        // This one has never seen the text.
        let two = try_start(&world, 2, wrapped(), es256()).await.unwrap();
        let known = JwkSet::parse(format!(r#"{{"keys":[{PUBLIC}]}}"#).as_bytes()).unwrap();
        let known = VerifyingKeys::from_jwks(&known, &[Algorithm::Es256]).unwrap();
        for replica in [&one, &two] {
            let token = jwt(replica).await;
            assert_eq!(kid(&token, &published(replica)), *imported.kid);
            assert!(known.verify(&token, &["at+jwt"]).is_ok(), "signed with the key of the text");
            assert!(one.server.verify(&token).await.is_ok() && two.server.verify(&token).await.is_ok());
        }
    });
}

#[test]
fn a_key_of_another_algorithm_would_be_replaced_at_once_and_is_not_imported() {
    let world = World::new();
    block_on(async {
        let one = started(&world, 1).await;
        let own = LocalKey::generate(Algorithm::EdDsa).unwrap();
        let refused = one.server.import_signing_key(&own).await;
        assert!(matches!(refused, Err(KeysError::OtherAlgorithm { expected: "ES256", .. })), "{refused:?}");
        assert_eq!(stored(&world.ledger).len(), 1);
    });
}

#[test]
fn no_key_gives_way_before_its_tokens_have_expired_however_often_somebody_rotates() {
    let world = World::new();
    block_on(async {
        let signing = es256().published_ahead(Duration::from_secs(10)).rotated_every(Duration::from_secs(20));
        let one = try_start(&world, 1, StoredKeys::new(), signing).await.unwrap();
        let token = jwt(&one).await;
        let mut refused = 0;
        for _ in 0..36 {
            match one.server.rotate_signing_keys().await {
                Ok(_) => {}
                Err(KeysError::TooMany(_)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
            world.advance(10);
            one.server.fresh_key_set().await;
            assert!(published(&one).verify(&token, &["at+jwt"]).is_ok(), "the key of a live token is gone");
        }
        assert!(refused > 0 && stored(&world.ledger).len() <= 32);
        // Once the tokens of the oldest have expired there is room again.
        world.advance(700);
        one.server.rotate_signing_keys().await.unwrap();
    });
}

#[test]
fn stored_signing_keys_need_stored_keys() {
    let world = World::new();
    let builder = |signing| Server::builder(ISSUER, world.ledger.clone()).jwt_for(API1).signing_keys(signing);
    assert!(matches!(builder(es256()).build(), Err(BuildError::SigningKey(_))));
    let given = SigningKeys::given(LocalKey::generate(Algorithm::Es256).unwrap());
    let server = builder(given).build().unwrap();
    let refused = block_on(server.rotate_signing_keys());
    assert!(matches!(refused, Err(KeysError::NotStored)), "{refused:?}");
    let wrong = Server::builder(ISSUER, world.ledger.clone()).jwt_for("not a resource").build();
    assert!(matches!(wrong, Err(BuildError::Resource { .. })));
}
