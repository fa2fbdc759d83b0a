//! Deleting what is past its time, and the index entries of what is gone.
//!
//! A record's entry for purging is removed last, so a purge that is cut off is completed by the next. An entry without a
//! record may belong to a write under way: it is doubted for an hour, by the clock of the purges, and only then dropped.

use std::sync::atomic::Ordering;
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::storage::{Purged, StoreResult};
use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::Inner;
use crate::failure::{Failure, unexpected};
use crate::layout::{Entry, SHARDS, from_instant, instant};
use crate::link::{Step, call_each};
use crate::listing::strings;

/// At most so many entries are looked at in one go, and nobody waits for longer than that.
const BATCH: usize = 256;
/// A call looks at this many entries beyond its limit: those of records that are kept for longer by now.
const MORE_ENTRIES: usize = 4 * BATCH;
const DOUBT: Duration = Duration::from_secs(3600);

/// What became of the record of an entry.
enum Found {
    Deleted,
    Kept(Timestamp),
    Nothing,
}

impl Inner {
    pub(crate) async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        self.purge_batches(now, limit).await.map_err(Failure::of_write)
    }

    async fn purge_batches(&self, now: Timestamp, limit: usize) -> Result<Purged, Failure> {
        let first = self.purge_from.fetch_add(1, Ordering::Relaxed);
        let (mut deleted, mut looked_at) = (0, 0);
        let mut shards = self.shards_due(now).await?;
        // Not always the same one first, so that purging in small batches reaches them all.
        let count = shards.len().max(1);
        shards.rotate_left(first % count);
        for shard in shards {
            loop {
                let room = limit.saturating_sub(deleted).min(BATCH);
                if room == 0 || looked_at > limit.saturating_add(MORE_ENTRIES) {
                    let more = !self.shards_due(now).await?.is_empty();
                    return Ok(Purged { deleted, more });
                }
                let deadline = self.deadline();
                let entries = self.due(shard, now, room, deadline).await?;
                looked_at += entries.len();
                deleted += self.purge_entries(shard, &entries, now, deadline).await?;
                if entries.len() < room {
                    break;
                }
            }
        }
        Ok(Purged { deleted, more: false })
    }

    /// The shards in which something is due.
    async fn shards_due(&self, now: Timestamp) -> Result<Vec<u8>, Failure> {
        let count = |shard| {
            let key = self.layout.due(shard);
            let mut command = redis::cmd("ZCOUNT");
            command.arg(&key).arg("-inf").arg(before(now));
            Step { key, command }
        };
        let counts = self.link.send((0..SHARDS).map(count).collect(), self.deadline()).await?;
        let mut due = Vec::new();
        for (shard, count) in (0..SHARDS).zip(counts) {
            match count? {
                Value::Int(0) => {}
                Value::Int(_) => due.push(shard),
                other => return Err(unexpected(&other)),
            }
        }
        Ok(due)
    }

    async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: usize,
        deadline: Instant,
    ) -> Result<Vec<(Vec<u8>, Option<Entry>)>, Failure> {
        let key = self.layout.due(shard);
        let mut range = redis::cmd("ZRANGE");
        range.arg(&key).arg("-inf").arg(before(now)).arg("BYSCORE").arg("LIMIT").arg(0).arg(limit);
        let members = strings(self.link.ask(&key, &range, deadline).await?)?;
        let parse = |member: Vec<u8>| {
            let entry = Entry::from_bytes(&member);
            (member, entry)
        };
        Ok(members.into_iter().map(parse).collect())
    }

    /// Says how many records were deleted. Afterwards none of the entries is due.
    async fn purge_entries(
        &self,
        shard: u8,
        members: &[(Vec<u8>, Option<Entry>)],
        now: Timestamp,
        deadline: Instant,
    ) -> Result<usize, Failure> {
        let name = self.layout.due(shard);
        let entries: Vec<&Entry> = members.iter().filter_map(|(_, entry)| entry.as_ref()).collect();
        let call = |entry: &&Entry| {
            (self.layout.record(&entry.key), vec![entry.place.nonce.to_vec(), instant(now).to_vec()])
        };
        let calls: Vec<_> = entries.iter().map(call).collect();
        let found = call_each(&self.link, &self.scripts.purge, &calls, deadline).await?;

        // By script, so that it also works when the memory is full, which purging is to end.
        let rename = |old: &[u8], new: &[u8], time: Timestamp| {
            let score = time.as_millis().to_string();
            self.scripts.rename.call_in_full(std::slice::from_ref(&name), &[old, new, score.as_bytes()])
        };
        let (mut unlisted, mut moved, mut kept, mut deleted) = (Vec::new(), Vec::new(), Vec::new(), 0);
        // Nothing writes such an entry; left alone, it would be due for ever.
        moved.extend(
            members.iter().filter(|(_, entry)| entry.is_none()).map(|(member, _)| zrem(&name, [member])),
        );
        for (entry, found) in entries.into_iter().zip(found) {
            let (certain, doubted) = (entry.to_bytes(false), entry.to_bytes(true));
            match parse(&found)? {
                Found::Deleted => {
                    deleted += 1;
                    unlisted.extend(self.unlist(&entry.key, &entry.place));
                    moved.push(zrem(&name, [&certain, &doubted]));
                }
                Found::Kept(retain_until) => {
                    moved.push(rename(
                        if entry.doubted { &doubted } else { &certain },
                        &certain,
                        retain_until,
                    ));
                    kept.push((entry, retain_until));
                }
                Found::Nothing if entry.doubted => {
                    unlisted.extend(self.unlist(&entry.key, &entry.place));
                    moved.push(zrem(&name, [&doubted]));
                }
                Found::Nothing => moved.push(rename(&certain, &doubted, now + DOUBT)),
            }
        }
        // The entries for purging last: they know what else is to be cleaned.
        self.link.send(unlisted, deadline).await?.into_iter().try_for_each(|answer| answer.map(drop))?;
        let moved = self.link.send_in_order(&name, moved, deadline).await?;
        moved.into_iter().try_for_each(|answer| answer.map(drop))?;
        self.lower(&kept, deadline).await?;
        Ok(deleted)
    }

    /// Whoever shortens a retention writes the record and then lowers the entry. That may have come to nothing while the
    /// entry was being raised here, so the records are looked at again.
    async fn lower(&self, kept: &[(&Entry, Timestamp)], deadline: Instant) -> Result<(), Failure> {
        let look = |(entry, _): &(&Entry, Timestamp)| {
            let key = self.layout.record(&entry.key);
            let mut command = redis::cmd("GETRANGE");
            command.arg(&key).arg(16).arg(31);
            Step { key, command }
        };
        let heads = self.link.send(kept.iter().map(look).collect(), deadline).await?;
        let mut lowered = Vec::new();
        for ((entry, raised_to), head) in kept.iter().zip(heads) {
            if let Value::BulkString(head) = head?
                && let Some((retain_until, nonce)) = head.split_first_chunk()
                && nonce == entry.place.nonce
                && from_instant(*retain_until) < *raised_to
            {
                lowered.push(self.due_at(&entry.key, entry.place.clone(), from_instant(*retain_until)));
            }
        }
        self.link.send(lowered, deadline).await?.into_iter().try_for_each(|answer| answer.map(drop))
    }
}

/// Earlier than `now`, as a bound of a range.
fn before(now: Timestamp) -> String {
    format!("({}", now.as_millis())
}

fn zrem<const N: usize>(key: &[u8], members: [&Vec<u8>; N]) -> Cmd {
    let mut command = redis::cmd("ZREM");
    command.arg(key);
    for member in members {
        command.arg(member);
    }
    command
}

fn parse(answer: &Value) -> Result<Found, Failure> {
    match answer {
        Value::Int(0) => Ok(Found::Nothing),
        Value::Int(1) => Ok(Found::Deleted),
        Value::BulkString(bytes) => match bytes[..].try_into() {
            Ok(bytes) => Ok(Found::Kept(from_instant(bytes))),
            Err(_) => Err(unexpected(answer)),
        },
        other => Err(unexpected(other)),
    }
}
