//! Counters, where the feature `metrics` is on.

use super::Cause;

#[cfg(feature = "metrics")]
pub(super) fn refused(cause: Cause, passed: bool) {
    let error = cause.error().unwrap_or("no_token");
    let passed = if passed { "true" } else { "false" };
    metrics::counter!("oauth_bearer_refused_total", "error" => error, "passed" => passed).increment(1);
}

#[cfg(feature = "metrics")]
pub(super) fn accepted() {
    metrics::counter!("oauth_bearer_accepted_total").increment(1);
}

#[cfg(all(feature = "metrics", feature = "jwt"))]
pub(super) fn keys_fetched(worked: bool) {
    let outcome = if worked { "ok" } else { "failed" };
    metrics::counter!("oauth_bearer_key_fetches_total", "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(super) fn refused(_: Cause, _: bool) {}

#[cfg(not(feature = "metrics"))]
pub(super) fn accepted() {}

#[cfg(all(not(feature = "metrics"), feature = "jwt"))]
pub(super) fn keys_fetched(_: bool) {}
