//! Random bytes, secrets, and what is kept of a secret at rest.

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rand::Rng as _;

use crate::constant_time::same;
use crate::fixed_bytes::stored_as_bytes;
use crate::keyed_hash::keyed_output;
use crate::wiped::Wiped;

/// A source of random bytes.
///
/// # Security
/// Everything that the server keeps secret is drawn from it: it must be a cryptographically secure generator.
pub trait Random: Send + Sync + fmt::Debug + 'static {
    /// Overwrites the whole of `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

impl<R: Random + ?Sized> Random for Arc<R> {
    fn fill(&self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

/// `N` fresh random bytes.
pub fn random_array<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// A generator for each thread, seeded by the operating system and reseeded as it is used (ChaCha12, of the crate `rand`).
///
/// A system call for each secret would cost more than all the rest of a token request.
///
/// # Security
/// A process that calls `fork` without `exec` must not issue tokens in both halves: they would draw the same bytes until the
/// next reseeding. Rust's own `std::process` never does that.
///
/// # Panics
/// If the operating system refuses random bytes: no secret can be made then, and none is made up.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) {
        rand::rng().fill_bytes(out);
    }
}

/// Random bytes drawn in one go and handed out in parts: a request that needs several secrets asks its source once.
///
/// Asking for more than is left goes back to the source for all of it.
pub(crate) struct Drawn<'a, const N: usize> {
    source: &'a dyn Random,
    bytes: Wiped<N>,
    next: Cell<usize>,
}

impl<'a, const N: usize> Drawn<'a, N> {
    pub(crate) fn new(source: &'a dyn Random) -> Self {
        Self { source, bytes: Wiped::new(random_array(source)), next: Cell::new(0) }
    }

    /// `LEN` bytes that nobody else gets.
    pub(crate) fn take<const LEN: usize>(&self) -> [u8; LEN] {
        let at = self.next.get();
        match self.bytes.get(at..at + LEN) {
            Some(bytes) => {
                self.next.set(at + LEN);
                let mut taken = [0; LEN];
                taken.copy_from_slice(bytes);
                taken
            }
            None => random_array(self.source),
        }
    }
}

/// The same bytes for the same seed, for tests.
///
/// # Security
/// Never outside tests: whoever knows the seed knows every secret.
pub struct SeededRandom(Mutex<blake3::OutputReader>);

impl SeededRandom {
    /// A generator whose output depends on `seed` alone.
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("oauth-core 2025 seeded random for tests");
        hasher.update(&seed.to_le_bytes());
        Self(Mutex::new(hasher.finalize_xof()))
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(out);
    }
}

impl fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededRandom")
    }
}

/// 32 secret bytes: overwritten when dropped, not printable, not serializable, comparable in constant time only.
#[derive(Clone)]
pub struct Secret32(Wiped<32>);

impl Secret32 {
    /// Takes bytes that are already secret and random.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Wiped::new(bytes))
    }

    /// Draws a fresh secret.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Wiped::zeroed();
        random.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The bytes themselves; do not log, store or compare them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same, in time that does not depend on where they differ.
    pub fn ct_eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0).into()
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a record keeps of a secret: enough to recognise it, useless to present.
///
/// 192 bits: nobody finds a secret that fits, and two that share a digest are of no use, since the server draws them all.
/// Compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 24]);

static DIGEST_KEY: LazyLock<[u8; 32]> =
    LazyLock::new(|| blake3::derive_key("oauth-core 2025 digest of a secret at rest", &[]));

impl Digest {
    /// The digest of a secret that is no handle's, such as that of a cookie: in a handle's block the rest is never all zero.
    pub fn of_secret(secret: &Secret32) -> Self {
        let mut block = Wiped::<64>::zeroed();
        block[..32].copy_from_slice(secret.expose());
        Self::of_block(&block).0
    }

    /// The digest of a block that begins with a 256-bit secret, and 128 other bits that depend on all of the block. A fast hash
    /// is right here: the secret cannot be guessed.
    pub(crate) fn of_block(block: &[u8; 64]) -> (Self, [u8; 16]) {
        let mut digest = [0; 24];
        let mut other = [0; 16];
        let [first, second] = keyed_output(&DIGEST_KEY, block);
        digest.copy_from_slice(&first[..24]);
        other.copy_from_slice(&second[..16]);
        (Self(digest), other)
    }

    /// The digest's bytes, for storage.
    pub fn as_bytes(&self) -> &[u8; 24] {
        &self.0
    }

    /// A digest that was stored before.
    pub const fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0).into()
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Digest({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

stored_as_bytes!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_random_does_not_repeat_across_refills_and_sizes() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            assert!(seen.insert(random_array::<32>(&SystemRandom)));
        }
        let (large, larger) = (random_array::<512>(&SystemRandom), random_array::<5000>(&SystemRandom));
        assert_ne!(large[..32], larger[..32]);
        assert!(larger.iter().any(|byte| *byte != 0));
    }

    #[test]
    fn seeded_random_depends_on_the_seed_alone() {
        let draw = |seed| {
            let random = SeededRandom::new(seed);
            [random_array::<16>(&random), random_array::<16>(&random)]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1)[0], draw(1)[1]);
    }

    #[test]
    fn ac_26_a_secret_is_not_printed_and_not_its_digest() {
        let secret = Secret32::new([0xAB; 32]);
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_ne!(Digest::of_secret(&secret).as_bytes()[..], secret.expose()[..24]);
        assert!(secret.ct_eq(&secret.clone()));
        assert!(!secret.ct_eq(&Secret32::new([0xAC; 32])));
    }

    #[test]
    fn digest_round_trips_and_refuses_other_text() {
        let digest = Digest::of_secret(&Secret32::new([1; 32]));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json.len(), 34);
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for wrong in ["\"\"", "\"AAAA\"", &json.replace("\"", ""), &json.replacen('"', "\"A", 1)] {
            assert!(serde_json::from_str::<Digest>(wrong).is_err());
        }
        assert_ne!(digest, Digest::of_secret(&Secret32::new([2; 32])));
    }
}
