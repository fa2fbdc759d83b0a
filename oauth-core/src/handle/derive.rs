//! Secrets and ids that are computed instead of stored, so that a retry gets the same answer.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::{GrantId, Handles, KeyId};
use crate::grant::Salt;
use crate::keyed_hash::keyed_output;
use crate::secret::Secret32;
use crate::wiped::Wiped;

impl Handles {
    /// What follows from `presented`, a refresh token that is used; the same for the same inputs. `generation` is the
    /// successor's.
    ///
    /// `None` if the key is not in the ring (any more).
    pub fn derive_successors(
        &self,
        key: KeyId,
        presented: &Secret32,
        salt: Salt,
        grant: GrantId,
        generation: u32,
    ) -> Option<Successors> {
        Some(successors(&self.key(key)?.successors, presented, salt, grant, generation))
    }

    /// The code that answers a consent, from the nonce sealed in its page: a double click yields one code.
    pub fn derive_code(&self, nonce: &[u8; 32], grant: GrantId) -> Secret32 {
        code(&self.current.code, nonce, grant)
    }

    /// As [`Handles::derive_code`] with a given key; `None` if it is not in the ring (any more).
    pub fn derive_code_with(&self, key: KeyId, nonce: &[u8; 32], grant: GrantId) -> Option<Secret32> {
        Some(code(&self.key(key)?.code, nonce, grant))
    }

    /// An id that nobody without the current key can compute.
    ///
    /// It changes when the ring's current key does: a record found by it is found again only by [`Handles::keyed_ids`].
    pub fn keyed_id(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 16] {
        keyed_id(&self.current.ids, purpose, parts)
    }

    /// The [`keyed_id`](Handles::keyed_id) under each key of the ring, the current one first.
    pub fn keyed_ids(&self, purpose: &str, parts: &[&[u8]]) -> impl Iterator<Item = [u8; 16]> {
        self.keys().map(move |keys| keyed_id(&keys.ids, purpose, parts))
    }
}

/// Makes ids that depend on their parts alone and outlive every key: for what must be found again after a rotation
/// (consents, fences, used `jti`s).
///
/// One `static` per use, each with a name of its own. Anyone who knows the parts can compute the id.
#[derive(Debug)]
pub struct IdContext {
    name: &'static str,
    key: OnceLock<[u8; 32]>,
}

impl IdContext {
    /// A context; its name never changes, since stored records are found by it.
    pub const fn new(name: &'static str) -> Self {
        Self { name, key: OnceLock::new() }
    }

    /// The id of these parts.
    pub fn id(&self, parts: &[&[u8]]) -> [u8; 16] {
        let key = self.key.get_or_init(|| blake3::derive_key(self.name, &[]));
        let mut message = Message::new();
        parts.iter().for_each(|part| message.part(part));
        first_half(message.hash(key))
    }
}

/// Binds a seal to the browser cookie (RFC 6265 `cookie-value`) without carrying it.
pub fn browser_hash(cookie: &str) -> [u8; 32] {
    blake3::derive_key("oauth-core 2025 browser cookie", cookie.as_bytes())
}

/// The tokens that follow from a refresh token.
#[derive(Debug)]
pub struct Successors {
    refresh: Secret32,
    access: Secret32,
}

impl Successors {
    /// The next refresh token.
    pub fn refresh(&self) -> &Secret32 {
        &self.refresh
    }

    /// The opaque access token that goes with it, for what `binding` says that it is for (scope, resources, confirmation,
    /// format): a retry that asks for something else gets another token.
    pub fn access<'a>(&self, binding: impl IntoIterator<Item = &'a str>) -> Secret32 {
        let mut message = Message::new();
        for part in binding {
            message.short_part(part.as_bytes());
        }
        Secret32::new(message.hash(self.access.expose()))
    }
}

/// Fields of fixed width that fill one block: both secrets are one compression, of which BLAKE3 gives 64 bytes.
fn successors(
    key: &[u8; 32],
    presented: &Secret32,
    salt: Salt,
    grant: GrantId,
    generation: u32,
) -> Successors {
    let mut message = Wiped::<64>::zeroed();
    message[..32].copy_from_slice(presented.expose());
    message[32..44].copy_from_slice(salt.as_bytes());
    message[44..60].copy_from_slice(grant.as_bytes());
    message[60..].copy_from_slice(&generation.to_be_bytes());
    let [refresh, access] = keyed_output(key, &message);
    Successors { refresh: Secret32::new(refresh), access: Secret32::new(access) }
}

fn code(key: &[u8; 32], nonce: &[u8; 32], grant: GrantId) -> Secret32 {
    let mut message = [0; 48];
    message[..32].copy_from_slice(nonce);
    message[32..].copy_from_slice(grant.as_bytes());
    Secret32::new(blake3::keyed_hash(key, &message).into())
}

fn keyed_id(key: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut message = Message::new();
    message.part(purpose.as_bytes());
    parts.iter().for_each(|part| message.part(part));
    first_half(message.hash(key))
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// What a keyed hash is taken of. Short messages are put together on the stack, which costs a fraction of what an incremental
/// hasher does; long ones spill.
struct Message {
    short: Wiped<SHORT>,
    len: usize,
    long: Zeroizing<Vec<u8>>,
}

const SHORT: usize = 256;

impl Message {
    fn new() -> Self {
        Self { short: Wiped::zeroed(), len: 0, long: Zeroizing::default() }
    }

    fn raw(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if self.long.is_empty() && end <= SHORT {
            self.short[self.len..end].copy_from_slice(bytes);
            self.len = end;
            return;
        }
        if self.long.is_empty() {
            self.long.extend_from_slice(&self.short[..self.len]);
        }
        self.long.extend_from_slice(bytes);
    }

    /// As [`Message::part`], for parts below 4 GiB, so that more of them fit into one block.
    fn short_part(&mut self, part: &[u8]) {
        self.raw(&(part.len() as u32).to_le_bytes());
        self.raw(part);
    }

    /// The length goes first: `["ab", "c"]` and `["a", "bc"]` must differ.
    fn part(&mut self, part: &[u8]) {
        self.raw(&(part.len() as u64).to_le_bytes());
        self.raw(part);
    }

    fn hash(&self, key: &[u8; 32]) -> [u8; 32] {
        let message = if self.long.is_empty() { &self.short[..self.len] } else { &self.long };
        blake3::keyed_hash(key, message).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::{KeyRing, Prefixes};

    fn handles(ring: KeyRing) -> Handles {
        Handles::new("https://as.example", ring, Prefixes::default())
    }

    #[test]
    fn successors_depend_on_every_input_and_repeat_for_the_same() {
        let handles = handles(KeyRing::new([1; 32]).with_previous([2; 32]));
        let other_issuer = Handles::new("https://b.example", KeyRing::new([1; 32]), Prefixes::default());
        let keys: Vec<_> = handles.keys().map(|keys| keys.id).collect();
        let [secret, other] = [Secret32::new([3; 32]), Secret32::new([4; 32])];
        let [grant, other_grant] = [GrantId::from_bytes([5; 16]), GrantId::from_bytes([6; 16])];
        let derive = |key, secret: &Secret32, salt, grant, generation| {
            let salt = Salt::from_bytes([salt; 12]);
            handles.derive_successors(key, secret, salt, grant, generation).unwrap()
        };
        let refresh = |key, secret: &Secret32, salt, grant, generation| {
            derive(key, secret, salt, grant, generation).refresh().clone()
        };
        let access =
            |binding: &[&'static str]| derive(keys[0], &secret, 0, grant, 1).access(binding.iter().copied());
        let all = [
            refresh(keys[0], &secret, 0, grant, 1),
            refresh(keys[1], &secret, 0, grant, 1),
            refresh(keys[0], &other, 0, grant, 1),
            refresh(keys[0], &secret, 1, grant, 1),
            refresh(keys[0], &secret, 0, other_grant, 1),
            refresh(keys[0], &secret, 0, grant, 2),
            access(&[]),
            access(&["scope"]),
            access(&["sc", "ope"]),
            handles.derive_code(&[3; 32], grant),
            handles.derive_code(&[4; 32], grant),
            handles.derive_code(&[3; 32], other_grant),
            handles.derive_code_with(keys[1], &[3; 32], grant).unwrap(),
            other_issuer
                .derive_successors(keys[0], &secret, Salt::from_bytes([0; 12]), grant, 1)
                .unwrap()
                .refresh()
                .clone(),
            other_issuer.derive_code(&[3; 32], grant),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().map(|secret| *secret.expose()).collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all[0].ct_eq(&refresh(keys[0], &secret, 0, grant, 1)));
        assert!(all[9].ct_eq(&handles.derive_code_with(keys[0], &[3; 32], grant).unwrap()));
    }

    #[test]
    fn a_key_outside_the_ring_derives_nothing() {
        let (handles, key) = (handles(KeyRing::new([1; 32])), KeyId::from_bytes([0; 4]));
        let (secret, grant) = (Secret32::new([3; 32]), GrantId::from_bytes([5; 16]));
        let salt = Salt::from_bytes([0; 12]);
        assert!(handles.derive_successors(key, &secret, salt, grant, 1).is_none());
        assert!(handles.derive_code_with(key, &[0; 32], grant).is_none());
    }

    #[test]
    fn ids_keep_their_parts_apart() {
        let handles = handles(KeyRing::new([1; 32]));
        assert_ne!(handles.keyed_id("jti", &[b"ab", b"c"]), handles.keyed_id("jti", &[b"a", b"bc"]));
        assert_ne!(handles.keyed_id("jti", &[b"ab"]), handles.keyed_id("jt", &[b"iab"]));
        assert_ne!(handles.keyed_id("jti", &[]), handles.keyed_id("jti", &[b""]));
        let (fence, consent) = (IdContext::new("fence"), IdContext::new("consent"));
        let id = |context: &IdContext, parts: &[&[u8]]| context.id(parts);
        assert_ne!(id(&fence, &[b"ab", b"c"]), id(&fence, &[b"a", b"bc"]));
        assert_ne!(id(&fence, &[b"ab"]), id(&consent, &[b"ab"]));
        assert_ne!(browser_hash("a"), browser_hash("b"));
    }

    #[test]
    fn a_keyed_id_is_found_again_after_a_rotation() {
        let before = handles(KeyRing::new([1; 32])).keyed_id("device", &[b"WDJB-MJHT"]);
        let rotated = handles(KeyRing::new([2; 32]).with_previous([1; 32]));
        assert_ne!(rotated.keyed_id("device", &[b"WDJB-MJHT"]), before);
        assert!(rotated.keyed_ids("device", &[b"WDJB-MJHT"]).any(|id| id == before));
    }
}
