//! What is checked of settings that may not be anything.

use std::sync::Arc;
use std::time::Duration;

use super::{BuildError, ServerBuilder};
use crate::scope::Scope;
use crate::server::{ConsentPolicy, DeviceFlow, ScopeDescription};
use crate::token::GrantType;

impl ServerBuilder {
    pub(super) fn checked_grant_types(&mut self) -> Result<Vec<Arc<dyn GrantType>>, BuildError> {
        let grant_types = std::mem::take(&mut self.grant_types);
        for (at, own) in grant_types.iter().enumerate() {
            let built_in =
                ["authorization_code", "refresh_token", DeviceFlow::GRANT_TYPE].contains(&own.name());
            if built_in || grant_types[..at].iter().any(|other| other.name() == own.name()) {
                return Err(BuildError::DuplicateGrantType(own.name().to_owned()));
            }
        }
        Ok(grant_types)
    }

    pub(super) fn check_durations(&self) -> Result<(), BuildError> {
        let (second, zero) = (Duration::from_secs(1), Duration::ZERO);
        let (ten_minutes, day) = (Duration::from_secs(600), Duration::from_secs(24 * 3600));
        let ten_years = day * 3650;
        let config = &self.config;
        let remembered = match config.consent {
            ConsentPolicy::AlwaysAsk => zero,
            ConsentPolicy::Remember(keep) => keep,
        };
        let bounds = [
            ("code_lifetime", config.code_lifetime, second, ten_minutes),
            ("access_token_lifetime", config.access_lifetime, second, ten_years),
            ("refresh_token_idle", config.refresh_idle, second, ten_years),
            ("grant_lifetime", config.grant_lifetime, second, ten_years),
            ("retry_window", config.retry_window, zero, ten_minutes),
            ("code_replay_tolerance", config.code_replay_tolerance, zero, Duration::from_secs(10)),
            ("consent_page_lifetime", config.ticket_lifetime, second, day),
            ("consent", remembered, zero, ten_years),
            ("client_cache", self.client_cache, zero, Duration::from_secs(3600)),
            ("jwt_lifetime", self.jwt_lifetime, second, day),
            ("reload_every", self.reload_every, second, Duration::from_secs(60)),
        ];
        for (setting, given, min, max) in bounds {
            if given < min || given > max {
                return Err(BuildError::Duration { setting, given, min, max });
            }
        }
        if let Some(flow) = &self.device_flow {
            flow.check()?;
        }
        if (1..=64).contains(&config.max_access) { Ok(()) } else { Err(BuildError::MaxAccess) }
    }
}

pub(super) fn checked_scopes(scopes: Vec<(String, String)>) -> Result<Vec<ScopeDescription>, BuildError> {
    let check = |(token, description): (String, String)| match Scope::parse(&token) {
        Err(source) => Err(BuildError::Scope { token, source }),
        Ok(scope) if scope.len() != 1 => Err(BuildError::ScopeTokens(token)),
        Ok(_) => Ok(ScopeDescription { token: token.into(), description: description.into() }),
    };
    scopes.into_iter().map(check).collect()
}
