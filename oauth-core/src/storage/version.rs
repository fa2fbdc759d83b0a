//! The version of a record.

use std::fmt;

use crate::secret::{Random, random_array};

/// 16 random bytes, drawn anew for each write.
///
/// Since no two writes share a version, a write that a driver delivered twice, or whose acknowledgement was lost, is
/// recognised as one's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u8; 16]);

impl Version {
    /// Draws a new version.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random_array(random))
    }

    /// A version from its stored bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}…", u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]]))
    }
}
