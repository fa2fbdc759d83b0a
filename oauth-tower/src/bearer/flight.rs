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

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Begins the work in a task of its own; none outside of a tokio runtime.
    pub(super) fn begin(work: impl Future<Output = T> + Send + 'static) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let (sender, receiver) = watch::channel(None);
        runtime.spawn(async move {
            let output = work.await;
            sender.send_replace(Some(output));
        });
        Some(Self(receiver))
    }

    /// What came of it; none if the work panicked or its runtime ended.
    pub(super) async fn land(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}
