//! Answers that nearly always are at hand.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An answer, or a box of what it still waits for. Awaiting what is at hand costs no state of its own in the future around it,
/// and what is rarely waited for takes no room there.
#[must_use = "it does nothing until it is awaited"]
pub(crate) enum Soon<'a, T> {
    Now(Option<T>),
    Later(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<'a, T> Soon<'a, T> {
    #[inline]
    pub(crate) fn now(answer: T) -> Self {
        Self::Now(Some(answer))
    }

    #[cold]
    pub(crate) fn later(answer: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(answer))
    }
}

/// Nothing in it refers to itself: the future that waits has a place of its own.
impl<T> Unpin for Soon<'_, T> {}

impl<T> Future for Soon<'_, T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut *self {
            Self::Now(answer) => Poll::Ready(answer.take().expect("polled after completion")),
            Self::Later(future) => future.as_mut().poll(cx),
        }
    }
}
