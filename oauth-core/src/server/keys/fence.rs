//! The fence around everything that the issuer has issued.

use crate::audit::EventKind;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::grant::{Grant, Refusal};
use crate::server::{Concerned, Server};

impl Server {
    /// The issuer's fence: what began at or before it does not count. For records of the host's pages; it is as fresh as
    /// every other answer of this server.
    ///
    /// # Errors
    ///
    /// 503 when the server has not been able to look for too long.
    pub async fn fence(&self) -> Result<Option<Timestamp>, Error> {
        self.catch_up(self.now()).await?;
        Ok(self.live.fence())
    }

    /// Whether the grant is behind the fence.
    pub(in crate::server) fn check_fence(&self, grant: &Grant) -> Result<(), Refusal> {
        if self.live.is_fenced(grant.created_at) { Err(Refusal::Revoked) } else { Ok(()) }
    }

    /// Raises it in the store, then here.
    pub(in crate::server) async fn raise_issuer_fence(&self, at: Timestamp) -> Result<Timestamp, Error> {
        let mut raised = at;
        self.change_keys(|keys| {
            raised = keys.not_before.map_or(at, |before| before.max(at));
            let changed = keys.not_before != Some(raised);
            keys.not_before = Some(raised);
            Ok(changed)
        })
        .await?;
        self.live.raise(raised);
        let fence = EventKind::FenceRaised { around: None, not_before: raised };
        self.tell(Concerned::default(), fence);
        Ok(raised)
    }
}
