//! Verifying compact JWS (RFC 7515 §5.2, RFC 8725).

use std::borrow::Cow;
use std::mem::MaybeUninit;

use base64_simd::AsOut as _;
use memchr::memchr;

use crate::compact::MAX_TOKEN;
use crate::header::Header;
use crate::jwk::RSA_MODULUS;
use crate::usual_header::UsualHeader;
use crate::{Algorithm, JwkError, JwkSet, VerifyingKey, base64url};

/// The keys of one issuer, parsed once.
#[derive(Clone, Debug, Default)]
pub struct VerifyingKeys {
    keys: Vec<VerifyingKey>,
    /// Beside each key.
    headers: Vec<UsualHeader>,
}

/// What a token's signature is good for: its payload, and the key that signed it.
#[derive(Clone, Debug)]
pub struct VerifiedJws<'k> {
    payload: Vec<u8>,
    key: &'k VerifyingKey,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Longer than [`MAX_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url.
    #[error("not a compact JWS")]
    Malformed,
    /// The header is not one plain JSON object.
    #[error("the header is not well-formed")]
    Header,
    /// The header has `crit` or `b64`: it asks for processing that is not done here.
    #[error("the header asks for an extension")]
    Critical,
    /// `alg` is missing, unknown, `none`, or not the algorithm of the key.
    #[error("an algorithm that is not accepted")]
    Algorithm,
    /// `typ` is missing or another: a token of another purpose (RFC 8725 §3.11).
    #[error("a token of another type")]
    Typ,
    /// No key of that `kid`: the issuer may have published it since its keys were read.
    #[error("signed with a key that is not known")]
    UnknownKid,
    /// No `kid`, and not exactly one key of the algorithm.
    #[error("no kid, and more than one key")]
    MissingKid,
    /// The signature is not that of the key.
    #[error("the signature is not valid")]
    Signature,
}

impl VerifyingKeys {
    /// The keys of a set whose algorithm is `allowed`; the others are left out, and so are those that are no valid keys. An
    /// RSA key that does not say its algorithm gets RS256, or PS256 where RS256 is not allowed.
    ///
    /// # Errors
    ///
    /// [`JwkError::Key`] if keys were left out as not valid and none is there: a broken set must not replace a good one.
    pub fn from_jwks(set: &JwkSet, allowed: &[Algorithm]) -> Result<Self, JwkError> {
        let mut keys = Vec::with_capacity(set.keys().len());
        let mut broken = false;
        for jwk in set.keys() {
            let rsa = [Algorithm::Rs256, Algorithm::Ps256].into_iter().find(|rsa| allowed.contains(rsa));
            let Some(algorithm) = jwk.algorithm().or(rsa) else { continue };
            if !allowed.contains(&algorithm) {
                continue;
            }
            match VerifyingKey::new(&jwk.clone().with_algorithm(algorithm)) {
                Ok(key) => keys.push(key),
                Err(_) => broken = true,
            }
        }
        if broken && keys.is_empty() { Err(JwkError::Key) } else { Ok(Self::new(keys)) }
    }

    /// These keys. Where two have one `kid` and algorithm, the first counts.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        Self { headers: vec![UsualHeader::default(); keys.len()], keys }
    }

    /// The keys.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// Verifies a token: its form, its type, its algorithm, its signature, in this order of cost.
    ///
    /// `typ` lists the accepted types, such as `at+jwt`; `application/at+jwt` and any case are the same (RFC 9068 §4, RFC 7515
    /// §4.1.9). An empty string in the list accepts a token that says no type; an empty list accepts none.
    ///
    /// # Errors
    ///
    /// A [`JwsError`]; [`JwsError::UnknownKid`] may end when the keys are read again.
    ///
    /// # Security
    ///
    /// The payload is what the key's owner signed, no more: whether it is for this audience and still valid is said by its
    /// claims.
    pub fn verify(&self, token: &str, typ: &[&str]) -> Result<VerifiedJws<'_>, JwsError> {
        if token.len() > MAX_TOKEN {
            return Err(JwsError::TooLong);
        }
        let parts = Parts::split(token.as_bytes()).ok_or(JwsError::Malformed)?;
        if let Some((key, header)) = self.entries().find(|(_, header)| header.is(parts.header)) {
            return if is_expected(header.typ(), typ) { parts.open(key) } else { Err(JwsError::Typ) };
        }
        let header = base64url::decode(parts.header).ok_or(JwsError::Malformed)?;
        let header = Header::parse(&header).ok_or(JwsError::Header)?;
        if header.extended {
            return Err(JwsError::Critical);
        }
        let algorithm = header.algorithm.ok_or(JwsError::Algorithm)?;
        if !is_expected(header.typ.as_deref(), typ) {
            return Err(JwsError::Typ);
        }
        let (key, usual) = self.find(header.kid, algorithm)?;
        let verified = parts.open(key)?;
        usual.keep(parts.header, header.typ.as_deref());
        Ok(verified)
    }

    fn find(&self, kid: Option<Cow<'_, str>>, algorithm: Algorithm) -> Result<Entry<'_>, JwsError> {
        let Some(kid) = kid else {
            let mut candidates = self.entries().filter(|(key, _)| key.algorithm() == algorithm);
            return match (candidates.next(), candidates.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(JwsError::MissingKid),
            };
        };
        let mut error = JwsError::UnknownKid;
        for entry in self.entries().filter(|(key, _)| *key.kid() == *kid) {
            if entry.0.algorithm() == algorithm {
                return Ok(entry);
            }
            error = JwsError::Algorithm;
        }
        Err(error)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.keys.iter().zip(&self.headers)
    }
}

/// A key, and the header that its tokens have.
type Entry<'k> = (&'k VerifyingKey, &'k UsualHeader);

impl<'k> VerifiedJws<'k> {
    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, to keep.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The key that signed it.
    pub fn key(&self) -> &'k VerifyingKey {
        self.key
    }

    /// The id of the key that signed it.
    pub fn kid(&self) -> &'k str {
        self.key.kid()
    }

    /// The algorithm of that key.
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }
}

/// The parts of a compact JWS.
struct Parts<'t> {
    header: &'t [u8],
    payload: &'t [u8],
    signature: &'t [u8],
    /// Header, dot and payload: what is signed.
    signed: &'t [u8],
}

impl<'t> Parts<'t> {
    fn split(token: &'t [u8]) -> Option<Self> {
        let (header, rest) = token.split_at_checked(memchr(b'.', token)?)?;
        let rest = rest.get(1..)?;
        let (payload, signature) = rest.split_at_checked(memchr(b'.', rest)?)?;
        let signature = signature.get(1..)?;
        let signed = token.get(..header.len() + 1 + payload.len())?;
        // A third dot is no character of base64url: decoding refuses it.
        Some(Self { header, payload, signature, signed })
    }

    /// The payload, if the signature is the key's.
    fn open<'k>(&self, key: &'k VerifyingKey) -> Result<VerifiedJws<'k>, JwsError> {
        let mut buffer = [const { MaybeUninit::uninit() }; *RSA_MODULUS.end()];
        let buffer = buffer.as_mut_slice().as_out();
        let signature = base64url::decode_into(self.signature, buffer).ok_or(JwsError::Malformed)?;
        if !key.verifies(self.signed, signature) {
            return Err(JwsError::Signature);
        }
        let payload = base64url::decode(self.payload).ok_or(JwsError::Malformed)?;
        Ok(VerifiedJws { payload, key })
    }
}

fn is_expected(typ: Option<&str>, expected: &[&str]) -> bool {
    let typ = short(typ.unwrap_or_default());
    expected.iter().any(|expected| short(expected).eq_ignore_ascii_case(typ))
}

/// A media type without the `application/` that may be left out.
fn short(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}
