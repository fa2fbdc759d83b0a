//! A handle as text: `<prefix>_<base64url of key id · generation · grant id · secret · tag>`.

use std::fmt;

use aes::cipher::BlockCipherEncrypt;
use base64_simd::{AsOut, URL_SAFE_NO_PAD};

use super::subkeys::Subkeys;
use super::{GrantId, Handles, KeyId, Kind, Prefixes};
use crate::constant_time::same;
use crate::secret::{Digest, Secret32};
use crate::wiped::Wiped;

/// Key id 4, generation 4 (big endian), grant id 16, secret 32, tag 16. A multiple of three, so that base64url has no
/// unused bits and each handle exactly one spelling.
const BODY: usize = 72;
const ENCODED: usize = BODY / 3 * 4;

/// A code or token.
///
/// Parsing alone proves at most that this deployment made it; the digest in the grant's record decides whether it works. The fields
/// are for reading: digest and tag are of what they said when it was minted or parsed.
#[derive(Clone)]
pub struct Handle {
    /// What it was minted as (authenticated only if [`Authenticity::Genuine`]).
    pub kind: Kind,
    /// The key that tagged it.
    pub key_id: KeyId,
    /// How many times its grant had been refreshed when it was minted.
    pub generation: u32,
    /// The grant that it belongs to.
    pub grant: GrantId,
    /// Whether its tag could be checked.
    pub authenticity: Authenticity,
    secret: Secret32,
    digest: Digest,
    tag: [u8; 16],
}

impl Handle {
    pub(super) fn mint(
        keys: &Subkeys,
        kind: Kind,
        grant: GrantId,
        generation: u32,
        secret: Secret32,
    ) -> Self {
        let (digest, image) = hash(kind, keys.id, generation, grant, &secret);
        let (key_id, tag, authenticity) = (keys.id, tag(keys, image), Authenticity::Genuine);
        Self { kind, key_id, generation, grant, authenticity, secret, digest, tag }
    }

    /// The secret part.
    pub fn secret(&self) -> &Secret32 {
        &self.secret
    }

    /// What the grant's record holds if this handle is, or was, good.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    #[cfg(test)]
    pub(super) fn tag(&self) -> &[u8; 16] {
        &self.tag
    }
}

/// Shows neither secret nor tag.
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("kind", &self.kind)
            .field("key_id", &self.key_id)
            .field("generation", &self.generation)
            .field("grant", &self.grant)
            .field("authenticity", &self.authenticity)
            .finish_non_exhaustive()
    }
}

/// What the tag says of a handle. One whose tag is wrong is no [`Handle`] but [`HandleError::Forged`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// The tag is right: this deployment minted it, however long ago.
    Genuine,
    /// Tagged with a key that is not in the ring: the digest decides, and a mismatch must revoke nothing.
    ///
    /// The digest vouches for all that it says. A genuine handle whose key id was altered also looks like this, and its digest
    /// matches nothing.
    UnknownKey,
}

/// Why text is no handle. None of these needs a look at the store, and none may revoke anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Not the shape of a handle.
    #[error("malformed handle")]
    Malformed,
    /// The prefix is that of another kind.
    #[error("handle of another kind")]
    WrongKind,
    /// A key of the ring is named and its tag is wrong: altered, spliced, of another kind or issuer, or made up.
    #[error("forged handle")]
    Forged,
}

/// What is kept of a handle, and what its tag is made of: both depend on all that it says.
///
/// So a handle with anything altered matches nothing, even where its key is lost and no tag can be checked.
fn hash(kind: Kind, key_id: KeyId, generation: u32, grant: GrantId, secret: &Secret32) -> (Digest, [u8; 16]) {
    let mut block = Wiped::<64>::zeroed();
    block[..32].copy_from_slice(secret.expose());
    block[32..48].copy_from_slice(grant.as_bytes());
    block[48..52].copy_from_slice(&generation.to_be_bytes());
    block[52..56].copy_from_slice(key_id.as_bytes());
    block[56] = kind.byte();
    Digest::of_block(&block)
}

/// The hash under a cipher whose key is the issuer's. Nobody else can tell it; and to find something to say that has the hash of a
/// handle that one has takes 2^128 tries, by the number of handles: as long as to guess a tag, and of no use at the store.
fn tag(keys: &Subkeys, image: [u8; 16]) -> [u8; 16] {
    let mut block = image.into();
    keys.tag.encrypt_block(&mut block);
    block.into()
}

impl Handles {
    /// A handle of this issuer as clients get it.
    pub fn write(&self, handle: &Handle) -> String {
        let mut body = Wiped::<BODY>::zeroed();
        body[..4].copy_from_slice(handle.key_id.as_bytes());
        body[4..8].copy_from_slice(&handle.generation.to_be_bytes());
        body[8..24].copy_from_slice(handle.grant.as_bytes());
        body[24..56].copy_from_slice(handle.secret.expose());
        body[56..].copy_from_slice(&handle.tag);

        let prefix = self.prefixes.get(handle.kind);
        let mut text = String::with_capacity(prefix.len() + 1 + ENCODED);
        text.push_str(prefix);
        text.push('_');
        URL_SAFE_NO_PAD.encode_append(body.as_slice(), &mut text);
        text
    }

    /// Parses a handle that must be of one kind.
    ///
    /// # Errors
    /// If it is none, is of another kind, or its tag is wrong.
    pub fn parse(&self, expected: Kind, text: &str) -> Result<Handle, HandleError> {
        let (kind, encoded) = split(&self.prefixes, text)?;
        if kind != expected {
            return Err(HandleError::WrongKind);
        }
        self.read(kind, encoded)
    }

    /// Parses a handle of the kind that its prefix says (revocation, introspection).
    ///
    /// # Errors
    /// If it is none, or its tag is wrong.
    pub fn parse_any(&self, text: &str) -> Result<Handle, HandleError> {
        let (kind, encoded) = split(&self.prefixes, text)?;
        self.read(kind, encoded)
    }

    fn read(&self, kind: Kind, encoded: &str) -> Result<Handle, HandleError> {
        let mut body = Wiped::<BODY>::zeroed();
        match URL_SAFE_NO_PAD.decode(encoded.as_bytes(), body.as_mut_slice().as_out()) {
            Ok(decoded) if decoded.len() == BODY => {}
            _ => return Err(HandleError::Malformed),
        }
        let mut rest = body.as_slice();
        let key_id = KeyId::from_bytes(take(&mut rest)?);
        let generation = u32::from_be_bytes(take(&mut rest)?);
        let grant = GrantId::from_bytes(take(&mut rest)?);
        let secret = Secret32::new(take(&mut rest)?);
        let presented = take(&mut rest)?;
        let (digest, image) = hash(kind, key_id, generation, grant, &secret);
        let authenticity = match self.key(key_id) {
            None => Authenticity::UnknownKey,
            Some(keys) if same(&tag(keys, image), &presented).into() => Authenticity::Genuine,
            Some(_) => return Err(HandleError::Forged),
        };
        Ok(Handle { kind, key_id, generation, grant, authenticity, secret, digest, tag: presented })
    }
}

fn split<'a>(prefixes: &Prefixes, text: &'a str) -> Result<(Kind, &'a str), HandleError> {
    if text.len() > Prefixes::MAX_LEN + 1 + ENCODED {
        return Err(HandleError::Malformed);
    }
    // A prefix has no underscore: the first one ends it, and all that follows has one length.
    let end = text.len().checked_sub(ENCODED + 1).ok_or(HandleError::Malformed)?;
    let (prefix, encoded) = text.split_at_checked(end).ok_or(HandleError::Malformed)?;
    let encoded = encoded.strip_prefix('_').ok_or(HandleError::Malformed)?;
    let kind = prefixes.kind_of(prefix).ok_or(HandleError::Malformed)?;
    Ok((kind, encoded))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], HandleError> {
    let (head, tail) = rest.split_first_chunk().ok_or(HandleError::Malformed)?;
    *rest = tail;
    Ok(*head)
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles")
            .field("issuer", &self.issuer)
            .field("current", &self.current.id)
            .field("previous", &self.previous.iter().map(|keys| keys.id).collect::<Vec<_>>())
            .field("prefixes", &self.prefixes)
            .finish()
    }
}
