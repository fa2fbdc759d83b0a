//! Keys of every algorithm: made, written, read.

use oauth_jose::{
    Algorithm, Jwk, JwkError, JwkSet, JwkSetError, KeyError, LocalKey, Signer as _, VerifyingKeys,
};

use crate::{sign, verifying};

#[test]
fn every_algorithm_signs_verifies_and_survives_every_format() {
    for algorithm in Algorithm::ALL {
        let key = LocalKey::generate(algorithm).unwrap();
        assert_eq!(key.key().algorithm(), algorithm);
        assert_eq!(key.key().kid(), key.key().jwk().thumbprint());
        let token = sign(&key, "at+jwt", b"payload");
        let keys = verifying(&[&key]);
        let verified = keys.verify(&token, &["at+jwt"]).unwrap();
        assert_eq!((verified.payload(), verified.algorithm()), (&b"payload"[..], algorithm));
        assert_eq!(verified.kid(), key.key().kid());

        let der = key.to_pkcs8().unwrap();
        let jwk = key.to_jwk().unwrap();
        let pem = format!(
            "noise\n-----BEGIN PRIVATE KEY-----\r\n{}\r\n-----END PRIVATE KEY-----\r\n",
            base64_lines(&der)
        );
        for same in [
            LocalKey::from_pkcs8(&der, algorithm).unwrap(),
            LocalKey::from_jwk(jwk.as_bytes()).unwrap(),
            LocalKey::from_pem(&pem, algorithm).unwrap(),
        ] {
            assert_eq!(same.key(), key.key());
            assert!(keys.verify(&sign(&same, "at+jwt", b"payload"), &["at+jwt"]).is_ok());
        }
        assert_eq!(Jwk::parse(jwk.as_bytes()).unwrap_err(), JwkError::Private);
    }
}

fn base64_lines(der: &[u8]) -> String {
    let text = base64_simd::STANDARD.encode_to_string(der);
    text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn jw_18_a_key_is_of_no_other_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = LocalKey::generate(algorithm).unwrap();
        let der = key.to_pkcs8().unwrap();
        for other in Algorithm::ALL {
            let possible = other == algorithm || other.is_rsa() && algorithm.is_rsa();
            assert_eq!(LocalKey::from_pkcs8(&der, other).is_ok(), possible, "{algorithm} as {other}");
            let json = serde_json::to_string(key.key().jwk()).unwrap();
            let renamed = json.replace(algorithm.as_str(), other.as_str());
            assert_eq!(Jwk::parse(renamed.as_bytes()).is_ok(), possible, "{algorithm} as {other}");
        }
    }
    let x25519 =
        br#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA"}"#;
    assert_eq!(Jwk::parse(x25519).unwrap_err(), JwkError::Kind);
}

#[test]
fn jw_26_what_is_published_has_no_private_member() {
    for algorithm in Algorithm::ALL {
        let key = LocalKey::generate(algorithm).unwrap();
        let json = serde_json::to_value(key.key().jwk()).unwrap();
        let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!members.contains(&private), "{algorithm}: {private}");
        }
        assert_eq!((&json["use"], &json["alg"]), (&"sig".into(), &algorithm.as_str().into()));
        assert_eq!(json["kid"], key.key().kid());
        let shown = format!("{key:?}");
        let private: serde_json::Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        assert!(!shown.contains(private["d"].as_str().unwrap()), "{shown}");
    }
}

#[test]
fn an_rsa_key_without_an_algorithm_gets_one() {
    let key = LocalKey::generate(Algorithm::Rs256).unwrap();
    let json = serde_json::to_string(key.key().jwk()).unwrap().replace(r#""alg":"RS256","#, "");
    let set = JwkSet::parse(format!(r#"{{"keys":[{json}]}}"#).as_bytes()).unwrap();
    assert_eq!(set.keys()[0].algorithm(), None);
    for (allowed, expected) in [
        (&Algorithm::ALL[..], Some(Algorithm::Rs256)),
        (&[Algorithm::Ps256], Some(Algorithm::Ps256)),
        (&[Algorithm::Es256], None),
    ] {
        let keys = VerifyingKeys::from_jwks(&set, allowed).unwrap();
        assert_eq!(keys.keys().first().map(|key| key.algorithm()), expected);
    }
    let without = key.to_jwk().unwrap().replace(r#""alg":"RS256","#, "");
    assert_eq!(LocalKey::from_jwk(without.as_bytes()).unwrap_err(), KeyError::Jwk(JwkError::Algorithm));
}

#[test]
fn sets_that_cannot_be_told_apart_or_are_too_large_are_refused() {
    let [one, two] = [(); 2].map(|()| LocalKey::generate(Algorithm::Es256).unwrap());
    let [one, two] = [one, two].map(|key| key.key().jwk().clone().with_kid("same"));
    assert_eq!(JwkSet::new([one.clone(), two.clone()]).unwrap_err(), JwkSetError::DuplicateKid);
    assert_eq!(JwkSet::new([one.clone(), one.clone()]).unwrap().keys().len(), 1);
    let [one, two] = [one, two].map(|key| serde_json::to_string(&key).unwrap());
    let parse = |keys: &str| JwkSet::parse(format!(r#"{{"a":0,"keys":[{keys}]}}"#).as_bytes());
    assert_eq!(parse(&format!("{one},{two}")).unwrap_err(), JwkSetError::DuplicateKid);
    assert_eq!(parse(&vec!["{}"; 101].join(",")).unwrap_err(), JwkSetError::Malformed);
    assert_eq!(parse(&vec!["{}"; 100].join(",")).unwrap().skipped(), 100);
    assert_eq!(parse(&" ".repeat(64 * 1024)).unwrap_err(), JwkSetError::TooLarge);
    for wrong in [r#"{"keys":[],"keys":[]}"#, "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[]}x"#, ""] {
        assert_eq!(JwkSet::parse(wrong.as_bytes()).unwrap_err(), JwkSetError::Malformed, "{wrong}");
    }
}

#[test]
fn a_set_of_broken_keys_is_an_error_and_not_an_empty_set() {
    // A point that is not on the curve.
    let x = base64_simd::URL_SAFE_NO_PAD.encode_to_string([1; 32]);
    let set = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}]}}"#);
    let set = JwkSet::parse(set.as_bytes()).unwrap();
    assert_eq!(VerifyingKeys::from_jwks(&set, &Algorithm::ALL).unwrap_err(), JwkError::Key);
    let none = VerifyingKeys::from_jwks(&JwkSet::default(), &Algorithm::ALL).unwrap();
    assert!(none.keys().is_empty());
}

#[test]
fn texts_that_are_no_private_key_say_so() {
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let junk = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let open = "-----BEGIN PRIVATE KEY-----\nAAAA\n";
    for (text, error) in [
        ("", KeyError::Pem),
        (public, KeyError::Pem),
        (open, KeyError::Pem),
        (encrypted, KeyError::Encrypted),
        (junk, KeyError::Rejected),
    ] {
        for algorithm in Algorithm::ALL {
            assert_eq!(LocalKey::from_pem(text, algorithm).unwrap_err(), error, "{text}");
        }
    }
}
