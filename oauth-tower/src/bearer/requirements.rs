//! What a route asks of a verified token.

use std::time::Duration;

use oauth_core::clock::{Clock, Timestamp};
use oauth_core::server::AccessToken;

use super::Cause;
use super::refusal::Denial;
use super::scope::RequiredTokens;

/// Scope tokens, and how and when the resource owner must have authenticated (RFC 9470).
#[derive(Clone, Debug, Default)]
pub(super) struct Requirements {
    pub(super) tokens: RequiredTokens,
    /// Context classes of which one will do, separated by spaces; with none of them nothing will. Absent if any will.
    acr_values: Option<String>,
    max_age: Option<Duration>,
}

impl Requirements {
    pub(super) fn one_acr_of(&mut self, acr_values: &str) {
        self.acr_values = Some(acr_values.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    }

    /// The shortest of several counts.
    pub(super) fn no_older_than(&mut self, max_age: Duration) {
        self.max_age = Some(self.max_age.map_or(max_age, |earlier| earlier.min(max_age)));
    }

    pub(super) fn acr_values(&self) -> &str {
        self.acr_values.as_deref().unwrap_or_default()
    }

    pub(super) fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// These and those of an outer layer.
    pub(super) fn with(&self, more: &RequiredTokens) -> Self {
        let mut both = self.clone();
        both.tokens.add(more);
        both
    }

    /// Whether a verified token is enough. The authentication comes first, since its challenge names the scope as well.
    pub(super) fn check(&self, token: &AccessToken, clock: &dyn Clock) -> Result<(), Denial> {
        if self.max_age.is_some() || self.acr_values.is_some() {
            self.check_authentication(token, clock.now())
                .map_err(|why| Denial::of(Cause::InsufficientAuthentication, why, token))?;
        }
        if self.tokens.are_in(&token.scope) {
            return Ok(());
        }
        Err(Denial::of(Cause::InsufficientScope, "the token's scope is too small", token))
    }

    fn check_authentication(&self, token: &AccessToken, now: Timestamp) -> Result<(), &'static str> {
        let Some(authentication) = &token.authentication else {
            return Err("the token does not say how the resource owner authenticated");
        };
        let acr = authentication.acr().map_or("", |acr| acr);
        let one_of = |values: &String| values.split_ascii_whitespace().any(|value| value == acr);
        if self.acr_values.as_ref().is_some_and(|values| !one_of(values)) {
            return Err("the resource owner did not authenticate in a way that is enough here");
        }
        if self.max_age.is_some_and(|max_age| now.since(authentication.time) > max_age) {
            return Err("the resource owner authenticated too long ago");
        }
        Ok(())
    }
}
