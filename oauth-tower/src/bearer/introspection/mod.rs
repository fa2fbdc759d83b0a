//! Asking the issuer what a token is good for (RFC 7662), and remembering the answer for a moment.

mod answer;
mod builder;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Request, StatusCode, header};
use oauth_core::clock::Clock;
use oauth_core::error::Error;
use oauth_core::server::{AccessToken, VerifyError};

pub use builder::IntrospectionBuilder;

use super::flight::Flight;
use super::verdicts::Verdicts;
use super::{RemoteVerification, Verification, Verifier};
use crate::body::Body;
use crate::http_client::HttpClient;
use answer::Expected;

type Verdict = Result<Arc<AccessToken>, VerifyError>;

/// Verifies tokens at the introspection endpoint of their issuer.
///
/// 1. A token that is good is asked about once in a while ([`cache_for`](IntrospectionBuilder::cache_for)), and never
///    remembered longer than until its `exp`; one that is not good is remembered for a shorter while, apart from the good.
/// 2. Requests with one token that come at one time share one question; how many questions are open is bounded.
/// 3. An issuer that fails, stalls, redirects, says too much or refuses our credentials is no reason to throw a token away: 503.
///
/// ```no_run
/// # #[cfg(feature = "http-client")] {
/// use oauth_tower::bearer::{BearerLayer, IntrospectionVerifier};
/// use oauth_tower::http_client::HttpClient;
///
/// let verifier = IntrospectionVerifier::builder("https://as.example", "https://as.example/introspect")
///     .credentials("notes-api", "the secret of notes-api")
///     .audience("https://notes.example")
///     .build(HttpClient::with_public_roots())
///     .expect("the addresses are https");
/// let layer = BearerLayer::new(verifier).require_scope("notes:read");
/// # }
/// ```
///
/// # Security
///
/// A revoked token works until what is remembered of it ends. Tokens and answers are kept in memory.
#[derive(Clone)]
pub struct IntrospectionVerifier(Arc<Inner>);

struct Inner {
    endpoint: Box<str>,
    authorization: Option<HeaderValue>,
    http: HttpClient,
    expected: Expected,
    clock: Arc<dyn Clock>,
    good: Verdicts<Arc<AccessToken>>,
    bad: Verdicts<&'static str>,
    good_for: Duration,
    bad_for: Duration,
    deadline: Duration,
    max_in_flight: usize,
    flights: Mutex<HashMap<Box<str>, Flight<Verdict>>>,
}

impl IntrospectionVerifier {
    /// A verifier for tokens of this issuer. Finish it with credentials and a client.
    pub fn builder(issuer: impl Into<String>, endpoint: impl Into<String>) -> IntrospectionBuilder {
        IntrospectionBuilder::new(issuer.into(), endpoint.into())
    }
}

impl Verifier for IntrospectionVerifier {
    type Future = RemoteVerification;

    fn verify_token(&self, token: &str) -> Verification<RemoteVerification> {
        let inner = &self.0;
        let now = inner.clock.now();
        if let Some(token) = inner.good.slot(token).get(now, 0) {
            return Verification::Now(Ok(token));
        }
        if let Some(reason) = inner.bad.slot(token).get(now, 0) {
            return Verification::Now(Err(VerifyError::Rejected(reason)));
        }
        match inner.flight(token) {
            Ok(flight) => Verification::Later(RemoteVerification::new(async move {
                let lost = || Err(unavailable("the question at the introspection endpoint was given up"));
                flight.land().await.unwrap_or_else(lost)
            })),
            Err(error) => Verification::Now(Err(error)),
        }
    }
}

impl Inner {
    /// The question about this token that is open, or a new one.
    fn flight(self: &Arc<Self>, token: &str) -> Result<Flight<Verdict>, VerifyError> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(token) {
            return Ok(flight.clone());
        }
        if flights.len() >= self.max_in_flight {
            return Err(unavailable("too many questions at the introspection endpoint are open"));
        }
        let prepared = Flight::prepare();
        let (takeoff, flight) = prepared.ok_or_else(|| unavailable("there is no tokio runtime to ask in"))?;
        flights.insert(token.into(), flight.clone());
        drop(flights);
        let landing = Landing { inner: self.clone(), token: token.into() };
        takeoff.begin(async move { landing.inner.ask(&landing.token).await });
        Ok(flight)
    }

    async fn ask(&self, token: &str) -> Verdict {
        let mut form = String::with_capacity(token.len() + 48);
        form.push_str("token_type_hint=access_token&token=");
        form.extend(percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC));
        let mut request = Request::post(&*self.endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Body::from(form)).or(Err(unavailable("the request cannot be written")))?;
        let asked = self.clock.now();
        let answer = self.http.exchange(request, self.deadline, answer::MAX_BYTES).await;
        let answer = answer.map_err(|why| unavailable(format!("introspection failed: {why}")))?;
        if answer.status != StatusCode::OK {
            let status = answer.status.as_u16();
            return Err(unavailable(format!("the introspection endpoint answered {status}")));
        }
        let now = self.clock.now();
        let verdict = self.expected.read(&answer.body, now);
        match &verdict {
            Ok(found) => {
                // The answer may be as old as the question: a revocation since then is not in it.
                let ends = (asked + self.good_for).min(found.expires_at);
                self.good.slot(token).insert(found.clone(), ends, 0, now);
            }
            Err(VerifyError::Rejected(reason)) => {
                self.bad.slot(token).insert(*reason, now + self.bad_for, 0, now);
            }
            Err(_) => {}
        }
        verdict
    }
}

/// Forgets the open question when it is answered, and also when answering panics.
struct Landing {
    inner: Arc<Inner>,
    token: Box<str>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.inner.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

fn unavailable(reason: impl Into<std::borrow::Cow<'static, str>>) -> VerifyError {
    VerifyError::Unavailable(Error::unavailable(reason))
}

impl fmt::Debug for IntrospectionVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionVerifier").field("endpoint", &self.0.endpoint).finish_non_exhaustive()
    }
}
