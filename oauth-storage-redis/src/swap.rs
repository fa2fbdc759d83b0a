//! Reading and writing one record.

use std::time::Duration;

use oauth_core::clock::{Clock, SystemClock, Timestamp};
use oauth_core::storage::{Key, Record, StoreResult, Swap, Version};
use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::Inner;
use crate::failure::{Failure, unexpected};
use crate::layout::{Entry, KeyBytes, Place, decode, shard};
use crate::link::Step;
use crate::write::{Outcome, Write};

/// Whoever is to stay for longer gets no expiry.
const LONGEST_EXPIRY: Duration = Duration::from_secs(1000 * 366 * 24 * 3600);

/// `GETEX` without an option changes nothing, and is a write to the server: one that has become a replica, or is cut off from
/// its replicas (`min-replicas-to-write`), refuses it, where it would answer `GET` from the past.
pub(crate) fn read(name: &[u8]) -> Cmd {
    let mut command = Cmd::with_capacity(2, 5 + name.len());
    command.arg("GETEX").arg(name);
    command
}

impl Inner {
    pub(crate) async fn load(&self, key: &Key) -> StoreResult<Option<Record>> {
        let name = self.layout.record(&key.to_bytes());
        match self.link.ask(&name, &read(&name), self.deadline()).await.map_err(Failure::of_read)? {
            Value::Nil => Ok(None),
            Value::BulkString(value) => decode(*key, &value).map(Some),
            other => Err(unexpected(&other).of_read()),
        }
    }

    /// In how many milliseconds Redis may delete a record that nobody has purged.
    ///
    /// Relative, so it does not matter whether the clock of Redis goes right. What is past its time by this machine's clock
    /// gets none: then the server has been given another clock.
    pub(crate) fn expiry(&self, retain_until: Timestamp) -> Option<u128> {
        let now = SystemClock.now();
        let expiry = retain_until.since(now) + self.expiry_slack?;
        (retain_until > now && expiry < LONGEST_EXPIRY).then_some(expiry.as_millis())
    }

    pub(crate) async fn swap(&self, next: &Record, expected: Option<Version>) -> StoreResult<Swap> {
        let deadline = self.deadline();
        let write = Write::new(self, next, expected);
        let outcome = if expected.is_some() {
            write.over_the_same_columns(deadline).await
        } else {
            Ok(Outcome::IndexFirst)
        };
        let outcome = match outcome.map_err(Failure::of_write)? {
            Outcome::IndexFirst => write.after_the_index(deadline).await?,
            outcome => outcome,
        };
        match outcome {
            Outcome::Written => Ok(Swap::Swapped),
            Outcome::WrittenShorter(nonce) => {
                let place = Place { nonce, ..Place::of(next) };
                let steps = vec![self.due_at(&next.key.to_bytes(), place, next.retain_until)];
                // The record is written, so it would be wrong to say that nothing happened.
                let lowered = Box::pin(self.write_all(steps, deadline)).await;
                let lowered = lowered.map_err(Failure::after_a_lost_delivery);
                lowered.map_err(Failure::of_write)?;
                Ok(Swap::Swapped)
            }
            Outcome::Stale | Outcome::StaleAtOwnPlace | Outcome::IndexFirst => Ok(Swap::Stale),
        }
    }

    /// An entry for purging; an earlier time that it says already stays.
    pub(crate) fn due_at(&self, key: &KeyBytes, place: Place, retain_until: Timestamp) -> Step {
        let name = self.layout.due(shard(key));
        let member = Entry { doubted: false, key: *key, place }.to_bytes(false);
        let mut command = redis::cmd("ZADD");
        command.arg(&name).arg("LT").arg(retain_until.as_millis()).arg(member);
        Step { key: name, command }
    }

    /// Writes of indexes, and the wait for replicas.
    pub(crate) async fn write_all(&self, steps: Vec<Step>, deadline: Instant) -> Result<(), Failure> {
        let Some(wait) = self.wait else {
            let answers = self.link.send(steps, deadline).await?;
            return answers.into_iter().try_for_each(|answer| answer.map(drop));
        };
        for step in steps {
            let commands = vec![step.command, wait.command()];
            let mut answers = self.link.send_in_order(&step.key, commands, deadline).await?;
            wait.check(&mut answers)?;
            answers.into_iter().try_for_each(|answer| answer.map(drop))?;
        }
        Ok(())
    }

    /// Removes the entries of a place from the listings.
    pub(crate) fn unlist(&self, key: &KeyBytes, place: &Place) -> Vec<Step> {
        let remove = |hash| {
            let name = self.layout.listing(hash);
            let mut command = redis::cmd("ZREM");
            command.arg(&name).arg(place.listed(key));
            Step { key: name, command }
        };
        place.hashes.iter().map(remove).collect()
    }
}
