//! The place of a record.

use std::fmt;

use crate::handle::GrantId;

/// What kind of record lives under a key. The discriminants are part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Namespace {
    /// A [`Grant`](crate::grant::Grant).
    Grant = 1,
    /// A registered [`Client`](crate::client::Client).
    Client = 2,
    /// A remembered [`Consent`](super::Consent).
    Consent = 3,
    /// A [`Session`](super::Session) of a signed-in browser.
    Session = 4,
    /// A [`Fence`](super::Fence).
    Fence = 5,
    /// A [`Marker`](super::Marker): a value that may be used once.
    Marker = 6,
    /// The [`Keys`](super::Keys) of an issuer.
    Keys = 7,
    /// The last good metadata [`Document`](super::Document) of a client.
    Document = 8,
}

impl Namespace {
    /// All namespaces.
    pub const ALL: [Self; 8] = [
        Self::Grant,
        Self::Client,
        Self::Consent,
        Self::Session,
        Self::Fence,
        Self::Marker,
        Self::Keys,
        Self::Document,
    ];

    /// The namespace of a stored discriminant.
    pub fn from_u8(value: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|namespace| *namespace as u8 == value)
    }
}

/// The key of a record: a namespace and 16 bytes.
///
/// The bytes are a random id or a digest, so they spread evenly: a store may shard by them and hash them cheaply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    namespace: Namespace,
    id: [u8; 16],
}

impl Key {
    /// A key from its parts.
    pub fn new(namespace: Namespace, id: [u8; 16]) -> Self {
        Self { namespace, id }
    }

    /// The key of a grant.
    pub fn grant(id: GrantId) -> Self {
        Self::new(Namespace::Grant, *id.as_bytes())
    }

    /// What kind of record it is.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// The 16 bytes within the namespace.
    pub fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The 17 bytes of the key, for engines whose keys are bytes.
    pub fn to_bytes(&self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[0] = self.namespace as u8;
        bytes[1..].copy_from_slice(&self.id);
        bytes
    }

    /// Reads what [`Key::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (namespace, id) = bytes.split_first()?;
        Some(Self::new(Namespace::from_u8(*namespace)?, id.try_into().ok()?))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.namespace, uuid::Uuid::from_bytes(self.id))
    }
}
