//! Opaque access tokens: several of one grant live side by side, each with its own scope and resources.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Active, Authentication, Confirmation, Grant, Refusal, State};
use crate::clock::Timestamp;
use crate::handle::Handle;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::Digest;

/// How many access tokens of one grant live side by side unless the server is told otherwise.
pub const MAX_ACCESS: usize = 16;

/// One live access token. Verification, introspection and revocation read this entry, never the grant's scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// The digest of the token.
    #[serde(rename = "d")]
    pub digest: Digest,
    /// What it allows.
    #[serde(rename = "p", default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// Where it is meant to be used: its audience.
    #[serde(rename = "r", default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// When it was issued.
    #[serde(rename = "t")]
    pub issued_at: Timestamp,
    /// From when on it is refused.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
    /// The key that its sender must prove.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Arc<Confirmation>>,
    /// The authentication that it stands for, where it differs from the grant's.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Arc<Authentication>>,
}

/// An immutable, cheaply cloned list of resources.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resources(Arc<[Resource]>);

impl Resources {
    /// A list of resources.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        let list: Vec<Resource> = resources.into_iter().collect();
        if list.is_empty() { Self::default() } else { Self(list.into()) }
    }

    /// Whether there is none: a token that is bound to no audience.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The resources in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.0.iter()
    }

    /// The resource, where there is exactly one.
    pub fn only(&self) -> Option<&Resource> {
        match &*self.0 {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The registered resource that a requested value means.
    pub fn find(&self, requested: &str) -> Option<&Resource> {
        self.0.iter().find(|resource| resource.accepts(requested))
    }

    /// Whether exactly this resource is listed.
    pub fn contains(&self, resource: &str) -> bool {
        self.0.iter().any(|own| own.as_str() == resource)
    }
}

impl Default for Resources {
    fn default() -> Self {
        static EMPTY: LazyLock<Arc<[Resource]>> = LazyLock::new(|| Arc::from([]));
        Self(EMPTY.clone())
    }
}

/// The live access tokens of a grant, oldest first. One, as nearly all grants have, takes no memory of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessTokens(SmallVec<[Access; 1]>);

impl AccessTokens {
    /// The entry that a grant begins with.
    pub fn one(entry: Access) -> Self {
        Self(SmallVec::from_buf([entry]))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the entries for which this is so.
    pub(super) fn retain(&mut self, keep: impl Fn(&Access) -> bool) {
        self.0.retain(|entry| keep(entry));
    }
}

impl Deref for AccessTokens {
    type Target = [Access];

    fn deref(&self) -> &[Access] {
        &self.0
    }
}

impl DerefMut for AccessTokens {
    fn deref_mut(&mut self) -> &mut [Access] {
        &mut self.0
    }
}

impl FromIterator<Access> for AccessTokens {
    fn from_iter<I: IntoIterator<Item = Access>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl Active {
    /// The live entry that a secret's digest names.
    pub fn access(&self, digest: &Digest) -> Option<&Access> {
        self.access.iter().find(|entry| entry.digest == *digest)
    }

    /// Adds an entry, dropping the expired ones; when `max` are alive, the one nearest its expiry goes.
    ///
    /// Says whether a live one had to go.
    pub(crate) fn add_access(&mut self, entry: Access, max: usize, now: Timestamp) -> bool {
        let AccessTokens(entries) = &mut self.access;
        entries.retain(|old| old.expires_at > now && old.digest != entry.digest);
        let mut evicted = false;
        while entries.len() >= max.max(1) {
            let nearest = entries.iter().enumerate().min_by_key(|(_, old)| old.expires_at);
            let Some((nearest, _)) = nearest else { break };
            entries.remove(nearest);
            evicted = true;
        }
        entries.reserve_exact(1);
        entries.push(entry);
        evicted
    }
}

impl Grant {
    /// The live access token that a handle stands for.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the grant is not active, or the token is unknown to it or has expired.
    pub fn verify(&self, handle: &Handle, now: Timestamp) -> Result<&Access, Refusal> {
        self.find_live(handle, now).map(|(_, entry)| entry)
    }

    /// The entry at a place that [`Grant::find_live`] told.
    pub(crate) fn access_at(&self, place: usize) -> Option<&Access> {
        match &self.state {
            State::Active(active) => active.access.get(place),
            _ => None,
        }
    }

    /// As [`Grant::verify`], with the entry's place.
    pub(crate) fn find_live(&self, handle: &Handle, now: Timestamp) -> Result<(usize, &Access), Refusal> {
        let digest = handle.digest();
        let mut entries = self.active(now)?.access.iter().enumerate();
        let found = entries.find(|(_, entry)| entry.digest == digest).ok_or(Refusal::UnknownToken)?;
        if now >= found.1.expires_at { Err(Refusal::Expired) } else { Ok(found) }
    }
}
