//! How long a registration lasts.

use std::time::Duration;

use super::DEFAULT_TTL;
use crate::client::{Client, Origin, client_key};
use crate::clock::Timestamp;
use crate::server::Server;
use crate::server::pending::CLOCK_SKEW;
use crate::storage::Body;

/// Until when the record of a client is kept: for ever, unless the client registered itself.
pub(in crate::server) fn retained(client: &Client) -> Timestamp {
    client.origin().registration().map_or(Timestamp::MAX, |own| own.expires_at + CLOCK_SKEW)
}

/// Until when a registration lasts that is used now, if that is to be written down: when less than all its time is left. What is
/// written is a tenth more, so that it is not written again for so long.
fn extended(expires_at: Timestamp, now: Timestamp, ttl: Duration) -> Option<Timestamp> {
    (expires_at < now + ttl).then(|| now + ttl + ttl / 10)
}

impl Server {
    /// Notes that a client is used. A failure is no harm yet, so it is only reported.
    pub(in crate::server) async fn note_use(&self, client: &Client, now: Timestamp) {
        // Those that have registered stay when nobody else may any more.
        let ttl = self.registrar.as_ref().map_or(DEFAULT_TTL, |own| own.settings.ttl);
        let Some(own) = client.origin().registration() else { return };
        if extended(own.expires_at, now, ttl).is_none() {
            return;
        }
        let token = own.token;
        let noted = self
            .update(client_key(self.issuer.as_str(), client.id()), |stored| {
                let Some(Body::Client(stored)) = stored else { return None };
                let own = stored.origin().registration()?;
                // What has run out, or was deleted, does not come back.
                if own.token != token || stored.is_disabled() || own.expires_at <= now {
                    return None;
                }
                let expires_at = extended(own.expires_at, now, ttl)?;
                let mut next = (**stored).clone();
                if let Origin::Registration(own) = &mut next.origin {
                    own.expires_at = expires_at;
                }
                let retain_until = retained(&next);
                Some((Body::Client(Box::new(next)), retain_until))
            })
            .await;
        match noted {
            Ok(()) => self.clients.forget(client.id()),
            Err(error) => {
                tracing::warn!(client_id = client.id(), reason = error.reason(), "client_use_not_noted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_written_down_at_most_once_in_a_tenth_of_the_time() {
        let (day, start) = (Duration::from_secs(24 * 3600), Timestamp::from_secs(1_800_000_000));
        let ttl = 90 * day;
        let mut expires_at = start + day;
        let mut writes = 0;
        for hour in 0..24 * 90 {
            let now = start + Duration::from_secs(3600) * hour;
            if let Some(next) = extended(expires_at, now, ttl) {
                (expires_at, writes) = (next, writes + 1);
            }
            assert!(expires_at >= now + ttl, "it lasts for all its time since each use");
            assert!(expires_at <= now + ttl + ttl / 10);
        }
        assert!((9..=11).contains(&writes), "{writes}");
    }
}
