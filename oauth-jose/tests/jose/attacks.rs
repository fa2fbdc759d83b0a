//! Tokens that must be refused, at the level of JWS.

use base64_simd::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use oauth_jose::{Algorithm, JwsError, LocalKey, Signer as _, VerifyingKeys};

use crate::{sign, verifying};

const TYP: &[&str] = &["at+jwt"];

fn header(json: &str) -> String {
    URL_SAFE_NO_PAD.encode_to_string(json)
}

/// The same signed parts under another header.
fn with_header(token: &str, json: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", header(json))
}

#[test]
fn no_bit_of_a_token_can_be_changed() {
    let key = LocalKey::generate(Algorithm::EdDsa).unwrap();
    let keys = verifying(&[&key]);
    let token = sign(&key, "at+jwt", br#"{"sub":"alice"}"#);
    assert!(keys.verify(&token, TYP).is_ok());
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let changed = String::from_utf8(changed).unwrap();
            assert!(keys.verify(&changed, TYP).is_err(), "{at} {bit}");
        }
    }
}

#[test]
fn a_header_that_was_good_before_excuses_nothing() {
    let [own, other] = [(); 2].map(|()| LocalKey::generate(Algorithm::Es256).unwrap());
    let keys = verifying(&[&own]);
    let token = sign(&own, "at+jwt", b"{}");
    let [h, p, s] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let payload = URL_SAFE_NO_PAD.encode_to_string(br#"{"sub":"mallory"}"#);
    let foreign = other.sign(format!("{h}.{p}").as_bytes()).now_or_never().unwrap().unwrap();
    let foreign = URL_SAFE_NO_PAD.encode_to_string(foreign);
    let wrong = [format!("{h}.{payload}.{s}"), format!("{h}.{p}.{foreign}"), format!("{h}.{p}.{}", &s[4..])];
    let before = keys.clone();
    keys.verify(&token, TYP).unwrap();
    for keys in [before, keys.clone(), keys] {
        for wrong in &wrong {
            assert_eq!(keys.verify(wrong, TYP).unwrap_err(), JwsError::Signature, "{wrong}");
        }
        assert_eq!(keys.verify(&format!("{h}.{p}=.{s}"), TYP).unwrap_err(), JwsError::Signature);
        assert_eq!(keys.verify(&format!("{h}.{p}.{s}.{s}"), TYP).unwrap_err(), JwsError::Malformed);
        for other in [&[][..], &["JWT"], &["dpop+jwt", ""]] {
            assert_eq!(keys.verify(&token, other).unwrap_err(), JwsError::Typ, "{other:?}");
        }
        assert_eq!(keys.verify(&token, TYP).unwrap().payload(), b"{}");
    }
    assert_eq!(verifying(&[&other]).verify(&token, TYP).unwrap_err(), JwsError::UnknownKid);
}

#[test]
fn jw_15_other_shapes_are_refused() {
    let key = LocalKey::generate(Algorithm::EdDsa).unwrap();
    let keys = verifying(&[&key]);
    let token = sign(&key, "at+jwt", b"{}");
    let [h, p, s] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    for wrong in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{h}.{p}"),
        format!("{h}.{p}."),
        format!("{h}..{s}"),
        format!(".{p}.{s}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{s}"),
        format!("{token}.{s}.{s}"),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{token}="),
        format!("{h}.{p}\0.{s}"),
        format!(r#"{{"payload":"{p}","protected":"{h}","signature":"{s}"}}"#),
        ".".repeat(16_000),
    ] {
        assert!(keys.verify(&wrong, TYP).is_err(), "{wrong}");
    }
    assert_eq!(keys.verify(&".".repeat(1_000_000), TYP).unwrap_err(), JwsError::TooLong);
}

#[test]
fn algorithms_come_from_keys_and_not_from_tokens() {
    let [ec, rsa] = [Algorithm::Es256, Algorithm::Rs256].map(|alg| LocalKey::generate(alg).unwrap());
    let keys = verifying(&[&ec, &rsa]);
    let (token, kid) = (sign(&ec, "at+jwt", b"{}"), ec.key().kid());
    for alg in ["none", "None", "nOnE", "", "HS256", "es256", "ES256K", "ES384", "RS256", "PS256", "EdDSA"] {
        let forged = with_header(&token, &format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#));
        assert_eq!(keys.verify(&forged, TYP).unwrap_err(), JwsError::Algorithm, "{alg}");
    }
    let forged = with_header(&token, &format!(r#"{{"typ":"at+jwt","kid":"{kid}"}}"#));
    assert_eq!(keys.verify(&forged, TYP).unwrap_err(), JwsError::Algorithm);
    // A key whose algorithm is not allowed is as good as none.
    let only_rsa = VerifyingKeys::from_jwks(
        &oauth_jose::JwkSet::new([ec.key().jwk().clone(), rsa.key().jwk().clone()]).unwrap(),
        &[Algorithm::Rs256],
    );
    assert_eq!(only_rsa.unwrap().verify(&token, TYP).unwrap_err(), JwsError::UnknownKid);
}

#[test]
fn jw_09_a_kid_is_compared_and_nothing_else() {
    let key = LocalKey::generate(Algorithm::EdDsa).unwrap();
    let keys = verifying(&[&key]);
    let token = sign(&key, "at+jwt", b"{}");
    for kid in ["../../etc/passwd", "' OR 1=1 --", "https://evil.example/jwks", "", &"a".repeat(8_000)] {
        let forged = with_header(&token, &format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{kid}"}}"#));
        assert_eq!(keys.verify(&forged, TYP).unwrap_err(), JwsError::UnknownKid);
    }
    for kid in ["7", "null", "[]", r#"{"a":1}"#] {
        let forged = with_header(&token, &format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":{kid}}}"#));
        assert_eq!(keys.verify(&forged, TYP).unwrap_err(), JwsError::Header);
    }
}

#[test]
fn without_a_kid_there_must_be_exactly_one_key() {
    let [one, two] = [(); 2].map(|()| LocalKey::generate(Algorithm::EdDsa).unwrap());
    let token = sign(&one, "at+jwt", b"{}");
    let bare = with_header(&token, r#"{"typ":"at+jwt","alg":"EdDSA"}"#);
    assert_eq!(verifying(&[&one]).verify(&bare, TYP).unwrap_err(), JwsError::Signature);
    assert_eq!(verifying(&[&one, &two]).verify(&bare, TYP).unwrap_err(), JwsError::MissingKid);
    assert_eq!(verifying(&[]).verify(&bare, TYP).unwrap_err(), JwsError::MissingKid);
}

#[test]
fn extensions_are_refused_and_keys_in_headers_are_not_looked_at() {
    let [key, evil] = [(); 2].map(|()| LocalKey::generate(Algorithm::Es256).unwrap());
    let keys = verifying(&[&key]);
    let token = sign(&evil, "at+jwt", b"{}");
    let jwk = serde_json::to_string(evil.key().jwk()).unwrap();
    let (kid, evil_kid) = (key.key().kid(), evil.key().kid());
    for (extra, kid, error) in [
        (r#""crit":["exp"]"#, kid, JwsError::Critical),
        (r#""crit":[]"#, kid, JwsError::Critical),
        (r#""b64":false"#, kid, JwsError::Critical),
        (&format!(r#""jwk":{jwk}"#), kid, JwsError::Signature),
        (&format!(r#""jwk":{jwk}"#), evil_kid, JwsError::UnknownKid),
        (r#""jku":"https://evil.example/jwks""#, evil_kid, JwsError::UnknownKid),
        (r#""x5u":"https://evil.example/cert","x5c":["AAAA"]"#, evil_kid, JwsError::UnknownKid),
    ] {
        let forged =
            with_header(&token, &format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{kid}",{extra}}}"#));
        assert_eq!(keys.verify(&forged, TYP).unwrap_err(), error, "{extra}");
    }
}

#[test]
fn types_are_compared_as_media_types() {
    let key = LocalKey::generate(Algorithm::EdDsa).unwrap();
    let keys = verifying(&[&key]);
    for right in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert!(keys.verify(&sign(&key, right, b"{}"), TYP).is_ok(), "{right}");
    }
    for wrong in [
        "",
        "JWT",
        "dpop+jwt",
        "at+jwt ",
        "at+jw",
        "text/at+jwt",
        "application/application/at+jwt",
        "applicatioń",
    ] {
        assert_eq!(keys.verify(&sign(&key, wrong, b"{}"), TYP).unwrap_err(), JwsError::Typ, "{wrong}");
    }
    assert!(keys.verify(&sign(&key, "JWT", b"{}"), &["at+jwt", "jwt"]).is_ok());
}

#[test]
fn jw_17_degenerate_ecdsa_signatures_are_refused() {
    for (algorithm, length) in [(Algorithm::Es256, 64), (Algorithm::Es384, 96)] {
        let key = LocalKey::generate(algorithm).unwrap();
        let keys = verifying(&[&key]);
        let token = sign(&key, "at+jwt", b"{}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let good = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        assert_eq!(good.len(), length);
        let half = length / 2;
        let mut r_zero = good.clone();
        r_zero[..half].fill(0);
        let mut s_zero = good.clone();
        s_zero[half..].fill(0);
        let mut r_large = good.clone();
        r_large[..half].fill(0xff);
        let mut s_large = good.clone();
        s_large[half..].fill(0xff);
        let der = [&[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01][..], &[0; 4]].concat();
        let longer = [&[0][..], &good].concat();
        let shorter = good[1..].to_vec();
        let zero = vec![0; length];
        for wrong in [zero, r_zero, s_zero, r_large, s_large, der, longer, shorter, Vec::new(), vec![1; 600]]
        {
            let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode_to_string(&wrong));
            assert!(keys.verify(&forged, TYP).is_err());
        }
    }
}
