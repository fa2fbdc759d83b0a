//! Encrypted tokens (JWE, RFC 7516): nobody here decrypts, so that nothing of them is ever looked at.

use attack_tests::{API1, World, assert_inactive};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey};
use oauth_core::server::SigningKeys;
use oauth_jose::{Algorithm, LocalKey};
use serde_json::{Value, json};

use crate::api::{Api, claims, part};

/// Encrypted so that the owner of the RSA key could decrypt it; the public half would do.
fn encrypt(key: &LocalKey, header: &Value, content: &[u8]) -> String {
    let public = PrivateDecryptingKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap().public_key();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let content_key = [9; 32];
    let mut buffer = vec![0; public.ciphertext_size()];
    let encrypted_key = public.encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut buffer, None).unwrap();
    let header = part(header.to_string());
    let gcm = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap());
    let mut ciphertext = content.to_vec();
    let nonce = Nonce::assume_unique_for_key([3; 12]);
    let tag = gcm.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut ciphertext).unwrap();
    let parts = [part(encrypted_key), part([3; 12]), part(ciphertext), part(tag)];
    format!("{header}.{}", parts.join("."))
}

/// Claims under `alg: none`, which whoever decrypts and then trusts would take.
fn unsigned() -> String {
    format!("{}.{}.", part(r#"{"typ":"at+jwt","alg":"none"}"#), part(claims().to_string()))
}

#[tokio::test]
async fn jw_12_what_is_encrypted_to_a_public_key_is_not_thereby_signed() {
    let api = Api::open().await;
    let own = LocalKey::generate(Algorithm::Rs256).unwrap().with_kid("rsa");
    let keys = SigningKeys::given(own.clone());
    let world = World::with(|builder| builder.jwt_for(API1).signing_keys(keys));
    let signed = api.token().await;
    for (cty, content) in
        [(json!("JWT"), unsigned()), (json!(null), claims().to_string()), (json!("at+jwt"), signed)]
    {
        for (typ, kid) in [("at+jwt", "rsa"), ("JWT", "rsa"), ("at+jwt", "ec")] {
            let mut header = json!({ "typ": typ, "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid });
            if !cty.is_null() {
                header["cty"] = cty.clone();
            }
            api.assert_refuses(&encrypt(&api.rsa, &header, content.as_bytes()), &header.to_string()).await;
            // The server itself holds the private key.
            let token = encrypt(&own, &header, content.as_bytes());
            assert!(!world.is_active(&token).await, "{header}");
            assert_inactive(&world.introspect("rs1", &token).await);
            // The algorithm of a signature, so that only the segments tell what it is.
            header["alg"] = json!("RS256");
            api.assert_refuses(&encrypt(&api.rsa, &header, content.as_bytes()), &header.to_string()).await;
        }
    }
    api.assert_fetched_keys_once();
}

#[tokio::test]
async fn jw_13_no_work_is_done_for_an_encrypted_token() {
    let api = Api::open().await;
    // An empty block of deflate, repeated: what it would become, nobody finds out.
    let bomb = part([[0, 0, 0, 0xff, 0xff]; 1_000].concat());
    let salt = part(vec![1; 6_000]);
    for header in [
        json!({ "typ": "at+jwt", "alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": "ec" }),
        json!({ "typ": "at+jwt", "alg": "ES256", "zip": "DEF", "kid": "ec" }),
        json!({ "typ": "at+jwt", "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_648_u32, "p2s": "AAAA" }),
        json!({ "typ": "at+jwt", "alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 1, "p2s": salt }),
        json!({ "typ": "at+jwt", "alg": "ES256", "kid": "ec", "p2c": 1e308, "p2s": salt }),
    ] {
        let token = format!(
            "{}.{}.{}.{bomb}.{}",
            part(header.to_string()),
            part([1; 40]),
            part([2; 12]),
            part([3; 16])
        );
        api.assert_refuses(&token, "five segments").await;
        let token = format!("{}.{bomb}.{}", part(header.to_string()), part([1; 64]));
        api.assert_refuses(&token, "three segments").await;
    }
    api.assert_fetched_keys_once();
}

#[tokio::test]
async fn jw_14_segments_of_an_encrypted_token_that_are_too_short() {
    let api = Api::open().await;
    let long = part([1; 256]);
    for alg in ["RSA-OAEP-256", "RSA1_5", "A256KW", "A256GCMKW", "ECDH-ES", "ECDH-ES+A128KW", "dir"] {
        let header = json!({ "typ": "at+jwt", "alg": alg, "enc": "A256GCM", "kid": "rsa", "epk": {}, "iv": "", "tag": "" });
        let header = part(header.to_string());
        for segments in [
            "...".to_owned(),
            format!(".{}.{long}.{}", part([2; 12]), part([3; 16])),
            format!("{long}..{long}.{}", part([3; 16])),
            format!("{long}.{}.{long}.", part([2; 12])),
            format!("{long}.{}..{}", part([2; 12]), part([3; 16])),
            format!("{}.{}.{}.{}", part([1; 7]), part([2]), part([0]), part([3; 15])),
            "A.B.C.D".to_owned(),
        ] {
            api.assert_refuses(&format!("{header}.{segments}"), &format!("{alg} {segments}")).await;
        }
    }
    api.assert_fetched_keys_once();
}
