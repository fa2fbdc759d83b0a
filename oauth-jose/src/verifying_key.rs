//! A public key that is ready to verify.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};

use crate::jwk::Material;
use crate::{Algorithm, Jwk, JwkError};

/// A public key, parsed once, with its id and its one algorithm.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    jwk: Jwk,
    kid: Arc<str>,
    algorithm: Algorithm,
    signature_length: usize,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    /// Parses a key. One without a `kid` gets its thumbprint as id (RFC 7638).
    ///
    /// # Errors
    ///
    /// [`JwkError::Algorithm`] for an RSA key that does not say which algorithm is its, [`JwkError::Key`] for numbers that
    /// are no key.
    pub fn new(jwk: &Jwk) -> Result<Self, JwkError> {
        let algorithm = jwk.algorithm().ok_or(JwkError::Algorithm)?;
        let kid: Arc<str> = match jwk.kid() {
            Some(kid) => kid.into(),
            None => jwk.thumbprint().into(),
        };
        let parsed = parse(&jwk.material, algorithm)?;
        let signature_length = match &jwk.material {
            Material::P256 { .. } | Material::Ed25519 { .. } => 64,
            Material::P384 { .. } => 96,
            Material::Rsa { n, .. } => n.len(),
        };
        let jwk = jwk.clone().with_kid(kid.clone());
        Ok(Self(Arc::new(Inner { jwk, kid, algorithm, signature_length, parsed })))
    }

    /// Its id.
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The same key under another id.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        let kid: Arc<str> = kid.into();
        let jwk = self.0.jwk.clone().with_kid(kid.clone());
        Self(Arc::new(Inner { jwk, kid, parsed: self.0.parsed.clone(), ..*self.0 }))
    }

    /// Its one algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// The key as it is published, with `kid`, `alg` and `use`.
    pub fn jwk(&self) -> &Jwk {
        &self.0.jwk
    }

    /// The length of every signature of this key, in bytes.
    pub fn signature_length(&self) -> usize {
        self.0.signature_length
    }

    /// Whether `signature`, in the form of RFC 7518 §3, is this key's signature of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == self.0.signature_length && self.0.parsed.verify_sig(message, signature).is_ok()
    }
}

fn parse(material: &Material, algorithm: Algorithm) -> Result<ParsedPublicKey, JwkError> {
    let point = |x: &[u8], y: &[u8]| [&[4], x, y].concat();
    let parsed = match (material, algorithm) {
        (Material::P256 { x, y }, Algorithm::Es256) => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(x, y))
        }
        (Material::P384 { x, y }, Algorithm::Es384) => {
            ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point(x, y))
        }
        (Material::Ed25519 { x }, Algorithm::EdDsa) => ParsedPublicKey::new(&ED25519, x),
        (Material::Rsa { n, e }, Algorithm::Rs256) => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        }
        (Material::Rsa { n, e }, Algorithm::Ps256) => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256)
        }
        _ => return Err(JwkError::Algorithm),
    };
    parsed.map_err(|_| JwkError::Key)
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.jwk == other.0.jwk
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish()
    }
}
