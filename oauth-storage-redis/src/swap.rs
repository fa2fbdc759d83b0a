//! Reading and writing one record.

use std::time::Duration;

use oauth_core::clock::{Clock, SystemClock, Timestamp};
use oauth_core::storage::{Key, Record, StoreResult, Swap, Version};
use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::Inner;
use crate::failure::{Failure, unexpected};
use crate::layout::{Entry, KeyBytes, Nonce, Place, decode, instant, shard};
use crate::link::{Answers, Link, Step, Wait};

/// Whoever is to stay for longer gets no expiry.
const LONGEST_EXPIRY: Duration = Duration::from_secs(1000 * 366 * 24 * 3600);

/// What the script did.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Written,
    /// Also with the nonce of the stored place: the entry for purging may still say a later time.
    WrittenShorter(Nonce),
    Stale,
    /// The stored record stands at the place of this very write.
    StaleAtOwnPlace,
    IndexFirst,
}

impl Inner {
    pub(crate) async fn load(&self, key: &Key) -> StoreResult<Option<Record>> {
        let name = self.layout.record(&key.to_bytes());
        let mut get = redis::cmd("GET");
        get.arg(&name);
        match self.link.ask(name, get, self.deadline()).await.map_err(Failure::of_read)? {
            Value::Nil => Ok(None),
            Value::BulkString(value) => decode(*key, &value).map(Some),
            other => Err(unexpected(&other).of_read()),
        }
    }

    /// In how many milliseconds Redis may delete a record that nobody has purged.
    ///
    /// Relative, so it does not matter whether the clock of Redis goes right. What is past its time by this machine's clock
    /// gets none: then the server has been given another clock.
    fn expiry(&self, retain_until: Timestamp) -> Option<u128> {
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
                let place = Place { nonce, ..write.place };
                let steps = vec![self.due_at(&next.key.to_bytes(), place, next.retain_until)];
                self.write_all(steps, deadline).await.map_err(Failure::of_write)?;
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
    async fn write_all(&self, steps: Vec<Step>, deadline: Instant) -> Result<(), Failure> {
        let Some(wait) = self.wait else {
            return self
                .link
                .send(steps, deadline)
                .await?
                .into_iter()
                .try_for_each(|answer| answer.map(drop));
        };
        for step in steps {
            let commands = vec![step.command, wait.command()];
            let mut answers = self.link.send_in_order(&step.key, commands, deadline).await?;
            wait.check(&mut answers)?;
            answers.into_iter().try_for_each(|answer| answer.map(drop))?;
        }
        Ok(())
    }
}

impl Wait {
    fn command(self) -> Cmd {
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.replicas).arg(u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX));
        wait
    }

    /// Takes the last answer, which is the number of replicas.
    fn check(self, answers: &mut Answers) -> Result<(), Failure> {
        let reached = match answers.pop() {
            Some(Ok(Value::Int(reached))) => usize::try_from(reached).unwrap_or(0),
            Some(Err(failure)) => return Err(failure.after_a_lost_delivery()),
            _ => 0,
        };
        if reached < self.replicas {
            let missing = format!("{reached} of {} replicas have the write", self.replicas);
            return Err(Failure::Lost(missing.into()));
        }
        Ok(())
    }
}

/// One swap, as it is sent.
struct Write<'a> {
    inner: &'a Inner,
    next: &'a Record,
    expected: Option<Version>,
    place: Place,
    key: Vec<u8>,
    /// Version and `retain_until`.
    head: Vec<u8>,
    /// The digest of the columns, and the body.
    tail: Vec<u8>,
    /// Milliseconds, as a number in letters; empty for none.
    expiry: String,
}

impl<'a> Write<'a> {
    fn new(inner: &'a Inner, next: &'a Record, expected: Option<Version>) -> Self {
        let place = Place::of(next);
        let key = inner.layout.record(&next.key.to_bytes());
        let head = [&next.version.as_bytes()[..], &instant(next.retain_until)].concat();
        let tail = [&place.digest()[..], &next.encode()].concat();
        let expiry = inner.expiry(next.retain_until).map_or(String::new(), |expiry| expiry.to_string());
        Self { inner, next, expected, place, key, head, tail, expiry }
    }

    async fn over_the_same_columns(&self, deadline: Instant) -> Result<Outcome, Failure> {
        self.run(false, deadline).await
    }

    /// The index first: whatever comes in between, no record is without it.
    async fn after_the_index(&self, deadline: Instant) -> StoreResult<Outcome> {
        let outcome = match &self.inner.link {
            // In one go: the server executes commands of one connection in their order.
            Link::Single(_) if self.inner.wait.is_none() => self.with_the_index(deadline).await,
            _ => {
                // An index entry alone is no record: that failure is not yet one of the write.
                self.inner.write_all(self.index(), deadline).await.map_err(Failure::of_read)?;
                self.run(true, deadline).await
            }
        };
        let outcome = outcome.map_err(Failure::of_write)?;
        if outcome == Outcome::Stale {
            // No record will ever name this place. What is not removed here is removed by a purge.
            let removed = self.inner.link.send(self.unindex(), deadline).await;
            drop(removed);
        }
        Ok(outcome)
    }

    async fn with_the_index(&self, deadline: Instant) -> Result<Outcome, Failure> {
        let mut steps = self.index();
        steps.push(Step { key: self.key.clone(), command: self.call(true, false) });
        let mut answers = self.inner.link.send(steps, deadline).await?;
        let written = answers.pop().unwrap_or_else(|| Err(Failure::Lost("Redis gave no answer".into())));
        let indexed: Result<(), Failure> = answers.into_iter().try_for_each(|answer| answer.map(drop));
        match (indexed, written) {
            (Ok(()), Err(failure)) if failure.is_unknown_script() => {
                self.run_in_full(true, failure, deadline).await
            }
            (Ok(()), written) => outcome(written?),
            (Err(failure), Err(_)) => Err(failure),
            // The record may be there without its index; a later delivery of the same completes it.
            (Err(failure), Ok(_)) => Err(failure.after_a_lost_delivery()),
        }
    }

    async fn run(&self, indexed: bool, deadline: Instant) -> Result<Outcome, Failure> {
        match self.run_as(indexed, false, deadline).await {
            Err(failure) if failure.is_unknown_script() => self.run_in_full(indexed, failure, deadline).await,
            outcome => outcome,
        }
    }

    /// The server does not know the script: it is new, or has been restarted, which may have lost an earlier answer.
    async fn run_in_full(
        &self,
        indexed: bool,
        unknown: Failure,
        deadline: Instant,
    ) -> Result<Outcome, Failure> {
        let outcome = self.run_as(indexed, true, deadline).await;
        outcome.map_err(|failure| unknown.of_another_delivery(failure))
    }

    async fn run_as(&self, indexed: bool, in_full: bool, deadline: Instant) -> Result<Outcome, Failure> {
        let mut commands = vec![self.call(indexed, in_full)];
        commands.extend(self.inner.wait.map(Wait::command));
        let mut answers = self.inner.link.send_in_order(&self.key, commands, deadline).await?;
        let reached = self.inner.wait.map_or(Ok(()), |wait| wait.check(&mut answers));
        let value = answers.pop().unwrap_or_else(|| Err(Failure::Lost("Redis gave no answer".into())))?;
        let outcome = outcome(value)?;
        if matches!(outcome, Outcome::Written | Outcome::WrittenShorter(_)) {
            reached?;
        }
        Ok(outcome)
    }

    fn call(&self, indexed: bool, in_full: bool) -> Cmd {
        let code = &self.inner.scripts.swap;
        // Who expects its own version wants to hear whether it has been delivered: no stored version is so short.
        let expected: &[u8] = match &self.expected {
            None => &[],
            Some(version) if *version == self.next.version => b"-",
            Some(version) => version.as_bytes(),
        };
        let nonce = if indexed { &self.place.nonce[..] } else { &[] };
        let arguments = [&self.head, expected, &self.tail, nonce, self.expiry.as_bytes()];
        if in_full { code.call_in_full(&self.key, &arguments) } else { code.call(&self.key, &arguments) }
    }

    fn index(&self) -> Vec<Step> {
        let key = self.next.key.to_bytes();
        let mut steps = vec![self.inner.due_at(&key, self.place.clone(), self.next.retain_until)];
        for hash in &self.place.hashes {
            let name = self.inner.layout.listing(hash);
            let mut command = redis::cmd("ZADD");
            command.arg(&name).arg(0).arg(self.place.listed(&key));
            steps.push(Step { key: name, command });
        }
        steps
    }

    fn unindex(&self) -> Vec<Step> {
        let key = self.next.key.to_bytes();
        let mut steps = self.inner.unlist(&key, &self.place);
        let name = self.inner.layout.due(shard(&key));
        let entry = Entry { doubted: false, key, place: self.place.clone() };
        let mut command = redis::cmd("ZREM");
        command.arg(&name).arg(entry.to_bytes(false));
        steps.push(Step { key: name, command });
        steps
    }
}

impl Inner {
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

fn outcome(answer: Value) -> Result<Outcome, Failure> {
    match &answer {
        Value::Int(0) => Ok(Outcome::Stale),
        Value::Int(1) => Ok(Outcome::Written),
        Value::Int(2) => Ok(Outcome::IndexFirst),
        Value::Int(3) => Ok(Outcome::StaleAtOwnPlace),
        Value::Array(parts) => match &parts[..] {
            [Value::Int(4 | 5), Value::BulkString(nonce)] => match nonce[..].try_into() {
                Ok(nonce) => Ok(Outcome::WrittenShorter(nonce)),
                Err(_) => Err(unexpected(&answer)),
            },
            _ => Err(unexpected(&answer)),
        },
        _ => Err(unexpected(&answer)),
    }
}
