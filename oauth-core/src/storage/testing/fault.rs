//! A store that fails on purpose, at calls that a test chooses.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::yield_once;
use crate::clock::Timestamp;
use crate::storage::{
    Index, Key, Listing, Namespace, Page, Purged, Record, Store, StoreError, StoreResult, Swap, Version,
};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It fails before anything happened: [`StoreError::Unavailable`].
    Refuse,
    /// It happens, and the acknowledgement is lost: [`StoreError::Unknown`]; for a read [`StoreError::Unavailable`].
    LoseAnswer,
    /// It is delivered twice; the second answer is given.
    Redeliver,
    /// It happens after that many polls.
    Delay(u32),
    /// It happens, and the answer is given after that many polls.
    DelayAnswer(u32),
    /// It never happens and never answers.
    Hang,
    /// A load answers what the last write through this store replaced, if there was one; other calls are not disturbed.
    ReadStale,
}

/// The method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// [`Store::load`]
    Load,
    /// [`Store::swap`]
    Swap,
    /// [`Store::list`]
    List,
    /// [`Store::purge`]
    Purge,
}

/// A call, as the script sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// How many calls came before it, of all methods.
    pub index: u64,
    /// Its method.
    pub op: Op,
    /// Of what its key is, for a load or a swap.
    pub namespace: Option<Namespace>,
}

type Script = Box<dyn FnMut(Call) -> Option<Fault> + Send>;

/// Wraps a store and disturbs the calls that a script names. Clones share script and count.
///
/// ```
/// use oauth_core::storage::testing::{Fault, FaultStore, Op};
/// # fn example<S: oauth_core::storage::Store>(store: S) {
/// let third_call_is_lost = FaultStore::nth(store, 2, Fault::LoseAnswer);
/// # }
/// # fn other<S: oauth_core::storage::Store>(store: S) {
/// let nothing_can_be_written = FaultStore::new(store, |call| (call.op == Op::Swap).then_some(Fault::Refuse));
/// # }
/// ```
#[derive(Clone)]
pub struct FaultStore<S> {
    inner: S,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    script: Script,
    calls: Vec<Call>,
    written: HashMap<Key, Written>,
}

/// The last write under a key, and what it replaced.
struct Written {
    before: Option<Arc<Record>>,
    now: Arc<Record>,
}

impl Shared {
    fn remember(&mut self, next: &Arc<Record>, expected: Option<Version>) {
        let before = match self.written.remove(&next.key) {
            Some(written) if written.now.version == next.version => written.before,
            Some(written) if Some(written.now.version) == expected => Some(written.now),
            _ if expected.is_none() => None,
            // Another handle wrote what this one replaced.
            _ => return,
        };
        self.written.insert(next.key, Written { before, now: next.clone() });
    }
}

impl<S: Store> FaultStore<S> {
    /// Asks the script about each call, in the order in which they begin.
    pub fn new(inner: S, script: impl FnMut(Call) -> Option<Fault> + Send + 'static) -> Self {
        let shared = Shared { script: Box::new(script), calls: Vec::new(), written: HashMap::new() };
        Self { inner, shared: Arc::new(Mutex::new(shared)) }
    }

    /// Disturbs the one call that `nth` calls came before.
    pub fn nth(inner: S, nth: u64, fault: Fault) -> Self {
        Self::new(inner, move |call| (call.index == nth).then_some(fault))
    }

    /// Disturbs nothing, until [`FaultStore::script`] says otherwise.
    pub fn calm(inner: S) -> Self {
        Self::new(inner, |_| None)
    }

    /// From now on asks another script; calls are counted from zero again.
    pub fn script(&self, script: impl FnMut(Call) -> Option<Fault> + Send + 'static) {
        self.with(|shared| {
            shared.script = Box::new(script);
            shared.calls.clear();
        });
    }

    /// The calls since the script began, disturbed or not.
    pub fn calls(&self) -> Vec<Call> {
        self.with(|shared| shared.calls.clone())
    }

    /// The wrapped store.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn with<T>(&self, change: impl FnOnce(&mut Shared) -> T) -> T {
        change(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, op: Op, key: Option<&Key>) -> Option<Fault> {
        self.with(|shared| {
            let namespace = key.map(Key::namespace);
            let call = Call { index: shared.calls.len() as u64, op, namespace };
            shared.calls.push(call);
            (shared.script)(call)
        })
    }

    async fn disturb<T, F>(
        &self,
        fault: Option<Fault>,
        lost: fn(Injected) -> StoreError,
        call: impl Fn() -> F,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>>,
    {
        match fault {
            None | Some(Fault::ReadStale) => call().await,
            Some(Fault::Refuse) => Err(StoreError::unavailable(Injected)),
            Some(Fault::LoseAnswer) => {
                call().await?;
                Err(lost(Injected))
            }
            Some(Fault::Redeliver) => {
                call().await?;
                call().await
            }
            Some(Fault::Delay(polls)) => {
                yield_often(polls).await;
                call().await
            }
            Some(Fault::DelayAnswer(polls)) => {
                let answer = call().await;
                yield_often(polls).await;
                answer
            }
            Some(Fault::Hang) => std::future::pending().await,
        }
    }
}

async fn yield_often(polls: u32) {
    for _ in 0..polls {
        yield_once().await;
    }
}

/// The source of every injected error.
#[derive(Debug, thiserror::Error)]
#[error("injected fault")]
struct Injected;

fn read_lost(source: Injected) -> StoreError {
    StoreError::unavailable(source)
}

fn write_lost(source: Injected) -> StoreError {
    StoreError::unknown(source)
}

impl<S: fmt::Debug> fmt::Debug for FaultStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: Store> Store for FaultStore<S> {
    async fn load(&self, key: &Key) -> StoreResult<Option<Arc<Record>>> {
        let fault = self.begin(Op::Load, Some(key));
        if fault == Some(Fault::ReadStale)
            && let Some(before) =
                self.with(|shared| shared.written.get(key).map(|written| written.before.clone()))
        {
            return Ok(before);
        }
        self.disturb(fault, read_lost, || self.inner.load(key)).await
    }

    async fn swap(&self, next: Arc<Record>, expected: Option<Version>) -> StoreResult<Swap> {
        let fault = self.begin(Op::Swap, Some(&next.key));
        let deliver = || async {
            let answer = self.inner.swap(next.clone(), expected).await;
            if matches!(answer, Ok(Swap::Swapped)) {
                self.with(|shared| shared.remember(&next, expected));
            }
            answer
        };
        self.disturb(fault, write_lost, deliver).await
    }

    async fn list(&self, index: Index<'_>, page: Page) -> StoreResult<Listing> {
        let fault = self.begin(Op::List, None);
        self.disturb(fault, read_lost, || self.inner.list(index, page)).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Purged> {
        let fault = self.begin(Op::Purge, None);
        self.disturb(fault, write_lost, || self.inner.purge(now, limit)).await
    }
}
