//! What is noted of each request for an endpoint: the span in which it is answered, and where the feature `metrics` is on a count.

use http::Response;
use tracing::Span;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::span::Entered;

use crate::body::Body;
use crate::endpoint::RefusedAs;

/// A request for one of the endpoints or pages. Its span is `oauth_request`; who asked, for which grant and with what outcome is
/// filled in as it becomes known.
pub(super) struct Observed {
    endpoint: &'static str,
    /// Boxed, since it moves with every answer; none where nobody listens.
    span: Option<Box<Span>>,
}

impl Observed {
    #[inline]
    pub(super) fn new(endpoint: &'static str) -> Self {
        let heard = LevelFilter::current() != LevelFilter::OFF;
        Self { endpoint, span: if heard { span(endpoint) } else { None } }
    }

    /// Enters the span, until the answer is dropped.
    #[inline]
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        self.span.as_deref().map(Span::enter)
    }

    /// Notes how it was answered.
    pub(super) fn answered(&self, response: &mut Response<Body>) {
        let outcome = response.extensions_mut().remove::<RefusedAs>().map_or("ok", RefusedAs::outcome);
        if let Some(span) = &self.span {
            span.record("outcome", outcome);
        }
        count(self.endpoint, outcome);
    }
}

#[cold]
fn span(endpoint: &'static str) -> Option<Box<Span>> {
    let span =
        tracing::info_span!("oauth_request", endpoint, client_id = Empty, grant_id = Empty, outcome = Empty);
    (!span.is_disabled()).then(|| Box::new(span))
}

#[cfg(feature = "metrics")]
fn count(endpoint: &'static str, outcome: &'static str) {
    metrics::counter!("oauth_requests_total", "endpoint" => endpoint, "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str, _: &'static str) {}
