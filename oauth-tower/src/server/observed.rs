//! What is noted of each request for an endpoint: the span in which it is answered, and where the feature `metrics` is on a count.

use http::Response;
use tracing::Span;
use tracing::field::Empty;

use crate::body::Body;
use crate::endpoint::RefusedAs;

/// A request for one of the endpoints or pages. Its span is `oauth_request`; who asked, for which grant and with what outcome is
/// filled in as it becomes known.
pub(super) struct Observed {
    endpoint: &'static str,
    pub(super) span: Span,
}

impl Observed {
    pub(super) fn new(endpoint: &'static str) -> Self {
        let span = tracing::info_span!(
            "oauth_request",
            endpoint,
            client_id = Empty,
            grant_id = Empty,
            outcome = Empty
        );
        Self { endpoint, span }
    }

    /// Notes how it was answered.
    pub(super) fn answered(&self, response: &mut Response<Body>) {
        let outcome = response.extensions_mut().remove::<RefusedAs>().map_or("ok", RefusedAs::outcome);
        if !self.span.is_disabled() {
            self.span.record("outcome", outcome);
        }
        count(self.endpoint, outcome);
    }
}

#[cfg(feature = "metrics")]
fn count(endpoint: &'static str, outcome: &'static str) {
    metrics::counter!("oauth_requests_total", "endpoint" => endpoint, "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str, _: &'static str) {}
