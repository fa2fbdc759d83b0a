//! The only place that writes grants: load, plan, prepare, swap, and again when another was faster.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Concerned, Server};
use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{Grant, MAX_GRANT_BYTES, Plan, Refusal, RevokeReason, State, Unsigned};
use crate::handle::GrantId;
use crate::secret::random_array;
use crate::storage::{Body, Key, Record, StoreError, Swap, Version};

/// How often a step is planned again because another write came first.
const ATTEMPTS: u32 = 16;

/// One protocol step over a stored grant.
pub(crate) trait Step: Sync {
    /// What the step answers.
    type Outcome: Send;

    /// Decides, from the grant and the time alone.
    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<Self::Outcome>, Refusal>;

    /// The JWT that must be signed before anything is written or answered.
    fn unsigned(&self, _outcome: &Self::Outcome) -> Option<Unsigned> {
        None
    }

    /// What is told of the step once it is done. `written` says whether it changed the grant.
    fn happened<'a>(&'a self, _outcome: &'a Self::Outcome, _written: bool) -> Option<EventKind<'a>> {
        None
    }

    /// Whether the host must be asked if the subject may still act, before anything is written or answered.
    fn asks_host(&self) -> bool {
        false
    }
}

/// What became of a new grant.
pub(crate) enum Inserted {
    /// It is stored.
    New,
    /// A grant of that id was there already.
    Exists(Arc<Record>),
    /// A fence caught it: it is stored as revoked.
    Fenced,
}

/// A grant that is about to be stored.
pub(crate) struct NewGrant {
    record: Arc<Record>,
    fences: [Option<Key>; 3],
    created_at: Timestamp,
}

impl NewGrant {
    /// The grant as it is going to be stored.
    pub(super) fn grant(&self) -> Option<&Grant> {
        self.record.grant()
    }
}

/// A [`Plan`] whose record is made.
enum Planned<T> {
    Answer(T),
    Write(Arc<Record>, T),
    End(Arc<Record>, Refusal),
}

/// A JWT, and what it was made of.
struct Signed {
    what: Unsigned,
    jwt: String,
}

enum Committed {
    Done,
    Stale,
}

impl Server {
    /// Runs one step to its end: its outcome, and the JWT that it asked for. `now` is when the request arrived; an attempt
    /// after a lost race asks the clock again.
    pub(crate) async fn advance<S: Step>(
        &self,
        id: GrantId,
        step: &S,
        mut now: Timestamp,
    ) -> Result<(S::Outcome, Option<String>), Error> {
        let key = Key::grant(id);
        let mut signed: Option<Box<Signed>> = None;
        let mut host_agreed = !step.asks_host();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                give_way(self.jitter(attempt)).await;
                now = self.now();
            }
            let record = self.load_grant(&key).await?.ok_or(Refusal::UnknownGrant)?;
            let (next, result) = match self.planned(step, &record, now)? {
                Planned::Answer(outcome) => (None, Ok(outcome)),
                Planned::Write(next, outcome) => (Some(next), Ok(outcome)),
                Planned::End(next, refusal) => (Some(next), Err(refusal)),
            };
            let written = next.is_some();
            if result.is_ok() && !host_agreed {
                let subject = record.grant().and_then(|grant| grant.subject.as_deref());
                if !self.check_subject(subject).await? {
                    return Err(Refusal::SubjectInactive.into());
                }
                host_agreed = true;
            }
            let unsigned = result.as_ref().ok().and_then(|outcome| step.unsigned(outcome));
            if let Some(unsigned) = unsigned
                && signed.as_ref().is_none_or(|signed| signed.what != unsigned)
            {
                let grant = next.as_deref().unwrap_or(&record).grant().ok_or(Refusal::Mismatch)?;
                signed = Some(self.signed(id, grant, unsigned).await?);
            }
            let done = match next {
                None => Committed::Done,
                Some(next) => self.swap(next, Some(record.version)).await?,
            };
            if let Committed::Done = done {
                if self.is_heard() {
                    self.tell_step(id, step, &record, result.as_ref(), written);
                }
                return Ok((result?, signed.map(|signed| signed.jwt)));
            }
        }
        Err(Error::unavailable("the grant changed under every attempt"))
    }

    /// Tells what a step has done to the grant that was `before`.
    fn tell_step<S: Step>(
        &self,
        id: GrantId,
        step: &S,
        before: &Record,
        result: Result<&S::Outcome, &Refusal>,
        written: bool,
    ) {
        let kind = match result {
            Ok(outcome) => step.happened(outcome, written),
            Err(refusal) => refusal.ended_by().map(|reason| EventKind::GrantRevoked { reason }),
        };
        if let Some((kind, grant)) = kind.zip(before.grant()) {
            let (client_id, subject) = (Some(&*grant.client_id), grant.subject.as_deref());
            self.tell(Concerned { client_id, subject, grant_id: Some(id) }, kind);
        }
    }

    /// Boxed with its answer, so that the common future has no room for them.
    fn signed<'a>(
        &'a self,
        id: GrantId,
        grant: &'a Grant,
        what: Unsigned,
    ) -> Pin<Box<dyn Future<Output = Result<Box<Signed>, Error>> + Send + 'a>> {
        Box::pin(async move {
            let jwt = self.sign_access(id, grant, &what).await?;
            Ok(Box::new(Signed { what, jwt }))
        })
    }

    /// Apart from the future, which would carry the grant about.
    fn planned<S: Step>(
        &self,
        step: &S,
        record: &Record,
        now: Timestamp,
    ) -> Result<Planned<S::Outcome>, Refusal> {
        let grant = record.grant().ok_or(Refusal::Mismatch)?;
        Ok(match step.plan(grant, now)? {
            Plan::Answer(outcome) => Planned::Answer(outcome),
            Plan::Write(next, outcome) => Planned::Write(self.record(record.key, next), outcome),
            Plan::End(next, refusal) => Planned::End(self.record(record.key, next), refusal),
        })
    }

    /// A grant to be stored, with the fences that it must not be behind. The key of its client's may be known.
    pub(crate) fn new_grant(&self, id: GrantId, grant: Grant, client_fence: Option<Key>) -> NewGrant {
        NewGrant {
            fences: grant.fences(client_fence),
            created_at: grant.created_at,
            record: self.record(Key::grant(id), grant),
        }
    }

    /// Stores a new grant, then reads the fences around it. Not an `async fn`, which would keep its argument twice.
    pub(crate) fn insert_grant(
        &self,
        new: NewGrant,
    ) -> impl Future<Output = Result<Inserted, Error>> + Send + '_ {
        let NewGrant { record, fences, created_at } = new;
        let key = record.key;
        async move {
            let (created_at, inserted) = match self.swap(record, None).await? {
                Committed::Done => (created_at, Inserted::New),
                Committed::Stale => {
                    let stored = self.load_grant(&key).await?;
                    let stored = stored
                        .ok_or_else(|| Error::unavailable("a new grant was refused, yet none is stored"))?;
                    match stored.grant() {
                        Some(grant) if !matches!(grant.state, State::Revoked { .. }) => {
                            (grant.created_at, Inserted::Exists(stored))
                        }
                        _ => return Ok(Inserted::Exists(stored)),
                    }
                }
            };
            // Also around a grant that was there: who stored it may still have to read them, or may have failed to.
            if self.is_behind(fences, created_at).await? {
                let id = GrantId::from_bytes(*key.id());
                // Boxed, so that the common future has no room for it.
                Box::pin(self.advance(id, &Revoke(RevokeReason::Fence), self.now())).await?;
                return Ok(Inserted::Fenced);
            }
            Ok(inserted)
        }
    }

    /// Whether one of the fences catches what began at that time.
    pub(super) async fn is_behind(
        &self,
        fences: [Option<Key>; 3],
        created_at: Timestamp,
    ) -> Result<bool, Error> {
        for fence in fences.iter().flatten() {
            let Some(record) = self.store.load(fence).await? else { continue };
            if let Body::Fence(fence) = &record.body
                && fence.catches(created_at)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Loads a grant and checks that it is what was asked for: a store may lie.
    pub(crate) async fn load_grant(&self, key: &Key) -> Result<Option<Arc<Record>>, Error> {
        let Some(record) = self.store.load(key).await? else { return Ok(None) };
        match record.grant() {
            _ if record.key != *key => {
                Err(Error::unavailable("the store answered with another record than was asked for"))
            }
            Some(grant) if *grant.issuer == *self.issuer_text => Ok(Some(record)),
            _ => Err(Refusal::Mismatch.into()),
        }
    }

    /// Stores any record that this server alone decides about, planning again when another write came first.
    pub(crate) async fn update(
        &self,
        key: Key,
        mut plan: impl FnMut(Option<&Body>) -> Option<(Body, Timestamp)> + Send,
    ) -> Result<(), Error> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                give_way(self.jitter(attempt)).await;
            }
            let stored = self.store.load(&key).await?;
            let Some((body, retain_until)) = plan(stored.as_deref().map(|record| &record.body)) else {
                return Ok(());
            };
            let record = Record { key, version: self.new_version(), retain_until, body };
            let expected = stored.map(|record| record.version);
            if let Committed::Done = self.swap(Arc::new(record), expected).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("the record changed under every attempt"))
    }

    /// Stores a record if none is there; `false` when one is.
    pub(crate) async fn insert(&self, record: Record) -> Result<bool, Error> {
        Ok(matches!(self.swap(Arc::new(record), None).await?, Committed::Done))
    }

    pub(crate) fn new_version(&self) -> Version {
        Version::generate(&*self.random)
    }

    fn record(&self, key: Key, grant: Grant) -> Arc<Record> {
        let (version, retain_until) = (self.new_version(), grant.retain_until());
        Arc::new(Record { key, version, retain_until, body: Body::Grant(grant) })
    }

    /// The call is made before the future, so that the future need not hold what it was made with.
    fn swap(
        &self,
        record: Arc<Record>,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<Committed, Error>> + Send + '_ {
        let (key, version) = (record.key, record.version);
        let swapped = self.store.swap(record, expected);
        async move {
            match swapped.await {
                Ok(Swap::Swapped) => Ok(Committed::Done),
                Ok(Swap::Stale) => Ok(Committed::Stale),
                // The write may have arrived although its acknowledgement did not: the version tells.
                Err(error @ StoreError::Unknown(_)) => match self.store.load(&key).await? {
                    Some(stored) if stored.version == version => Ok(Committed::Done),
                    _ => Err(error.into()),
                },
                Err(error) => Err(error.into()),
            }
        }
    }

    fn jitter(&self, attempt: u32) -> u32 {
        u32::from(random_array::<1>(&*self.random)[0]) % (attempt + 1)
    }
}

/// Ends a grant.
pub(super) struct Revoke(pub(super) RevokeReason);

impl Step for Revoke {
    type Outcome = ();

    fn plan(&self, grant: &Grant, now: Timestamp) -> Result<Plan<()>, Refusal> {
        Ok(grant.revoke(self.0, now))
    }

    fn happened(&self, (): &(), written: bool) -> Option<EventKind<'_>> {
        written.then_some(EventKind::GrantRevoked { reason: self.0 })
    }
}

/// Whether a grant would exceed what a record may hold.
pub(crate) fn is_too_large(grant: &Grant) -> bool {
    let texts = [grant.subject.as_deref(), grant.session.as_deref(), Some(grant.scope.as_str())];
    let details = grant.details.as_deref();
    let more = [
        details.and_then(|details| details.nonce.as_deref()),
        details.and_then(|details| details.authorization_details.as_deref()),
        details.and_then(|details| details.host_data.as_deref()),
    ];
    let resources = grant.resources.iter().map(|resource| resource.as_str().len()).sum::<usize>();
    let bytes: usize = texts.into_iter().chain(more).flatten().map(str::len).sum();
    // Every access token may repeat scope and resources once; the rest of a record is bounded by a few kilobytes.
    bytes + resources + 8 * 1024 > MAX_GRANT_BYTES
}

/// Lets other tasks run a number of times. Core has no timer; under contention a short pause of the task is enough.
async fn give_way(times: u32) {
    struct Yield(u32);

    impl Future for Yield {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if self.0 == 0 {
                return Poll::Ready(());
            }
            self.0 -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }

    Yield(times).await;
}
