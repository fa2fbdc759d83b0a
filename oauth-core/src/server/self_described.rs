//! Clients that describe themselves: what they may have, and who may say no.

use std::fmt;
use std::time::Duration;

use crate::client::Client;

/// Says which clients are trusted enough to be looked at.
///
/// # Security
///
/// Every method is asked before anything is stored for the client, and again for each new version of what it says.
pub trait TrustPolicy: fmt::Debug + Send + Sync + 'static {
    /// Whether a document may be fetched from this host for this client identifier.
    fn may_fetch(&self, client_id: &str, host: &str) -> bool;

    /// Whether what the client says about itself is acceptable, such as the hosts of its redirect URIs.
    fn accepts(&self, client: &Client) -> bool;
}

/// Client identifiers that are the URLs of metadata documents (draft-ietf-oauth-client-id-metadata-document).
///
/// A document is fetched when its client first appears and then as often as its HTTP headers say, within bounds. While its host
/// cannot be reached the last good one counts; for clients that somebody uses it is kept in the store.
#[derive(Debug)]
#[must_use]
pub struct ClientIdMetadataDocuments {
    pub(super) policy: Option<Box<dyn TrustPolicy>>,
    pub(super) fresh_min: Duration,
    pub(super) fresh_max: Duration,
    pub(super) fresh_default: Duration,
    pub(super) stale: Duration,
    pub(super) loopback: bool,
}

impl Default for ClientIdMetadataDocuments {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            policy: None,
            fresh_min: Duration::from_secs(300),
            fresh_max: 24 * HOUR,
            fresh_default: HOUR,
            stale: 7 * 24 * HOUR,
            loopback: false,
        }
    }
}

impl ClientIdMetadataDocuments {
    /// Any host, cached for 5 minutes to a day (an hour where its headers do not say), and for 7 days while the host is down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this policy.
    pub fn policy(mut self, policy: impl TrustPolicy) -> Self {
        self.policy = Some(Box::new(policy));
        self
    }

    /// How long a document counts at least and at most, whatever its headers say.
    pub fn fresh(mut self, min: Duration, max: Duration) -> Self {
        (self.fresh_min, self.fresh_max) = (min, max.max(min));
        self.fresh_default = self.fresh_default.clamp(self.fresh_min, self.fresh_max);
        self
    }

    /// How long the last good document counts while its host cannot be reached.
    pub fn stale(mut self, stale: Duration) -> Self {
        self.stale = stale;
        self
    }

    /// Takes `http` and loopback URLs too, as long as the issuer is on loopback itself. The fetcher has a switch of its own.
    ///
    /// # Security
    ///
    /// For development only.
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }
}
