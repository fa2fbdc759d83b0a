//! Deletes what the store does not need any more, on a schedule.
//!
//! 1. Each round deletes in batches of 1000 records until nothing is left, and lets other tasks run between them.
//! 2. The first round begins after a random part of the interval, the others up to a tenth earlier or later, so that replicas
//!    do not purge at the same time. That they do all the same costs time and nothing else.
//! 3. A store that fails or hangs is named at level `WARN`; the next round tries again.

use std::sync::Arc;
use std::time::Duration;

use oauth_core::error::Error;
use oauth_core::secret::random_array;
use oauth_core::server::Server;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

/// How many records one batch deletes at most.
const BATCH: usize = 1000;

/// For how long one batch is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A purge that runs until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the purge"]
pub struct PurgeTask(JoinHandle<()>);

impl Drop for PurgeTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Purges the server's store every so often, at least a second apart, until the answer is dropped. A batch that is under way
/// then is given up; each is safe to give up.
///
/// # Panics
///
/// Outside of a tokio runtime with a timer.
pub fn spawn(server: Arc<Server>, every: Duration) -> PurgeTask {
    let every = every.max(Duration::from_secs(1));
    PurgeTask(tokio::spawn(async move {
        sleep(every.mul_f64(part(&server))).await;
        loop {
            if let Err(error) = round(&server).await {
                tracing::warn!(reason = error.reason(), "purge_failed");
            }
            sleep(every.mul_f64(0.9 + part(&server) / 5.0)).await;
        }
    }))
}

async fn round(server: &Server) -> Result<(), Error> {
    let mut deleted = 0;
    loop {
        let batch = timeout(PATIENCE, server.purge(BATCH)).await;
        let batch = batch.map_err(|_| Error::unavailable("the store did not answer in time"))??;
        deleted += batch.deleted;
        // A store that deletes nothing and says that more remains would keep the round for ever.
        if !batch.more || batch.deleted == 0 {
            break;
        }
        yield_now().await;
    }
    tracing::debug!(deleted, "purged");
    Ok(())
}

/// A random number from 0 to 1.
fn part(server: &Server) -> f64 {
    f64::from(u16::from_be_bytes(random_array(server.random()))) / f64::from(u16::MAX)
}
