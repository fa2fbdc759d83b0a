//! Listing grants, in the order of their ids.

use oauth_core::storage::{Index, Key, Listing, Namespace, Page, StoreError, StoreResult};
use redis::Value;

use crate::Inner;
use crate::failure::{Failure, unexpected};
use crate::layout::{decode, hash, listed_id};
use crate::link::Step;
use crate::swap::read;

/// More keys than that are never in one page.
const LARGEST_PAGE: usize = 1000;

impl Inner {
    pub(crate) async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let deadline = self.deadline();
        let limit = page.limit.clamp(1, LARGEST_PAGE);
        let Some(hash) = hash(&index) else {
            return Err(StoreError::unavailable(format!("this release keeps no index for {index:?}")));
        };
        let from = match page.after {
            None => b"-".to_vec(),
            // After all entries of that id, whatever their nonces.
            Some(key) => [b"(", &key.id()[..], &[0xff; 9]].concat(),
        };
        let name = self.layout.listing(&hash);
        let mut range = redis::cmd("ZRANGE");
        range.arg(&name).arg(from).arg("+").arg("BYLEX").arg("LIMIT").arg(0).arg(limit + 1);
        // Changes nothing, and is refused by whoever may no longer answer, as `read` is.
        let mut still_primary = redis::cmd("PERSIST");
        still_primary.arg(&name);
        let steps = [range, still_primary].map(|command| Step { key: name.clone(), command });
        let answers = self.link.send(steps.into(), deadline).await;
        let answers: Result<Vec<Value>, Failure> = answers.and_then(|answers| answers.into_iter().collect());
        let names = answers.map_err(Failure::of_read)?.into_iter().next().unwrap_or(Value::Nil);
        let mut keys: Vec<Key> = Vec::with_capacity(limit);
        let names = strings(names).map_err(Failure::of_read)?;
        for id in names.iter().take(limit).filter_map(|name| listed_id(name)) {
            let key = Key::new(Namespace::Grant, id);
            if keys.last() != Some(&key) {
                keys.push(key);
            }
        }
        let next = keys.last().copied().filter(|_| names.len() > limit);

        let gets = keys.iter().map(|key| {
            let name = self.layout.record(&key.to_bytes());
            Step { command: read(&name), key: name }
        });
        let values = self.link.send(gets.collect(), deadline).await.map_err(Failure::of_read)?;
        let mut listed = Vec::with_capacity(keys.len());
        for (key, value) in keys.into_iter().zip(values) {
            match value.map_err(Failure::of_read)? {
                Value::Nil => {}
                Value::BulkString(value) if index.matches(&decode(key, &value)?) => listed.push(key),
                Value::BulkString(_) => {}
                other => return Err(unexpected(&other).of_read()),
            }
        }
        Ok(Listing { keys: listed, next })
    }
}

/// The members of a set.
pub(crate) fn strings(answer: Value) -> Result<Vec<Vec<u8>>, Failure> {
    let Value::Array(values) = answer else { return Err(unexpected(&answer)) };
    let string = |value| match value {
        Value::BulkString(bytes) => Ok(bytes),
        other => Err(unexpected(&other)),
    };
    values.into_iter().map(string).collect()
}
