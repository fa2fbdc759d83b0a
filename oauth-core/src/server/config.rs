//! The server's settings, with their defaults.

use std::sync::Arc;
use std::time::Duration;

use crate::grant::MAX_ACCESS;

/// Whether consent is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentPolicy {
    /// Ask each time.
    AlwaysAsk,
    /// Do not ask again for what was allowed, for this long.
    Remember(Duration),
}

/// What a scope token means, in words for the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeDescription {
    /// The token.
    pub token: Arc<str>,
    /// What it allows, as the end of the sentence "This will allow it to …".
    pub description: Arc<str>,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) code_lifetime: Duration,
    pub(crate) access_lifetime: Duration,
    pub(crate) refresh_idle: Duration,
    pub(crate) grant_lifetime: Duration,
    pub(crate) retry_window: Duration,
    pub(crate) max_retry_streak: Option<u16>,
    pub(crate) code_replay_tolerance: Duration,
    pub(crate) max_access: usize,
    pub(crate) ticket_lifetime: Duration,
    pub(crate) consent: ConsentPolicy,
    pub(crate) random_ids: bool,
    pub(crate) scopes: Vec<ScopeDescription>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            code_lifetime: MINUTE,
            access_lifetime: 60 * MINUTE,
            refresh_idle: 30 * DAY,
            grant_lifetime: 90 * DAY,
            retry_window: MINUTE,
            max_retry_streak: None,
            code_replay_tolerance: Duration::ZERO,
            max_access: MAX_ACCESS,
            ticket_lifetime: 15 * MINUTE,
            consent: ConsentPolicy::Remember(90 * DAY),
            random_ids: false,
            scopes: Vec::new(),
        }
    }
}
