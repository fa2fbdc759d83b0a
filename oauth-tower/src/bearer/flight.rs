//! Work that many wait for and that is done once.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::sync::watch;

/// Waits for work that goes on even when nobody waits any more.
pub(super) struct Flight<T>(watch::Receiver<Option<T>>);

impl<T> Clone for Flight<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Work that can be waited for already, and has not begun.
pub(super) struct Takeoff<T> {
    runtime: Handle,
    sender: watch::Sender<Option<T>>,
}

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Prepares work; none outside of a tokio runtime.
    pub(super) fn prepare() -> Option<(Takeoff<T>, Self)> {
        let runtime = Handle::try_current().ok()?;
        let (sender, receiver) = watch::channel(None);
        Some((Takeoff { runtime, sender }, Self(receiver)))
    }

    /// What came of it; none if the work panicked or its runtime ended.
    pub(super) async fn land(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl<T: Send + Sync + 'static> Takeoff<T> {
    /// Begins the work in a task of its own.
    ///
    /// A runtime that is shutting down drops it here and now: whoever calls must hold no lock that the end of the work takes.
    pub(super) fn begin(self, work: impl Future<Output = T> + Send + 'static) {
        let Self { runtime, sender } = self;
        runtime.spawn(async move {
            let output = work.await;
            sender.send_replace(Some(output));
        });
    }
}
