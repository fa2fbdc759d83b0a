//! The settings of registration.

use std::sync::Arc;
use std::time::Duration;

use super::{DEFAULT_TTL, RegistrationPolicy};
use crate::client::SecretHash;
use crate::server::BuildError;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Lets clients register themselves (RFC 7591); see
/// [`ServerBuilder::dynamic_registration`](crate::server::ServerBuilder::dynamic_registration).
///
/// Registered clients may have the described scopes, the registered resources, and the grant types for people:
/// `authorization_code`, `refresh_token` and, where it is on, the device flow. They never act for themselves, and everybody is
/// asked for consent.
///
/// ```
/// use oauth_core::client::{ClientSecret, SecretHash};
/// use oauth_core::server::DynamicRegistration;
///
/// let anybody = DynamicRegistration::open();
/// let token = ClientSecret::generate();
/// let who_has_the_token = DynamicRegistration::with_initial_access_token(SecretHash::of(&token));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DynamicRegistration {
    pub(super) initial_tokens: Vec<SecretHash>,
    pub(super) policy: Option<Arc<dyn RegistrationPolicy>>,
    pub(in crate::server) scope: Option<String>,
    pub(super) first_period: Duration,
    pub(super) ttl: Duration,
    pub(super) secret_lifetime: Option<Duration>,
}

impl DynamicRegistration {
    fn new() -> Self {
        Self {
            initial_tokens: Vec::new(),
            policy: None,
            scope: None,
            first_period: DAY,
            ttl: DEFAULT_TTL,
            secret_lifetime: None,
        }
    }

    /// Anybody may register. How often is limited by address
    /// ([`Rule::RegistrationAddress`](crate::limit::Rule::RegistrationAddress)).
    pub fn open() -> Self {
        Self::new()
    }

    /// Whoever presents the initial access token (RFC 7591 §3) may register. It works more than once, and each registration counts
    /// as those of [`DynamicRegistration::open`] do. More tokens are added by
    /// [`initial_access_token`](Self::initial_access_token).
    pub fn with_initial_access_token(token: SecretHash) -> Self {
        Self::new().initial_access_token(token)
    }

    /// Whoever the policy admits may register.
    pub fn with_policy(policy: impl RegistrationPolicy) -> Self {
        Self::new().policy(policy)
    }

    /// Takes this initial access token too, until it expires ([`SecretHash::until`]). As soon as there is one, a registration
    /// needs one.
    pub fn initial_access_token(mut self, token: SecretHash) -> Self {
        self.initial_tokens.push(token);
        self
    }

    /// Asks this policy, after the initial access token where one is needed.
    pub fn policy(mut self, policy: impl RegistrationPolicy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// All scope that registered clients may have, separated by spaces; without this, all that is described.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// How long a registration lasts that nobody has completed a sign-in with; default 24 hours, 1 minute to 90 days.
    pub fn first_period(mut self, period: Duration) -> Self {
        self.first_period = period;
        self
    }

    /// How long a registration lasts since its last use, which is a completed sign-in or an answered token request; default
    /// 90 days, 10 days to 10 years. It is written down as seldom as every tenth of that time, so that a registration may
    /// last for a tenth longer.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How long a client secret works; without this, as long as the registration. An update (RFC 7592 §2.2) gives a new one, and
    /// the old one works until its own end.
    pub fn secret_lifetime(mut self, lifetime: Duration) -> Self {
        self.secret_lifetime = Some(lifetime);
        self
    }
}

impl DynamicRegistration {
    pub(in crate::server) fn check(&self) -> Result<(), BuildError> {
        let ten_years = 3650 * DAY;
        let secret = self.secret_lifetime.unwrap_or(DAY);
        for (setting, given, min, max) in [
            ("dynamic_registration first_period", self.first_period, Duration::from_secs(60), 90 * DAY),
            ("dynamic_registration ttl", self.ttl, 10 * DAY, ten_years),
            ("dynamic_registration secret_lifetime", secret, Duration::from_secs(3600), ten_years),
        ] {
            if given < min || given > max {
                return Err(BuildError::Duration { setting, given, min, max });
            }
        }
        Ok(())
    }
}
