//! Keeping the store small, and knowing whether it answers.

use super::Server;
use crate::error::Error;
use crate::storage::Purged;

impl Server {
    /// Deletes at most `limit` records that are not needed any more, and says whether more remain: one short batch, beside
    /// whatever else runs. `oauth_tower::purge` calls it on a schedule.
    ///
    /// Nothing depends on it but space: what is over is over by the times that its record holds. What this process remembers of
    /// clients past its time, it forgets as well.
    ///
    /// # Errors
    ///
    /// 503 when the store fails; some may have been deleted.
    pub async fn purge(&self, limit: usize) -> Result<Purged, Error> {
        let now = self.now();
        self.clients.sweep(now);
        self.key_sets.sweep(now);
        Ok(self.store.purge(now, limit).await?)
    }

    /// Whether the store answers, for a readiness probe: one load. The host puts its own timeout around it, and goes on serving
    /// while the answer is no: metadata and key set come from memory, and the store is asked anew by each request.
    ///
    /// # Errors
    ///
    /// 503 when the store fails.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.reload(self.now()).await?)
    }
}
