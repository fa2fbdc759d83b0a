//! The test vectors of project Wycheproof: signatures as real libraries got them wrong.

use base64_simd::URL_SAFE_NO_PAD;
use oauth_jose::{Jwk, VerifyingKey};
use serde_json::{Value, json};
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Every test, and whether its signature was accepted.
fn verdicts(vectors: &str, jwk: impl Fn(&Value) -> Value) -> Vec<(Value, bool)> {
    let mut vectors: Value = serde_json::from_str(vectors).unwrap();
    let mut verdicts = Vec::new();
    for group in vectors["testGroups"].as_array_mut().unwrap() {
        let jwk = jwk(&group["publicKey"]);
        let key = VerifyingKey::new(&Jwk::parse(jwk.to_string().as_bytes()).unwrap()).unwrap();
        for test in group["tests"].as_array_mut().unwrap() {
            let accepted = key.verifies(&bytes(&test["msg"]), &bytes(&test["sig"]));
            verdicts.push((test.take(), accepted));
        }
    }
    verdicts
}

/// How many were accepted and how many refused: `valid` must be accepted, `invalid` refused, and `acceptable`, which has more
/// than one writing, refused too.
fn check(vectors: &str, jwk: impl Fn(&Value) -> Value) -> (usize, usize) {
    let verdicts = verdicts(vectors, jwk);
    for (test, accepted) in &verdicts {
        assert_eq!(*accepted, test["result"] == "valid", "{test}");
    }
    let accepted = verdicts.iter().filter(|(_, accepted)| *accepted).count();
    (accepted, verdicts.len() - accepted)
}

fn elliptic(crv: &'static str) -> impl Fn(&Value) -> Value {
    move |key| {
        let point = bytes(&key["uncompressed"]);
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({ "kty": "EC", "crv": crv, "x": text(x), "y": text(y) })
    }
}

fn rsa(alg: &'static str) -> impl Fn(&Value) -> Value {
    let number = |hex: &Value| {
        let bytes = bytes(hex);
        text(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..])
    };
    move |key| json!({ "kty": "RSA", "alg": alg, "n": number(&key["modulus"]), "e": number(&key["publicExponent"]) })
}

#[test]
fn jw_17_ecdsa() {
    let p256 = ecdsa::TestName::EcdsaSecp256r1Sha256P1363.json_data();
    assert_eq!(check(p256, elliptic("P-256")), (173, 89));
    let p384 = ecdsa::TestName::EcdsaSecp384r1Sha384P1363.json_data();
    assert_eq!(check(p384, elliptic("P-384")), (193, 87));
}

#[test]
fn eddsa() {
    let jwk = |key: &Value| json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&bytes(&key["pk"])) });
    assert_eq!(check(eddsa::TestName::Ed25519.json_data(), jwk), (88, 63));
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256};
    for vectors in [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256] {
        let (accepted, refused) = check(vectors.json_data(), rsa("RS256"));
        assert!(accepted >= 7 && refused >= 240, "{vectors:?}: {accepted} {refused}");
    }
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen32, RsaPss3072Sha256Mgf1SaltLen32, RsaPss4096Sha256Mgf1SaltLen32,
    };
    for vectors in
        [RsaPss2048Sha256Mgf1SaltLen32, RsaPss3072Sha256Mgf1SaltLen32, RsaPss4096Sha256Mgf1SaltLen32]
    {
        let (accepted, refused) = check(vectors.json_data(), rsa("PS256"));
        assert!(accepted >= 60 && refused >= 40, "{vectors:?}: {accepted} {refused}");
    }
}

/// RFC 7518 §3.5: the salt is as long as the hash. Signatures without one are good elsewhere.
#[test]
fn rsa_pss_without_a_salt() {
    let vectors = rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen0.json_data();
    let mut good = verdicts(vectors, rsa("PS256"));
    good.retain(|(test, _)| test["result"] == "valid");
    assert!(good.len() > 50 && good.iter().all(|(_, accepted)| !accepted), "{good:?}");
}
