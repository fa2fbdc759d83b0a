//! What the layer, the checks further inside and the extractors share: how a refusal is told, to the client and to the operator.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::{Extensions, HeaderMap, Response};
use oauth_core::clock::{Clock, SystemClock};
use oauth_core::server::AccessToken;

use super::count;
use super::refusal::Denial;
use super::requirements::Requirements;
use super::{Cause, Refusal, RefusalSink, Refused, Rfc6750, WriteRefusal, widen};
use crate::body::Body;

/// How requests are refused. In a request's extensions it says that a [`BearerLayer`](super::BearerLayer) was passed.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) realm: Cow<'static, str>,
    /// Where the metadata of the protected resource is (RFC 9728 §5.1).
    pub(super) resource_metadata: Option<Arc<str>>,
    pub(super) writer: Arc<dyn WriteRefusal>,
    pub(super) sink: Option<Arc<dyn RefusalSink>>,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether refusals are reported only.
    pub(super) observe: bool,
    /// Whether it differs from the default, which need not travel with the request.
    pub(super) custom: bool,
}

impl Default for Guard {
    fn default() -> Self {
        // RFC 6750 §3 wants at least one parameter after the scheme.
        Self {
            realm: Cow::Borrowed("api"),
            resource_metadata: None,
            writer: Arc::new(Rfc6750),
            sink: None,
            clock: Arc::new(SystemClock),
            observe: false,
            custom: false,
        }
    }
}

impl Guard {
    /// Reports the refusal and writes it.
    pub(super) fn refuse(
        &self,
        denial: &Denial,
        required: &Requirements,
        request: &HeaderMap,
    ) -> Response<Body> {
        let refusal = self.report(denial, required, false);
        let mut response = self.writer.write(&refusal, request);
        widen::note(&mut response, refusal.scope);
        response
    }

    /// Reports the refusal. `passed` says that the request passes nevertheless.
    pub(super) fn report<'a>(
        &'a self,
        denial: &Denial,
        required: &'a Requirements,
        passed: bool,
    ) -> Refusal<'a> {
        trace(denial, passed);
        count::refused(denial.cause, passed);
        if let Some(sink) = &self.sink {
            let event = Refused {
                cause: denial.cause,
                reason: &denial.reason,
                client_id: denial.client_id.as_deref(),
                subject: denial.subject.as_deref(),
                grant_id: denial.grant_id,
                at: self.clock.now(),
                passed,
            };
            // As for the server's own sink: an answer must not be lost over it.
            if catch_unwind(AssertUnwindSafe(|| sink.refused(&event))).is_err() {
                tracing::error!("refusal_sink_panicked");
            }
        }
        Refusal {
            cause: denial.cause,
            realm: &self.realm,
            scope: required.tokens.needed(),
            resource_metadata: self.resource_metadata.as_deref(),
            acr_values: required.acr_values(),
            max_age: required.max_age(),
            retry_after: denial.retry_after,
        }
    }
}

/// The token that a layer further out has verified.
pub(super) fn verified(extensions: &Extensions) -> Result<&Arc<AccessToken>, Denial> {
    match extensions.get::<Arc<AccessToken>>() {
        Some(token) => Ok(token),
        None if extensions.get::<Arc<Guard>>().is_some() => {
            Err(Denial::new(Cause::NoToken, "the layer let the request pass without a token"))
        }
        None => Err(Denial::new(Cause::LayerMissing, "no BearerLayer is in front of the route: add one")),
    }
}

/// Whether a token that a layer further out has verified is enough further inside.
pub(super) fn check<'e>(
    extensions: &'e Extensions,
    required: &Requirements,
) -> Result<&'e Arc<AccessToken>, Denial> {
    let token = verified(extensions)?;
    let clock = extensions.get::<Arc<Guard>>().map_or(&SystemClock as &dyn Clock, |guard| &*guard.clock);
    required.check(token, clock)?;
    Ok(token)
}

/// The guard of the layer further out, if there is one.
pub(super) fn guard(extensions: &Extensions) -> Arc<Guard> {
    extensions.get::<Arc<Guard>>().cloned().unwrap_or_default()
}

fn trace(denial: &Denial, passed: bool) {
    let error = denial.cause.error().unwrap_or("no_token");
    let reason = tracing::field::display(denial.reason.escape_debug());
    let client_id = denial.client_id.as_deref().map(|id| tracing::field::display(id.escape_debug()));
    let grant_id = denial.grant_id.map(tracing::field::display);
    let passed = passed.then_some(true);
    match denial.cause {
        Cause::LayerMissing => tracing::error!(error, reason, client_id, grant_id, passed, "bearer_refused"),
        Cause::Unavailable => tracing::warn!(error, reason, client_id, grant_id, passed, "bearer_refused"),
        _ if denial.alarming => tracing::warn!(error, reason, client_id, grant_id, passed, "bearer_refused"),
        _ => tracing::info!(error, reason, client_id, grant_id, passed, "bearer_refused"),
    }
}
