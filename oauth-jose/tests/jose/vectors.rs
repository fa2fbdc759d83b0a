//! Examples of the RFCs.

use oauth_jose::{Jwk, JwkSet, JwsError, LocalKey, Signer as _, VerifyingKeys};

use crate::sign;

/// RFC 7515 appendix A.3.
const ES256_JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const ES256_JWS: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS\
    9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// RFC 8037 appendix A.
const ED25519_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ED25519_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AI\
    bQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// RFC 7638 §3.1.
const RSA_JWK: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

#[test]
fn rfc_7515_a_3_and_rfc_8037_a_4_verify() {
    for (jwk, jws, payload) in [
        (
            ES256_JWK,
            ES256_JWS,
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}",
        ),
        (ED25519_JWK, ED25519_JWS, "Example of Ed25519 signing"),
    ] {
        let key = LocalKey::from_jwk(jwk.as_bytes()).unwrap();
        let keys = VerifyingKeys::new([key.key().clone()]);
        assert_eq!(keys.verify(jws, &[""]).unwrap().payload(), payload.as_bytes());
        assert_eq!(keys.verify(jws, &["at+jwt"]).unwrap_err(), JwsError::Typ);
        assert_eq!(keys.verify(jws, &[]).unwrap_err(), JwsError::Typ);

        let mut other = jws.to_owned();
        let changed = if other.pop() == Some('A') { "Q" } else { "A" };
        other.push_str(changed);
        assert_eq!(keys.verify(&other, &[""]).unwrap_err(), JwsError::Signature);
    }
}

#[test]
fn rfc_8037_a_4_ed25519_signs_the_same() {
    let key = LocalKey::from_jwk(ED25519_JWK.as_bytes()).unwrap();
    let token = sign(&key, "at+jwt", b"x");
    assert_eq!(token, sign(&key, "at+jwt", b"x"));
}

#[test]
fn rfc_7638_thumbprints() {
    let rsa = Jwk::parse(RSA_JWK.as_bytes()).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(rsa.kid(), Some("2011-04-29"));
    let ed25519 = LocalKey::from_jwk(ED25519_JWK.as_bytes()).unwrap();
    assert_eq!(ed25519.key().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn rfc_7517_a_1_the_key_for_encryption_is_left_out() {
    let set = br#"{"keys":[
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
         "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},
        {"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA","kid":"2"},
        {"kty":"oct","k":"AAAA"}, 7, {"kty":"RSA"}]}"#;
    let set = JwkSet::parse(set).unwrap();
    assert_eq!((set.keys().len(), set.skipped()), (0, 5));
}
