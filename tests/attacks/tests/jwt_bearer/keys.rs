//! Keys and algorithms that do not belong together.

use aws_lc_rs::hmac;
use oauth_jose::{Algorithm, LocalKey};
use serde_json::json;

use crate::api::{Api, claims, header, jwk, part, sign};

#[tokio::test]
async fn jw_18_a_key_has_one_algorithm() {
    let x25519 = json!({
        "kty": "OKP", "crv": "X25519", "kid": "x", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
    });
    let api = Api::beside(&[x25519]).await;
    let payload = claims().to_string();
    // The private half of the key that is published for RS256, used as nobody should.
    let pss = LocalKey::from_pkcs8(&api.rsa.to_pkcs8().unwrap(), Algorithm::Ps256).unwrap();
    let p384 = LocalKey::generate(Algorithm::Es384).unwrap();
    for (what, key, alg, kid) in [
        ("RS256 under the name of an EC key", &api.rsa, "RS256", "ec"),
        ("ES256 under the name of an RSA key", &api.ec, "ES256", "rsa"),
        ("PS256 by a key that is for RS256", &pss, "PS256", "rsa"),
        ("PS256 that says RS256", &pss, "RS256", "rsa"),
        ("RS256 that says PS256", &api.rsa, "PS256", "rsa"),
        ("ES384 that says it is P-256", &p384, "ES256", "ec"),
        ("ES256 that says ES384", &api.ec, "ES384", "ec"),
        ("ES256 that says ES256K", &api.ec, "ES256K", "ec"),
        ("ES256 that says ES512", &api.ec, "ES512", "ec"),
        ("EdDSA under the name of a key for X25519", &api.ed, "EdDSA", "x"),
        ("EdDSA that says Ed25519ph", &api.ed, "Ed25519ph", "ed"),
        ("EdDSA that says ES256", &api.ed, "ES256", "ed"),
        ("RS256 that says RS1", &api.rsa, "RS1", "rsa"),
        ("RS256 that says RS512", &api.rsa, "RS512", "rsa"),
    ] {
        api.assert_refuses(&sign(key, &header(alg, kid), payload.as_bytes()).await, what).await;
    }
    for (key, alg, kid) in [(&api.ec, "ES256", "ec"), (&api.rsa, "RS256", "rsa"), (&api.ed, "EdDSA", "ed")] {
        api.assert_accepts(&sign(key, &header(alg, kid), payload.as_bytes()).await).await;
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret_of_hmac() {
    // Somebody published a symmetric key, too.
    let secret = [7; 32];
    let api = Api::beside(&[json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": part(secret) })]).await;
    let der = api.rsa.to_pkcs8().unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", part(&der));
    let published = jwk(&api.rsa);
    let n = published["n"].as_str().unwrap().to_owned();
    for (kid, secret) in [
        ("rsa", published.to_string().into_bytes()),
        ("rsa", pem.into_bytes()),
        ("rsa", n.into_bytes()),
        ("ec", jwk(&api.ec).to_string().into_bytes()),
        ("oct", secret.to_vec()),
        ("oct", Vec::new()),
    ] {
        for alg in ["HS256", "hs256", "RS256", "none"] {
            let signed = format!("{}.{}", part(header(alg, kid)), part(claims().to_string()));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
            api.assert_refuses(&format!("{signed}.{}", part(tag)), &format!("{alg} {kid}")).await;
        }
    }
}

/// The packages of the lock file that depend on another.
fn dependents(lock: &'static str, on: &str) -> Vec<&'static str> {
    let (more, last) = (format!("\n \"{on}\","), format!("\n \"{on} "));
    let packages = lock.split("[[package]]").filter(|own| own.contains(&more) || own.contains(&last));
    packages.filter_map(|package| package.split('"').nth(1)).collect()
}

/// RUSTSEC-2023-0071: the crate `rsa` tells its private keys by the time it takes. What an example verifies with uses none.
#[test]
fn jw_28_nothing_here_computes_rsa_in_variable_time() {
    let lock = include_str!("../../../../Cargo.lock");
    assert!(dependents(lock, "aws-lc-rs").contains(&"oauth-jose"), "the names are found");
    for other in ["rsa", "openssl", "jsonwebtoken", "ed25519-dalek", "p256"] {
        assert!(dependents(lock, other).iter().all(|own| *own == "openidconnect"), "{other}");
    }
    let example = dependents(lock, "openidconnect");
    assert!(example.iter().all(|own| *own == "upstream-login"), "{example:?}");
    assert!(include_str!("../../../../deny.toml").contains("crate = \"rsa\""));
}
