//! Rotation while the server runs.

use super::{KeyPhase, KeysError, plan};
use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::handle::KeyId;
use crate::server::{Concerned, Server};
use crate::storage::{Body, Keys, StoredKey};

/// A handle key of this server, for an operator to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandleKey {
    /// Its id, as handles show it.
    pub id: KeyId,
    /// From when on it mints.
    pub mints_from: Timestamp,
    /// Where it stands by this server's clock.
    pub phase: KeyPhase,
}

impl Server {
    /// Adds a key to those in the store, and drops the ones that are not needed any more. It mints one minute later; until
    /// then every replica has read it. Nothing that was made with the keys before it ends.
    ///
    /// While an added key has not begun to mint, no other is added: that one is the answer. So replicas may all rotate at
    /// the same hour.
    ///
    /// # Errors
    ///
    /// [`KeysError::NotStored`] unless the server was built with
    /// [`stored_keys`](crate::server::ServerBuilder::stored_keys), [`KeysError::Store`] when the store fails.
    pub async fn rotate_keys(&self) -> Result<HandleKey, KeysError> {
        let stored = self.live.stored.as_ref().ok_or(KeysError::NotStored)?;
        let now = self.now();
        let drawn = self.draw_key(stored, now + plan::PUBLISHED_AHEAD);
        let mut answer = None;
        self.change_keys(|keys| {
            plan::prune(&mut keys.ring, now, stored.kept_for());
            let last = keys.ring.last();
            if let Some(pending) = last.filter(|last| last.mints_from > now) {
                answer = Some((pending.id, pending.mints_from));
                return Ok(false);
            }
            keys.ring.push(drawn.clone());
            plan::prune(&mut keys.ring, now, stored.kept_for());
            answer = Some((drawn.id, drawn.mints_from));
            Ok(true)
        })
        .await?;
        let (id, mints_from) = answer.ok_or(KeysError::NotOurs)?;
        if id == drawn.id {
            self.tell(Concerned::default(), EventKind::HandleKeyAdded { id, mints_from });
        }
        self.reload(now).await?;
        Ok(HandleKey { id, mints_from, phase: KeyPhase::Next })
    }

    /// The handle keys in the store, in the order in which they mint; none where the host gives the ring itself.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`] when the store fails, [`KeysError::NotOurs`] when it answers with something else.
    pub async fn handle_keys(&self) -> Result<Vec<HandleKey>, KeysError> {
        self.kept_keys(|keys, now| {
            let minting = plan::minting(&keys.ring, now);
            let shown = |(place, key): (usize, &StoredKey)| HandleKey {
                id: key.id,
                mints_from: key.mints_from,
                phase: plan::phase(place, minting),
            };
            keys.ring.iter().enumerate().map(shown).collect()
        })
        .await
    }

    /// What there is to show of the keys in the store; nothing where the host gives them itself.
    pub(super) async fn kept_keys<T>(
        &self,
        show: impl FnOnce(&Keys, Timestamp) -> Vec<T>,
    ) -> Result<Vec<T>, KeysError> {
        let now = self.now();
        let record = self.store.load(&self.live.key).await.map_err(|error| KeysError::Store(error.into()))?;
        match record.as_deref().map(|record| &record.body) {
            None => Ok(Vec::new()),
            Some(Body::Keys(keys)) if *keys.issuer == *self.issuer_text => Ok(show(keys, now)),
            Some(_) => Err(KeysError::NotOurs),
        }
    }
}
