//! One public key as JSON (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::{Deserializer, Error};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::small_order::is_no_key;
use crate::strict_json::{Strict, from_value};
use crate::{Algorithm, base64url};

/// The longest key id.
const MAX_KID: usize = 512;
/// The moduli of RSA keys, in bytes: 2,048 to 4,096 bits. Longer ones are a way to make verification expensive.
pub(crate) const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// The public half of a signature key, of an algorithm that is known here.
///
/// Reading one refuses keys of other kinds, uses and algorithms, private and symmetric ones, and repeated members; what else
/// there is (`x5c`, names of one's own) is ignored. [`JwkSet`](crate::JwkSet) skips what is refused here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    pub(crate) material: Material,
    kid: Option<Arc<str>>,
    /// `None` for an RSA key that does not say which.
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    P256 { x: [u8; 32], y: [u8; 32] },
    P384 { x: [u8; 48], y: [u8; 48] },
    Ed25519 { x: [u8; 32] },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// Not a JWK, or a member is missing or malformed.
    #[error("not a well-formed JWK")]
    Malformed,
    /// A key type or a curve that is not known here.
    #[error("a kty or crv that is not supported")]
    Kind,
    /// `alg` is unknown or does not belong to the key.
    #[error("an alg that is not supported or not of this kty and crv")]
    Algorithm,
    /// `use` or `key_ops` say that it is not for signatures.
    #[error("not a key for signatures, says use or key_ops")]
    Use,
    /// A private or symmetric key where a public one belongs: it is known to more than its owner.
    #[error("a private key where a public key belongs")]
    Private,
    /// The numbers do not make a key, or it is too small or too large.
    #[error("not a valid key, or of a size that is not accepted")]
    Key,
}

/// The members that count, public and private ones.
#[derive(Deserialize)]
pub(crate) struct Members {
    kty: Option<String>,
    crv: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    pub(crate) d: Option<String>,
    pub(crate) p: Option<String>,
    pub(crate) q: Option<String>,
    pub(crate) dp: Option<String>,
    pub(crate) dq: Option<String>,
    pub(crate) qi: Option<String>,
    oth: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

impl Members {
    pub(crate) fn parse(value: Strict) -> Result<Self, JwkError> {
        from_value(value).map_err(|_| JwkError::Malformed)
    }

    /// The public half. `operation` is what a `key_ops`, if there is one, must allow.
    pub(crate) fn public(&self, operation: &str) -> Result<Jwk, JwkError> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig")
            || self.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == operation))
        {
            return Err(JwkError::Use);
        }
        let kty = self.kty.as_deref().ok_or(JwkError::Malformed)?;
        let material = match (kty, self.crv.as_deref()) {
            ("EC", Some("P-256")) => Material::P256 { x: fixed(&self.x)?, y: fixed(&self.y)? },
            ("EC", Some("P-384")) => Material::P384 { x: fixed(&self.x)?, y: fixed(&self.y)? },
            ("OKP", Some("Ed25519")) => Material::ed25519(fixed(&self.x)?)?,
            ("RSA", None) => Material::rsa(bytes(&self.n)?, bytes(&self.e)?)?,
            _ => return Err(JwkError::Kind),
        };
        let algorithm = match self.alg.as_deref().map(Algorithm::parse) {
            None => material.only_algorithm(),
            Some(Some(algorithm)) if material.allows(algorithm) => Some(algorithm),
            Some(_) => return Err(JwkError::Algorithm),
        };
        let kid = match &self.kid {
            Some(kid) if kid.is_empty() || kid.len() > MAX_KID => return Err(JwkError::Malformed),
            kid => kid.as_deref().map(Arc::from),
        };
        Ok(Jwk { material, kid, algorithm })
    }

    fn is_private(&self) -> bool {
        let texts = [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi];
        texts.iter().any(|text| text.is_some()) || self.oth.is_some() || self.k.is_some()
    }
}

/// The secrets of a private key do not stay in memory.
impl Drop for Members {
    fn drop(&mut self) {
        for secret in [&mut self.d, &mut self.p, &mut self.q, &mut self.dp, &mut self.dq, &mut self.qi] {
            secret.zeroize();
        }
    }
}

impl Material {
    /// A point that can be a key.
    fn ed25519(x: [u8; 32]) -> Result<Self, JwkError> {
        if is_no_key(&x) { Err(JwkError::Key) } else { Ok(Self::Ed25519 { x }) }
    }

    /// An RSA key of an acceptable size, with the odd exponents from 3 up to 2³³ that the cryptography library takes. By the
    /// exponent one, whatever is well padded is its own signature.
    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkError> {
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let modulus = match n.first() {
            None | Some(0) => false,
            Some(first) if n.len() == *RSA_MODULUS.start() => *first >= 0x80,
            Some(_) => RSA_MODULUS.contains(&n.len()),
        };
        let exponent = match e.first() {
            None | Some(0) => false,
            Some(first) if e.len() == 5 => *first == 1,
            Some(_) => e.len() < 5 && e != [1],
        };
        if modulus && exponent && odd(&n) && odd(&e) { Ok(Self::Rsa { n, e }) } else { Err(JwkError::Key) }
    }

    /// The algorithm that goes without saying.
    fn only_algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::P256 { .. } => Some(Algorithm::Es256),
            Self::P384 { .. } => Some(Algorithm::Es384),
            Self::Ed25519 { .. } => Some(Algorithm::EdDsa),
            Self::Rsa { .. } => None,
        }
    }

    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        self.only_algorithm().map_or(algorithm.is_rsa(), |only| only == algorithm)
    }
}

impl Jwk {
    pub(crate) fn new(material: Material, algorithm: Algorithm) -> Self {
        Self { material, kid: None, algorithm: Some(algorithm) }
    }

    /// Reads a key.
    ///
    /// # Errors
    ///
    /// A [`JwkError`].
    pub fn parse(json: &[u8]) -> Result<Self, JwkError> {
        serde_json::from_slice(json).map_err(|_| JwkError::Malformed).and_then(Self::from_value)
    }

    pub(crate) fn from_value(value: Strict) -> Result<Self, JwkError> {
        let members = Members::parse(value)?;
        if members.is_private() {
            return Err(JwkError::Private);
        }
        members.public("verify")
    }

    /// The key id, where it says one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The same key under another id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<Arc<str>>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Its algorithm; `None` for an RSA key that does not say which.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Settles the algorithm of an RSA key that does not say which.
    pub(crate) fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The SHA-256 thumbprint, as base64url (RFC 7638 §3): the same for the same key, whatever its id.
    pub fn thumbprint(&self) -> String {
        let text = |bytes: &[u8]| base64url::encode(bytes);
        let canonical = match &self.material {
            Material::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
            }
            Material::P384 { x, y } => {
                format!(r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
            }
            Material::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
        };
        base64url::encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    /// Writes the public members into a JSON object.
    pub(crate) fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let mut members: Vec<(&str, String)> = Vec::with_capacity(8);
        match &self.material {
            Material::P256 { x, y } => members.extend(elliptic("P-256", x, y)),
            Material::P384 { x, y } => members.extend(elliptic("P-384", x, y)),
            Material::Ed25519 { x } => members.extend([
                ("kty", "OKP".to_owned()),
                ("crv", "Ed25519".to_owned()),
                ("x", base64url::encode(x)),
            ]),
            Material::Rsa { n, e } => members.extend([
                ("kty", "RSA".to_owned()),
                ("n", base64url::encode(n)),
                ("e", base64url::encode(e)),
            ]),
        }
        for (name, value) in &members {
            map.serialize_entry(name, value)?;
        }
        if let Some(algorithm) = self.algorithm {
            map.serialize_entry("alg", algorithm.as_str())?;
        }
        if let Some(kid) = &self.kid {
            map.serialize_entry("kid", &**kid)?;
        }
        map.serialize_entry("use", "sig")
    }
}

fn elliptic(crv: &str, x: &[u8], y: &[u8]) -> [(&'static str, String); 4] {
    [
        ("kty", "EC".to_owned()),
        ("crv", crv.to_owned()),
        ("x", base64url::encode(x)),
        ("y", base64url::encode(y)),
    ]
}

pub(crate) fn bytes(member: &Option<String>) -> Result<Vec<u8>, JwkError> {
    member.as_ref().and_then(|text| base64url::decode(text.as_bytes())).ok_or(JwkError::Malformed)
}

fn fixed<const N: usize>(member: &Option<String>) -> Result<[u8; N], JwkError> {
    bytes(member)?.try_into().map_err(|_| JwkError::Key)
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Strict::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
