//! A private key in the memory of this process.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::jwk::{Material, Members, bytes};
use crate::pem::Form;
use crate::strict_json::Strict;
use crate::{Algorithm, Jwk, JwkError, SignError, Signer, VerifyingKey, base64url, der, pem};

/// A private key in memory, parsed once. Its id is its thumbprint (RFC 7638) unless it is given another.
///
/// Signing happens on the calling thread: about 25 µs for ES256, 12 µs for EdDSA, 700 µs for the RSA algorithms with 2,048
/// bits.
///
/// # Security
///
/// `Debug` prints the id and the algorithm alone. The cryptography library keeps and frees the key; what is exported is
/// overwritten when it is dropped.
#[derive(Clone)]
pub struct LocalKey {
    pair: Arc<Pair>,
    public: VerifyingKey,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No private key in PEM was found.
    #[error("not a private key in PEM; expected BEGIN PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY")]
    Pem,
    /// The key is encrypted.
    #[error("the private key is encrypted; decrypt it first")]
    Encrypted,
    /// The bytes are no private key of the algorithm.
    #[error("not a private key of this algorithm, or of a size that is not accepted")]
    Rejected,
    /// The JWK is refused.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// The cryptography library could not make or write a key.
    #[error("no key could be made")]
    Unavailable,
}

impl LocalKey {
    /// Draws a key; RSA keys have 2,048 bits.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`].
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Ec),
            Algorithm::Es384 => EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::Ec),
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Pair::Ed),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Pair::rsa(pair, algorithm))
            }
        };
        Self::new(pair.map_err(|_| KeyError::Unavailable)?, algorithm)
    }

    /// Reads the first private key of a PEM text: PKCS#8, SEC 1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// A [`KeyError`].
    pub fn from_pem(pem: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let (form, der) = pem::private_key(pem)?;
        let pair = match form {
            Form::Pkcs8 => return Self::from_pkcs8(&der, algorithm),
            Form::Sec1 => Pair::Ec(
                EcdsaKeyPair::from_private_key_der(curve(algorithm)?, &der)
                    .map_err(|_| KeyError::Rejected)?,
            ),
            Form::Pkcs1 if algorithm.is_rsa() => {
                Pair::rsa(RsaKeyPair::from_der(&der).map_err(|_| KeyError::Rejected)?, algorithm)
            }
            Form::Pkcs1 => return Err(KeyError::Rejected),
        };
        Self::new(pair, algorithm)
    }

    /// Reads a private key in PKCS#8 (RFC 5208), as DER.
    ///
    /// # Errors
    ///
    /// [`KeyError::Rejected`].
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                EcdsaKeyPair::from_pkcs8(curve(algorithm)?, der).map(Pair::Ec)
            }
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                RsaKeyPair::from_pkcs8(der).map(|pair| Pair::rsa(pair, algorithm))
            }
        };
        Self::new(pair.map_err(|_| KeyError::Rejected)?, algorithm)
    }

    /// Reads a private JWK. Its `kid` is kept; an RSA key must say its `alg` and all of `p`, `q`, `dp`, `dq`, `qi`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Jwk`] or [`KeyError::Rejected`].
    pub fn from_jwk(json: &[u8]) -> Result<Self, KeyError> {
        let value: Strict = serde_json::from_slice(json).map_err(|_| JwkError::Malformed)?;
        let members = Members::parse(value)?;
        let public = members.public("sign")?;
        let algorithm = public.algorithm().ok_or(JwkError::Algorithm)?;
        let secret = |member| bytes(member).map(Zeroizing::new);
        let d = secret(&members.d)?;
        let point = |x: &[u8], y: &[u8]| [&[4], x, y].concat();
        let pair = match &public.material {
            Material::P256 { x, y } => {
                EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm)?, &d, &point(x, y))
                    .map(Pair::Ec)
            }
            Material::P384 { x, y } => {
                EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm)?, &d, &point(x, y))
                    .map(Pair::Ec)
            }
            Material::Ed25519 { x } if d.len() == 32 => {
                Ed25519KeyPair::from_seed_and_public_key(&d, x).map(Pair::Ed)
            }
            Material::Ed25519 { .. } => return Err(KeyError::Rejected),
            Material::Rsa { n, e } => RsaKeyPair::from_components(&aws_lc_rs::rsa::KeyPairComponents {
                public_key: RsaPublicKeyComponents { n: n.as_slice(), e: e.as_slice() },
                d: d.as_slice(),
                p: &secret(&members.p)?,
                q: &secret(&members.q)?,
                dP: &secret(&members.dp)?,
                dQ: &secret(&members.dq)?,
                qInv: &secret(&members.qi)?,
            })
            .map(|pair| Pair::rsa(pair, algorithm)),
        };
        let key = Self::new(pair.map_err(|_| KeyError::Rejected)?, algorithm)?;
        Ok(match public.kid() {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }

    fn new(pair: Pair, algorithm: Algorithm) -> Result<Self, KeyError> {
        let public = VerifyingKey::new(&Jwk::new(pair.public()?, algorithm))?;
        Ok(Self { pair: Arc::new(pair), public })
    }

    /// The same key under another id.
    #[must_use]
    pub fn with_kid(self, kid: &str) -> Self {
        Self { public: self.public.with_kid(kid), pair: self.pair }
    }

    /// The key in PKCS#8 (RFC 5208), as DER.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`].
    ///
    /// # Security
    ///
    /// Whoever reads it can sign in this issuer's name: wrap it before it is stored.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = match &*self.pair {
            Pair::Ec(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Ed(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Rsa(pair, _) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec()),
        };
        der.map(Zeroizing::new).map_err(|_| KeyError::Unavailable)
    }

    /// The key as a private JWK, with `kid` and `alg`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`].
    ///
    /// # Security
    ///
    /// As for [`LocalKey::to_pkcs8`].
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, KeyError> {
        let unavailable = |_| KeyError::Unavailable;
        let mut secrets: Vec<(&'static str, Zeroizing<String>)> = Vec::with_capacity(6);
        let mut add = |name, bytes: &[u8]| secrets.push((name, Zeroizing::new(base64url::encode(bytes))));
        match &*self.pair {
            Pair::Ec(pair) => {
                let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(unavailable)?;
                add("d", d.as_ref());
            }
            Pair::Ed(pair) => {
                let seed = pair.seed().map_err(unavailable)?;
                let d: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(unavailable)?;
                add("d", d.as_ref());
            }
            Pair::Rsa(..) => {
                let der = self.to_pkcs8()?;
                let [_, _, numbers @ ..] = der::rsa_numbers(&der).ok_or(KeyError::Unavailable)?;
                for (name, number) in ["d", "p", "q", "dp", "dq", "qi"].into_iter().zip(numbers) {
                    add(name, number);
                }
            }
        }
        let private = PrivateJwk { public: self.public.jwk(), secrets };
        serde_json::to_string(&private).map(Zeroizing::new).map_err(|_| KeyError::Unavailable)
    }
}

/// A JWK with its private members, only ever written.
struct PrivateJwk<'k> {
    public: &'k Jwk,
    secrets: Vec<(&'static str, Zeroizing<String>)>,
}

impl Serialize for PrivateJwk<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        self.public.write(&mut map)?;
        for (name, secret) in &self.secrets {
            map.serialize_entry(name, secret.as_str())?;
        }
        map.end()
    }
}

fn curve(algorithm: Algorithm) -> Result<&'static aws_lc_rs::signature::EcdsaSigningAlgorithm, KeyError> {
    match algorithm {
        Algorithm::Es256 => Ok(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Ok(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::EdDsa | Algorithm::Rs256 | Algorithm::Ps256 => Err(KeyError::Rejected),
    }
}

impl Pair {
    fn rsa(pair: RsaKeyPair, algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ps256 => Self::Rsa(pair, &RSA_PSS_SHA256),
            _ => Self::Rsa(pair, &RSA_PKCS1_SHA256),
        }
    }

    fn public(&self) -> Result<Material, KeyError> {
        match self {
            Self::Ec(pair) => match pair.public_key().as_ref() {
                [4, point @ ..] if point.len() == 64 => {
                    let (x, y) = halves(point)?;
                    Ok(Material::P256 { x, y })
                }
                [4, point @ ..] => {
                    let (x, y) = halves(point)?;
                    Ok(Material::P384 { x, y })
                }
                _ => Err(KeyError::Rejected),
            },
            Self::Ed(pair) => {
                let x = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Rejected)?;
                Ok(Material::Ed25519 { x })
            }
            Self::Rsa(pair, _) => {
                let der = pair.public_key().as_ref();
                let mut key = der::Reader::new(der).sequence().ok_or(KeyError::Rejected)?;
                let (n, e) = key.integer().zip(key.integer()).ok_or(KeyError::Rejected)?;
                Ok(Material::rsa(n.to_vec(), e.to_vec())?)
            }
        }
    }
}

fn halves<const N: usize>(point: &[u8]) -> Result<([u8; N], [u8; N]), KeyError> {
    let (x, y) = point.split_at_checked(N).ok_or(KeyError::Rejected)?;
    Ok((x.try_into().map_err(|_| KeyError::Rejected)?, y.try_into().map_err(|_| KeyError::Rejected)?))
}

#[async_trait]
impl Signer for LocalKey {
    fn key(&self) -> &VerifyingKey {
        &self.public
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        let failed = |_| SignError::new("the cryptography library refused");
        match &*self.pair {
            Pair::Ec(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Ed(pair) => {
                pair.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalKey").field(&self.public).finish()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::EcPrivateKeyRfc5915Der;

    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let text = base64_simd::STANDARD.encode_to_string(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    #[test]
    fn the_older_forms_of_pem_are_read() {
        for algorithm in [Algorithm::Es256, Algorithm::Es384] {
            let key = LocalKey::generate(algorithm).unwrap();
            let Pair::Ec(pair) = &*key.pair else { panic!("an elliptic key") };
            let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
            // As openssl writes it: the curve first.
            let text = pem("EC PARAMETERS", &[6, 1, 1]) + &pem("EC PRIVATE KEY", der.as_ref());
            assert_eq!(LocalKey::from_pem(&text, algorithm).unwrap().key(), key.key());
            assert_eq!(LocalKey::from_pem(&text, Algorithm::Rs256).unwrap_err(), KeyError::Rejected);
        }
        let key = LocalKey::generate(Algorithm::Ps256).unwrap();
        let pkcs8 = key.to_pkcs8().unwrap();
        let mut outer = der::Reader::new(&pkcs8).sequence().unwrap();
        outer.integer().unwrap();
        outer.sequence().unwrap();
        let text = pem("RSA PRIVATE KEY", outer.element(0x04).unwrap());
        assert_eq!(LocalKey::from_pem(&text, Algorithm::Ps256).unwrap().key(), key.key());
        assert_eq!(LocalKey::from_pem(&text, Algorithm::Es256).unwrap_err(), KeyError::Rejected);
        let protected = text.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n");
        assert_eq!(LocalKey::from_pem(&protected, Algorithm::Ps256).unwrap_err(), KeyError::Encrypted);
    }
}
