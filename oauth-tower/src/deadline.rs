//! The time that one request may take.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};

/// A limit that begins to count when something has to be waited for: what is at hand needs no timer, and no runtime.
///
/// Outside of a tokio runtime there is no timer to ask, and so no limit.
pub(crate) struct Deadline {
    limit: Duration,
    timer: Timer,
}

enum Timer {
    Unarmed,
    Armed(Pin<Box<Sleep>>),
    None,
}

impl Deadline {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, timer: Timer::Unarmed }
    }

    /// What the future answers; `None` when the time is over.
    ///
    /// It takes a pinned future: an `async fn` keeps what it is given twice.
    pub(crate) async fn within<F: Future + ?Sized>(&mut self, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| self.poll_within(cx, future.as_mut())).await
    }

    /// As [`Deadline::within`], for futures that are written by hand.
    pub(crate) fn poll_within<F: Future + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        future: Pin<&mut F>,
    ) -> Poll<Option<F::Output>> {
        if let Poll::Ready(output) = future.poll(cx) {
            return Poll::Ready(Some(output));
        }
        if let Timer::Unarmed = self.timer {
            self.timer = match Handle::try_current() {
                Ok(_) => Timer::Armed(Box::pin(sleep(self.limit))),
                Err(_) => Timer::None,
            };
        }
        match &mut self.timer {
            Timer::Armed(sleep) => sleep.as_mut().poll(cx).map(|()| None),
            Timer::Unarmed | Timer::None => Poll::Pending,
        }
    }
}
