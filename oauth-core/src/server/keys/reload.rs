//! Looking at what the replicas share: at the start, on a schedule, and when a key is not known.

use std::sync::Arc;

use super::live::Due;
use super::{KeysError, plan};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::handle::{Handles, IdContext, KeyId, KeyRing};
use crate::secret::random_array;
use crate::server::Server;
use crate::soon::Soon;
use crate::storage::{Body, Key, Keys, Namespace, Record, StoredKey};

/// The key of the record that holds the keys and the fence of an issuer.
pub fn keys_key(issuer: &str) -> Key {
    static KEYS: IdContext = IdContext::new("oauth-core v1 keys");
    Key::new(Namespace::Keys, KEYS.id(&[issuer.as_bytes()]))
}

impl Server {
    /// Sees to it that what this server knows is not too old to answer by. Nearly always there is nothing to do.
    #[inline]
    pub(in crate::server) fn catch_up(&self, now: Timestamp) -> Soon<'_, Result<(), Error>> {
        match self.live.due(now) {
            None => Soon::now(Ok(())),
            Some(due) => Soon::later(async move {
                match self.reload(now).await {
                    Err(error) if due == Due::Must => Err(error.into()),
                    _ => Ok(()),
                }
            }),
        }
    }

    /// After a key that is not in the ring: whether there may be more keys now. Bounded, since anybody can make up a key id.
    pub(in crate::server) async fn look_for_keys(&self, now: Timestamp) -> bool {
        self.live.may_ask(now) && Box::pin(self.reload(now)).await.is_ok()
    }

    /// Looks at the record of this issuer.
    pub(in crate::server) async fn reload(&self, now: Timestamp) -> Result<(), KeysError> {
        let record = self.store.load(&self.live.key).await.map_err(|error| KeysError::Store(error.into()))?;
        let adopted = self.adopt(record, now);
        if matches!(adopted, Ok(true))
            && let Err(error) = self.tend_signing(now).await
        {
            tracing::warn!(reason = %error, "signing_keys_not_rotated");
        }
        match adopted {
            Err(error @ (KeysError::Store(_) | KeysError::NotOurs)) => return Err(error),
            // The digest of a handle decides where its key is missing: old keys are better than no answer.
            Err(error) => tracing::error!(reason = %error, "handle_keys_unreadable"),
            Ok(_) => {}
        }
        self.live.seen(now);
        Ok(())
    }

    /// Takes over what a record says; whether the keys that sign are due for a change.
    fn adopt(&self, record: Option<Arc<Record>>, now: Timestamp) -> Result<bool, KeysError> {
        let Some(record) = record else {
            if self.live.stored.is_some() {
                tracing::error!("handle_keys_missing");
            }
            return Ok(false);
        };
        let keys = self.our_keys(&record)?;
        if let Some(fence) = keys.not_before {
            self.live.raise(fence);
        }
        let Some(stored) = &self.live.stored else { return Ok(false) };
        self.adopt_signing(stored, record.version, keys, now)?;
        let due = self.is_signing_due(keys, now);
        let Some(minting) = plan::minting(&keys.ring, now) else { return Ok(due) };
        let id = keys.ring[minting].id;
        let make = || {
            let ring = stored.ring(keys, minting)?;
            Ok::<_, KeysError>(Handles::new(self.issuer.as_str(), ring, self.live.prefixes.clone()))
        };
        if self.live.show(record.version, id, make)? {
            tracing::info!(key = %id, "handle_keys_loaded");
        }
        Ok(due)
    }

    fn our_keys<'a>(&self, record: &'a Record) -> Result<&'a Keys, KeysError> {
        match &record.body {
            Body::Keys(keys) if record.key == self.live.key => self.owned(keys),
            _ => Err(KeysError::NotOurs),
        }
    }

    fn owned<'a>(&self, keys: &'a Keys) -> Result<&'a Keys, KeysError> {
        if *keys.issuer == *self.issuer_text { Ok(keys) } else { Err(KeysError::NotOurs) }
    }

    /// Generates the keys that are not there, puts those that are into the form that they should have, and reads them.
    pub(in crate::server) async fn load_at_start(&self) -> Result<(), KeysError> {
        if let Some(stored) = &self.live.stored {
            let now = self.now();
            let drawn = self.draw_key(stored, now);
            let first = self.draw_signing_key(stored, now)?;
            self.change_keys(|keys| {
                let mut changed = false;
                let mut readable = Vec::with_capacity(keys.ring.len() + 1);
                for mut key in keys.ring.drain(..) {
                    match stored.read(&keys.issuer, &key) {
                        Ok(bytes) if !stored.is_in_form(&key) => {
                            key.key = stored.material(&keys.issuer, key.id, &bytes, &*self.random);
                            changed = true;
                        }
                        Ok(_) => {}
                        Err(error) if stored.replaces_unreadable() => {
                            tracing::warn!(reason = %error, "handle_key_given_up");
                            changed = true;
                            continue;
                        }
                        Err(error) => return Err(error),
                    }
                    readable.push(key);
                }
                keys.ring = readable;
                changed |= self.prepare_signing(stored, keys, first.as_ref())?;
                if keys.ring.is_empty() {
                    keys.ring.push(drawn.clone());
                    changed = true;
                }
                Ok(changed)
            })
            .await?;
        }
        self.reload(self.now()).await
    }

    /// A new key, in the form in which it is stored.
    pub(super) fn draw_key(&self, stored: &super::StoredKeys, mints_from: Timestamp) -> StoredKey {
        let bytes = zeroize::Zeroizing::new(random_array::<32>(&*self.random));
        let id = ring_id(&bytes);
        StoredKey { id, mints_from, key: stored.material(&self.issuer_text, id, &bytes, &*self.random) }
    }

    /// Changes the record of this issuer, from none if it has none yet. The plan says whether there is anything to write.
    pub(super) async fn change_keys(
        &self,
        mut plan: impl FnMut(&mut Keys) -> Result<bool, KeysError> + Send,
    ) -> Result<(), KeysError> {
        let mut refused = None;
        self.update(self.live.key, |stored| {
            let keys = match stored {
                None => Ok(Keys {
                    issuer: self.issuer_text.clone(),
                    ring: Vec::new(),
                    signing: Vec::new(),
                    not_before: None,
                }),
                Some(Body::Keys(keys)) => self.owned(keys).cloned(),
                Some(_) => Err(KeysError::NotOurs),
            };
            let planned = keys.and_then(|mut keys| Ok(plan(&mut keys)?.then_some(keys)));
            match planned {
                Ok(next) => next.map(|keys| (Body::Keys(Box::new(keys)), Timestamp::MAX)),
                Err(error) => {
                    refused = Some(error);
                    None
                }
            }
        })
        .await
        .map_err(KeysError::Store)?;
        refused.map_or(Ok(()), Err)
    }
}

fn ring_id(key: &[u8; 32]) -> KeyId {
    let ring = KeyRing::new(*key);
    ring.key_ids().next().expect("a ring has a current key")
}
