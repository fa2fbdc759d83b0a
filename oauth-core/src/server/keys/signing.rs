//! The keys that sign, in the record of the handle keys and on the same schedule of times.
//!
//! 1. A key is published before it signs, for longer than resource servers keep the key set; it stays published until the last
//!    token that it signed has expired.
//! 2. The server adds a key when the newest has signed for as long as it should, with the first request after that time, and
//!    drops the ones that are over. Of several replicas that see it at once one writes; the others find it done.
//! 3. Private keys are wrapped as handle keys are.

use std::sync::Arc;

use oauth_jose::{Algorithm, LocalKey, Signer};

use super::plan::{self, Begins};
use super::{KeyPhase, KeysError, StoredKeys};
use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::server::signing::{Keyring, Schedule};
use crate::server::{Concerned, Server};
use crate::storage::{Keys, StoredSigningKey, Version};

/// A key that signs tokens of this server, for an operator to see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningKey {
    /// Its id, as tokens and the key set show it.
    pub kid: Arc<str>,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Where it stands by this server's clock.
    pub phase: KeyPhase,
}

impl Begins for StoredSigningKey {
    fn begins(&self) -> Timestamp {
        self.signs_from
    }
}

impl Server {
    /// Adds a key that signs, before its time. It signs once resource servers have had the time to read it
    /// ([`SigningKeys::published_ahead`](crate::server::SigningKeys::published_ahead)). While an added key has not begun to
    /// sign, no other is added: that one is the answer.
    ///
    /// # Errors
    ///
    /// [`KeysError::NotStored`] unless the keys that sign are in the store, [`KeysError::TooMany`] where no key is over yet to make
    /// room, [`KeysError::Store`] when the store fails.
    pub async fn rotate_signing_keys(&self) -> Result<SigningKey, KeysError> {
        let schedule = self.signing.schedule().ok_or(KeysError::NotStored)?;
        let key = generate(schedule.algorithm)?;
        self.add_signing_key(schedule, &key, false).await
    }

    /// As [`Server::rotate_signing_keys`], with a key of the host's own. A key that is stored already is the answer as it is.
    ///
    /// # Errors
    ///
    /// As [`Server::rotate_signing_keys`]; [`KeysError::Pending`] where another added key has not begun to sign,
    /// [`KeysError::OtherAlgorithm`] where the key is not of the algorithm that [`SigningKeys::stored`] names.
    ///
    /// [`SigningKeys::stored`]: crate::server::SigningKeys::stored
    pub async fn import_signing_key(&self, key: &LocalKey) -> Result<SigningKey, KeysError> {
        let schedule = self.signing.schedule().ok_or(KeysError::NotStored)?;
        if key.key().algorithm() != schedule.algorithm {
            let (kid, expected) = (key.key().kid().into(), schedule.algorithm.as_str());
            return Err(KeysError::OtherAlgorithm { kid, expected });
        }
        self.add_signing_key(schedule, key, true).await
    }

    async fn add_signing_key(
        &self,
        schedule: &Schedule,
        key: &LocalKey,
        this_one: bool,
    ) -> Result<SigningKey, KeysError> {
        let stored = self.live.stored.as_ref().ok_or(KeysError::NotStored)?;
        let now = self.now();
        let drawn = self.store_form(stored, key, now + schedule.ahead)?;
        let (mut answer, mut added) = (None, false);
        self.change_keys(|keys| {
            added = false;
            if let Some(same) = keys.signing.iter().find(|own| own.kid == drawn.kid) {
                answer = Some(same.clone());
                return Ok(false);
            }
            if let Some(pending) = keys.signing.last().filter(|last| last.signs_from > now) {
                answer = Some(pending.clone());
                return if this_one {
                    Err(KeysError::Pending { kid: pending.kid.clone() })
                } else {
                    Ok(false)
                };
            }
            plan::drop_over(&mut keys.signing, now, schedule.keep);
            if keys.signing.len() >= plan::MAX_KEYS {
                return Err(KeysError::TooMany(keys.signing.len()));
            }
            keys.signing.push(drawn.clone());
            answer = Some(drawn.clone());
            added = true;
            Ok(true)
        })
        .await?;
        let StoredSigningKey { kid, signs_from, .. } = answer.ok_or(KeysError::NotOurs)?;
        if added {
            self.tell(Concerned::default(), EventKind::SigningKeyAdded { kid: &kid, signs_from });
        }
        self.reload(now).await?;
        let phase = if signs_from > now { KeyPhase::Next } else { KeyPhase::Current };
        Ok(SigningKey { kid, signs_from, phase })
    }

    /// The keys in the store that sign, in that order; none where the host gives them itself.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`] when the store fails, [`KeysError::NotOurs`] when it answers with something else.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, KeysError> {
        self.kept_keys(|keys, now| {
            let signing = plan::minting(&keys.signing, now);
            let shown = |(place, key): (usize, &StoredSigningKey)| SigningKey {
                kid: key.kid.clone(),
                signs_from: key.signs_from,
                phase: plan::phase(place, signing),
            };
            keys.signing.iter().enumerate().map(shown).collect()
        })
        .await
    }

    /// Puts the keys that sign into the form that they should have, and adds the first.
    pub(super) fn prepare_signing(
        &self,
        stored: &StoredKeys,
        keys: &mut Keys,
        first: Option<&StoredSigningKey>,
    ) -> Result<bool, KeysError> {
        let mut changed = false;
        let mut readable = Vec::with_capacity(keys.signing.len() + 1);
        for key in keys.signing.drain(..) {
            match stored.read_signing(&keys.issuer, &key) {
                Ok(_) if stored.is_signing_in_form(&key) => readable.push(key),
                Ok(own) => {
                    readable.push(self.store_form(stored, &own, key.signs_from)?);
                    changed = true;
                }
                Err(error) if stored.replaces_unreadable() => {
                    tracing::warn!(reason = %error, "signing_key_given_up");
                    changed = true;
                }
                Err(error) => return Err(error),
            }
        }
        keys.signing = readable;
        if let Some(first) = first.filter(|_| keys.signing.is_empty()) {
            keys.signing.push(first.clone());
            changed = true;
        }
        Ok(changed)
    }

    /// A key for the first start.
    pub(super) fn draw_signing_key(
        &self,
        stored: &StoredKeys,
        now: Timestamp,
    ) -> Result<Option<StoredSigningKey>, KeysError> {
        let Some(schedule) = self.signing.schedule() else { return Ok(None) };
        self.store_form(stored, &generate(schedule.algorithm)?, now).map(Some)
    }

    fn store_form(
        &self,
        stored: &StoredKeys,
        key: &LocalKey,
        signs_from: Timestamp,
    ) -> Result<StoredSigningKey, KeysError> {
        let public = key.key();
        Ok(StoredSigningKey {
            kid: public.kid().into(),
            algorithm: public.algorithm().as_str().into(),
            signs_from,
            key: stored.signing_material(&self.issuer_text, key, &*self.random)?,
        })
    }

    /// Signs and verifies with the keys of this record, where they have changed.
    pub(super) fn adopt_signing(
        &self,
        stored: &StoredKeys,
        version: Version,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<(), KeysError> {
        let Some(schedule) = self.signing.schedule() else { return Ok(()) };
        let Some(signing) = plan::minting(&keys.signing, now) else { return Ok(()) };
        if !self.signing.is_new(version, signing) {
            return Ok(());
        }
        let read = |key| stored.read_signing(&keys.issuer, key);
        let current = read(&keys.signing[signing])?;
        let all: Vec<_> = keys
            .signing
            .iter()
            .map(|key| Ok(read(key)?.key().jwk().clone()))
            .collect::<Result<_, KeysError>>()?;
        let kid: Arc<str> = current.key().kid().into();
        let keyring = Keyring::new(Arc::new(current), &all, schedule.max_age())
            .map_err(|_| KeysError::Signing { kid: kid.clone(), why: "does not go with the others" })?;
        self.signing.show(keyring, version, signing);
        tracing::info!(%kid, "signing_keys_loaded");
        Ok(())
    }

    /// Whether the record wants a new key, or has one that is over.
    pub(super) fn is_signing_due(&self, keys: &Keys, now: Timestamp) -> bool {
        let Some(schedule) = self.signing.schedule() else { return false };
        let over = keys.signing.get(1).is_some_and(|next| next.signs_from + schedule.keep <= now);
        over || (wants_next(keys, schedule, now) && keys.signing.len() < plan::MAX_KEYS)
    }

    /// Adds the key that is due and drops those that are over, as far as another replica has not.
    pub(super) async fn tend_signing(&self, now: Timestamp) -> Result<(), KeysError> {
        let Some((schedule, stored)) = self.signing.schedule().zip(self.live.stored.as_ref()) else {
            return Ok(());
        };
        let drawn = self.store_form(stored, &generate(schedule.algorithm)?, now + schedule.ahead)?;
        let mut due = false;
        self.change_keys(|keys| {
            let before = keys.signing.len();
            plan::drop_over(&mut keys.signing, now, schedule.keep);
            let pruned = keys.signing.len() < before;
            due = wants_next(keys, schedule, now) && keys.signing.len() < plan::MAX_KEYS;
            if due {
                keys.signing.push(drawn.clone());
            }
            Ok(pruned || due)
        })
        .await?;
        if due {
            let (kid, signs_from) = (&*drawn.kid, drawn.signs_from);
            self.tell(Concerned::default(), EventKind::SigningKeyAdded { kid, signs_from });
        }
        Ok(())
    }
}

/// Whether the newest key will have signed for as long as it should when the next can begin, or is of another algorithm.
fn wants_next(keys: &Keys, schedule: &Schedule, now: Timestamp) -> bool {
    keys.signing.last().is_none_or(|newest| {
        let over = schedule.every.is_some_and(|every| newest.signs_from + every <= now + schedule.ahead);
        let other = *newest.algorithm != *schedule.algorithm.as_str();
        newest.signs_from <= now && (over || other)
    })
}

fn generate(algorithm: Algorithm) -> Result<LocalKey, KeysError> {
    LocalKey::generate(algorithm)
        .map_err(|_| KeysError::Signing { kid: "(new)".into(), why: "could not be generated" })
}
