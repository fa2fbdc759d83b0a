//! How the suite opens and drives a storage engine.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};

use super::{Store, block_on};

/// One piece of work of a check.
pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A storage engine under test.
pub trait Backend: Send + Sync {
    /// What it opens.
    type Store: Store;

    /// A handle on new, empty storage that no other handle sees.
    fn fresh(&self) -> impl Future<Output = Self::Store> + Send;

    /// Another handle on the same storage, as another process would open it: with its own connections and caches.
    fn reopen(&self, store: &Self::Store) -> impl Future<Output = Self::Store> + Send;

    /// A handle on storage that cannot be reached, if the engine has such a state.
    fn unreachable(&self) -> impl Future<Output = Option<Self::Store>> + Send {
        std::future::ready(None)
    }

    /// Runs one task to its end on this thread. Called from several threads at once.
    ///
    /// An engine that needs a runtime runs it there: `self.runtime.block_on(task)`.
    fn block_on(&self, task: Task<'_>) {
        block_on(task);
    }
}

/// Runs a future on the backend and gives its output.
pub(super) fn drive<B: Backend, T: Send>(backend: &B, future: impl Future<Output = T> + Send) -> T {
    let output = Mutex::new(None);
    backend.block_on(Box::pin(async {
        let value = future.await;
        *output.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }));
    output
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .expect("Backend::block_on runs a task to its end")
}

/// Runs the futures on as many threads, all begun at once, and gives their outputs in order.
pub(super) fn on_threads<B: Backend, T: Send>(
    backend: &B,
    futures: Vec<impl Future<Output = T> + Send>,
) -> Vec<T> {
    let barrier = &Barrier::new(futures.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = futures
            .into_iter()
            .map(|future| {
                scope.spawn(move || {
                    barrier.wait();
                    drive(backend, future)
                })
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, T>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// Tells the other threads that a task has ended, also by a panic, so that none waits for it in vain.
pub(super) struct EndOf<'a>(pub(super) &'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
