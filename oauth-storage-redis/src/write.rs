//! One swap, as it is sent: the script, and where the columns are new the index before the record.

use oauth_core::storage::{Record, StoreResult, Version};
use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::Inner;
use crate::failure::{Failure, unexpected};
use crate::layout::{Entry, Nonce, Place, digest, instant, nonce, shard};
use crate::link::{Link, Step};

/// What the script did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Written,
    /// Also with the nonce of the stored place: the entry for purging may still say a later time.
    WrittenShorter(Nonce),
    Stale,
    /// The stored record stands at the place of this very write.
    StaleAtOwnPlace,
    IndexFirst,
}

/// How the columns of a write relate to those that are stored, which are indexed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    Same,
    /// Their entries have been written.
    New,
    /// The script writes their entries, and then the record.
    Indexed,
}

/// One swap, as it is sent.
pub(crate) struct Write<'a> {
    inner: &'a Inner,
    next: &'a Record,
    expected: Option<Version>,
    key: Vec<u8>,
    /// Version and `retain_until`.
    head: Vec<u8>,
    /// The digest of the columns, and the body.
    tail: Vec<u8>,
    /// Milliseconds, as a number in letters; empty for none.
    expiry: String,
}

impl<'a> Write<'a> {
    pub(crate) fn new(inner: &'a Inner, next: &'a Record, expected: Option<Version>) -> Self {
        let key = inner.layout.record(&next.key.to_bytes());
        let head = [&next.version.as_bytes()[..], &instant(next.retain_until)].concat();
        let tail = [&digest(next)[..], &next.encode()].concat();
        let expiry = inner.expiry(next.retain_until).map_or(String::new(), |expiry| expiry.to_string());
        Self { inner, next, expected, key, head, tail, expiry }
    }

    pub(crate) async fn over_the_same_columns(&self, deadline: Instant) -> Result<Outcome, Failure> {
        self.run(Columns::Same, deadline).await
    }

    /// The index first: whatever comes in between, no record is without it.
    pub(crate) async fn after_the_index(&self, deadline: Instant) -> StoreResult<Outcome> {
        if matches!(self.inner.link, Link::Single(_)) {
            // Nothing forbids a script several keys there. It compares first, so whoever loses leaves no entry.
            return self.run(Columns::Indexed, deadline).await.map_err(Failure::of_write);
        }
        // An index entry alone is no record: that failure is not yet one of the write.
        self.inner.write_all(self.index(), deadline).await.map_err(Failure::of_read)?;
        let outcome = self.run(Columns::New, deadline).await.map_err(Failure::of_write)?;
        if outcome == Outcome::Stale {
            // No record will ever name this place. What is not removed here is removed by a purge.
            let removed = self.inner.link.send(self.unindex(), deadline).await;
            drop(removed);
        }
        Ok(outcome)
    }

    async fn run(&self, columns: Columns, deadline: Instant) -> Result<Outcome, Failure> {
        match self.run_as(columns, false, deadline).await {
            // Boxed, as all is here that is rare, so that the common future has no room for it.
            Err(failure) if failure.is_unknown_script() => {
                Box::pin(self.run_in_full(columns, failure, deadline)).await
            }
            outcome => outcome,
        }
    }

    /// The server does not know the script: it is new, or has been restarted, which may have lost an earlier answer.
    async fn run_in_full(
        &self,
        columns: Columns,
        unknown: Failure,
        deadline: Instant,
    ) -> Result<Outcome, Failure> {
        let outcome = self.run_as(columns, true, deadline).await;
        outcome.map_err(|failure| unknown.of_another_delivery(failure))
    }

    async fn run_as(&self, columns: Columns, in_full: bool, deadline: Instant) -> Result<Outcome, Failure> {
        let call = self.call(columns, in_full);
        let Some(wait) = self.inner.wait else {
            return outcome(self.inner.link.ask(&self.key, &call, deadline).await?);
        };
        let commands = vec![call, wait.command()];
        let mut answers = Box::pin(self.inner.link.send_in_order(&self.key, commands, deadline)).await?;
        let reached = wait.check(&mut answers);
        let value = answers.pop().unwrap_or_else(|| Err(Failure::Lost("Redis gave no answer".into())))?;
        let outcome = outcome(value)?;
        if matches!(outcome, Outcome::Written | Outcome::WrittenShorter(_)) {
            reached?;
        }
        Ok(outcome)
    }

    fn call(&self, columns: Columns, in_full: bool) -> Cmd {
        let code = &self.inner.scripts.swap;
        // Who expects its own version wants to hear whether it has been delivered: no stored version is so short.
        let expected: &[u8] = match &self.expected {
            None => &[],
            Some(version) if *version == self.next.version => b"-",
            Some(version) => version.as_bytes(),
        };
        let nonce = nonce(&self.next.version);
        let nonce = if columns == Columns::Same { &[] } else { &nonce[..] };
        let mut keys = vec![self.key.clone()];
        let mut arguments = vec![&self.head, expected, &self.tail, nonce, self.expiry.as_bytes()];
        let (score, entry, listed);
        if columns == Columns::Indexed {
            let (key, place) = (self.next.key.to_bytes(), Place::of(self.next));
            keys.push(self.inner.layout.due(shard(&key)));
            keys.extend(place.hashes.iter().map(|hash| self.inner.layout.listing(hash)));
            listed = place.listed(&key);
            score = self.next.retain_until.as_millis().to_string();
            entry = Entry { doubted: false, key, place }.to_bytes(false);
            arguments.extend([score.as_bytes(), &entry, &listed]);
        }
        if in_full { code.call_in_full(&keys, &arguments) } else { code.call(&keys, &arguments) }
    }

    /// The entries of the place that this write gives.
    pub(crate) fn index(&self) -> Vec<Step> {
        let (key, place) = (self.next.key.to_bytes(), Place::of(self.next));
        let mut steps = vec![self.inner.due_at(&key, place.clone(), self.next.retain_until)];
        for hash in &place.hashes {
            let name = self.inner.layout.listing(hash);
            let mut command = redis::cmd("ZADD");
            command.arg(&name).arg(0).arg(place.listed(&key));
            steps.push(Step { key: name, command });
        }
        steps
    }

    fn unindex(&self) -> Vec<Step> {
        let (key, place) = (self.next.key.to_bytes(), Place::of(self.next));
        let mut steps = self.inner.unlist(&key, &place);
        let name = self.inner.layout.due(shard(&key));
        let mut command = redis::cmd("ZREM");
        command.arg(&name).arg(Entry { doubted: false, key, place }.to_bytes(false));
        steps.push(Step { key: name, command });
        steps
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
