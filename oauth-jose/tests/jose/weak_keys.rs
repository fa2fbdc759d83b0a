//! Keys that are well-formed and must not be used.

use base64_simd::URL_SAFE_NO_PAD;
use oauth_jose::{Algorithm, Jwk, JwkError, JwkSet, LocalKey, Signer as _, VerifyingKeys};
use serde_json::{Value, json};

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn parse(jwk: &Value) -> Result<Jwk, JwkError> {
    Jwk::parse(jwk.to_string().as_bytes())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Little-endian, a number next to p = 2²⁵⁵ - 19.
fn near_the_prime(first: u8) -> Vec<u8> {
    [&[first][..], &[0xff; 30], &[0x7f]].concat()
}

#[test]
fn rsa_keys_have_2048_bits_and_an_odd_exponent_above_one() {
    let modulus = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        n
    };
    let even = [&[0xff; 255][..], &[0xfe]].concat();
    let padded = [&[0][..], &modulus(2048)].concat();
    let jwk = |n: &[u8], e: &[u8]| json!({ "kty": "RSA", "alg": "PS256", "n": text(n), "e": text(e) });
    for (n, e) in [
        (modulus(512), vec![1, 0, 1]),
        (modulus(1024), vec![1, 0, 1]),
        (modulus(2040), vec![1, 0, 1]),
        (modulus(2041), vec![1, 0, 1]),
        (modulus(2047), vec![1, 0, 1]),
        (modulus(4097), vec![1, 0, 1]),
        (modulus(16_384), vec![1, 0, 1]),
        (even, vec![1, 0, 1]),
        (padded, vec![1, 0, 1]),
        (vec![], vec![1, 0, 1]),
        (modulus(2048), vec![]),
        (modulus(2048), vec![0]),
        (modulus(2048), vec![1]),
        (modulus(2048), vec![0, 3]),
        (modulus(2048), vec![2]),
        (modulus(2048), vec![1, 0, 0]),
        (modulus(2048), vec![2, 0, 0, 0, 1]),
        (modulus(2048), vec![1, 0, 0, 0, 0, 1]),
        (modulus(2048), modulus(2048)),
    ] {
        assert_eq!(parse(&jwk(&n, &e)).unwrap_err(), JwkError::Key, "{} bytes, {e:?}", n.len());
    }
    for (bits, e) in [(2048, vec![3]), (2048, vec![1, 0, 1]), (2049, vec![17]), (4096, vec![1, 0, 0, 0, 1])] {
        assert!(parse(&jwk(&modulus(bits), &e)).is_ok(), "{bits} bits, {e:?}");
    }
}

#[test]
fn ed25519_points_of_small_order_and_other_writings_are_no_keys() {
    let eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let other = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let one = [&[1][..], &[0; 31]].concat();
    let mut points = vec![vec![0; 32], one, hex(eight), hex(other)];
    points.extend((0xec..=0xff).map(near_the_prime));
    let jwk = |x: &[u8]| json!({ "kty": "OKP", "crv": "Ed25519", "x": text(x) });
    for mut point in points {
        for sign in [0, 0x80] {
            point[31] |= sign;
            assert_eq!(parse(&jwk(&point)).unwrap_err(), JwkError::Key, "{point:x?}");
        }
    }
    // RFC 8032 §7.1, and what is one below the first that is refused.
    let usual = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    for point in [hex(usual), near_the_prime(0xeb)] {
        assert!(parse(&jwk(&point)).is_ok(), "{point:x?}");
    }
}

/// What it is about: with the neutral element as key, `R = B` and `S = 1` sign every message.
#[test]
fn a_set_with_a_point_of_small_order_verifies_nothing_by_it() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let base = hex("5866666666666666666666666666666666666666666666666666666666666666");
    let signature = [&base[..], &neutral].concat();
    let good = LocalKey::generate(Algorithm::EdDsa).unwrap();
    let weak = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "weak", "x": text(&neutral) });
    let set = json!({ "keys": [good.key().jwk(), weak] });
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!((set.keys().len(), set.skipped()), (1, 1));
    let keys = VerifyingKeys::from_jwks(&set, &Algorithm::ALL).unwrap();
    let header = text(br#"{"typ":"at+jwt","alg":"EdDSA","kid":"weak"}"#);
    let token = format!("{header}.{}.{}", text(b"{}"), text(&signature));
    assert_eq!(keys.verify(&token, &["at+jwt"]).unwrap_err(), oauth_jose::JwsError::UnknownKid);
}
