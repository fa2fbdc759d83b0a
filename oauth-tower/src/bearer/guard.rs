//! What the layer, the scope checks and the extractors share: realm and writer of refusals.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Extensions, HeaderMap, Response};
use oauth_core::server::AccessToken;

use super::refusal::Denial;
use super::scope::RequiredTokens;
use super::{Cause, Refusal, Rfc6750, WriteRefusal};
use crate::body::Body;

/// How requests are refused. In a request's extensions it says that a [`BearerLayer`](super::BearerLayer) was passed.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) realm: Cow<'static, str>,
    pub(super) writer: Arc<dyn WriteRefusal>,
    /// Whether it differs from the default, which need not travel with the request.
    pub(super) custom: bool,
}

impl Default for Guard {
    fn default() -> Self {
        // RFC 6750 §3 wants at least one parameter after the scheme.
        Self { realm: Cow::Borrowed("api"), writer: Arc::new(Rfc6750), custom: false }
    }
}

impl Guard {
    /// Reports the refusal and writes it.
    pub(super) fn refuse(&self, denial: &Denial, scope: &str, request: &HeaderMap) -> Response<Body> {
        report(denial);
        let Denial { cause, retry_after, .. } = *denial;
        self.writer.write(&Refusal { cause, realm: &self.realm, scope, retry_after }, request)
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

pub(super) fn check_scope(token: &AccessToken, required: &RequiredTokens) -> Result<(), Denial> {
    if required.are_in(&token.scope) {
        return Ok(());
    }
    Err(Denial::of(Cause::InsufficientScope, "the token's scope is too small", token))
}

/// Refuses in the name of the layer further out, if there is one.
pub(super) fn refuse_inside(
    denial: &Denial,
    scope: &str,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Response<Body> {
    match extensions.get::<Arc<Guard>>() {
        Some(guard) => guard.refuse(denial, scope, headers),
        None => Guard::default().refuse(denial, scope, headers),
    }
}

fn report(denial: &Denial) {
    let error = denial.cause.error().unwrap_or("no_token");
    let reason = tracing::field::display(denial.reason.escape_debug());
    let client_id = denial.client_id.as_deref().map(|id| tracing::field::display(id.escape_debug()));
    match denial.cause {
        Cause::LayerMissing => tracing::error!(error, reason, client_id, "bearer_refused"),
        Cause::Unavailable => tracing::warn!(error, reason, client_id, "bearer_refused"),
        _ if denial.alarming => tracing::warn!(error, reason, client_id, "bearer_refused"),
        _ => tracing::info!(error, reason, client_id, "bearer_refused"),
    }
}
