//! Bare signatures of aws-lc-rs with a kept key, and whole tokens: what framing, header, payload and claims add.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_executor::block_on;
use oauth_jose::{
    AccessTokenClaims, Algorithm, CompactSigner, Expected, LocalKey, Signer as _, VerifyingKeys,
};

const NOW: u64 = 1_800_000_000;
const CLAIMS: &str = r#"{"iss":"https://as.example","sub":"248289761001","aud":"https://api.example","client_id":"s6BhdRkqt3","iat":1800000000,"exp":1800000600,"jti":"AZ6dR0kqcQ2VvYw1l6o8m3dC9fXyZ0aB","scope":"read write","auth_time":1799999000}"#;

/// The signature of the library, with a key that was parsed once.
enum Bare {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Bare {
    fn new(algorithm: Algorithm, pkcs8: &[u8]) -> Self {
        match algorithm {
            Algorithm::Es256 => {
                Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap())
            }
            Algorithm::EdDsa => Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8).unwrap()),
            _ => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8).unwrap()),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ec(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }

    fn public(&self) -> ParsedPublicKey {
        match self {
            Self::Ec(key) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key()),
            Self::Ed(key) => ParsedPublicKey::new(&ED25519, key.public_key()),
            Self::Rsa(key) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key()),
        }
        .unwrap()
    }
}

fn check(payload: &[u8]) {
    let claims = AccessTokenClaims::parse_borrowed(std::str::from_utf8(payload).unwrap()).unwrap();
    let audience = &["https://api.example"];
    let expected = Expected { issuer: "https://as.example", audience, now: NOW, skew: 10, profile: true };
    black_box(&claims).check(&expected).unwrap();
}

fn tokens(criterion: &mut Criterion) {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let key = LocalKey::generate(algorithm).unwrap();
        let bare = Bare::new(algorithm, &key.to_pkcs8().unwrap());
        let keys = VerifyingKeys::new([key.key().clone()]);
        let signer = CompactSigner::new(Arc::new(key), "at+jwt");
        let token = block_on(signer.sign(CLAIMS.as_bytes())).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        let (signature, public) = (bare.sign(message.as_bytes()), bare.public());

        let mut group = criterion.benchmark_group(algorithm.as_str());
        group.bench_function("verify, bare", |bench| {
            bench.iter(|| public.verify_sig(black_box(message.as_bytes()), black_box(&signature)).unwrap())
        });
        group.bench_function("verify, token", |bench| {
            bench.iter(|| keys.verify(black_box(&token), &["at+jwt"]).unwrap().into_payload())
        });
        group.bench_function("verify, token and claims", |bench| {
            bench.iter(|| check(keys.verify(black_box(&token), &["at+jwt"]).unwrap().payload()))
        });
        group.bench_function("sign, bare", |bench| bench.iter(|| bare.sign(black_box(message.as_bytes()))));
        group.bench_function("sign, token", |bench| {
            bench.iter(|| block_on(signer.sign(black_box(CLAIMS.as_bytes()))).unwrap())
        });
    }
    criterion.bench_function("claims alone", |bench| bench.iter(|| check(black_box(CLAIMS.as_bytes()))));
    let key = LocalKey::generate(Algorithm::Es256).unwrap();
    let keys = VerifyingKeys::new([key.key().clone()]);
    let token = block_on(CompactSigner::new(Arc::new(key), "at+jwt").sign(CLAIMS.as_bytes())).unwrap();
    // All but the signature: another length of it is refused after everything else. The header is that of a good one.
    keys.verify(&token, &["at+jwt"]).unwrap();
    let cut = &token[..token.len() - 4];
    criterion.bench_function("framing and header alone", |bench| {
        bench.iter(|| keys.verify(black_box(cut), &["at+jwt"]).unwrap_err())
    });
}

criterion_group!(benches, tokens);
criterion_main!(benches);
