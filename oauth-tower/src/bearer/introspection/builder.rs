//! Putting an introspection verifier together.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use oauth_core::clock::{Clock, SystemClock};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::RemoteIssuerError;
use super::super::verdicts::Verdicts;
use super::answer::Expected;
use super::{Inner, IntrospectionVerifier};
use crate::http_client::{HttpClient, is_private};

/// How an [`IntrospectionVerifier`] asks. Made by [`IntrospectionVerifier::builder`].
#[must_use = "a builder does nothing until it is built"]
pub struct IntrospectionBuilder {
    endpoint: String,
    authorization: Option<HeaderValue>,
    expected: Expected,
    clock: Arc<dyn Clock>,
    entries: usize,
    good_for: Duration,
    bad_for: Duration,
    deadline: Duration,
    max_in_flight: usize,
    plain_http: bool,
}

impl IntrospectionBuilder {
    pub(super) fn new(issuer: String, endpoint: String) -> Self {
        Self {
            endpoint,
            authorization: None,
            expected: Expected::of(issuer),
            clock: Arc::new(SystemClock),
            entries: 4096,
            good_for: Duration::from_secs(30),
            bad_for: Duration::from_secs(5),
            deadline: Duration::from_millis(1500),
            max_in_flight: 256,
            plain_http: false,
        }
    }

    /// The credentials of this API as a client of the issuer, sent by HTTP Basic (RFC 6749 §2.3.1).
    pub fn credentials(mut self, client_id: &str, secret: &str) -> Self {
        const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');
        let [id, secret] = [client_id, secret].map(|part| utf8_percent_encode(part, FORM).to_string());
        let value = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        self.authorization = HeaderValue::try_from(value).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self
    }

    /// The name of this API, which must be among the token's audiences, compared byte for byte. Several calls add up; one of
    /// them is enough.
    ///
    /// # Security
    ///
    /// **Without it the audience is not looked at**, and tokens for other APIs of the issuer work here.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expected.audience.push(audience.into());
        self
    }

    /// Accepts tokens of which the answer does not say that they are access tokens.
    ///
    /// # Security
    ///
    /// An issuer that says nothing may say so of refresh tokens, too: ask it before using this.
    pub fn dangerous_accept_untyped(mut self) -> Self {
        self.expected.untyped = true;
        self
    }

    /// How many good tokens are remembered; default 4096, zero for none. A quarter as many bad ones are.
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// For how long a good token is not asked about again; default 30 s. A revocation is noticed after at most so long.
    pub fn cache_for(mut self, good_for: Duration) -> Self {
        self.good_for = good_for;
        self
    }

    /// For how long a bad token is not asked about again; default 5 s.
    pub fn cache_refusals_for(mut self, bad_for: Duration) -> Self {
        self.bad_for = bad_for;
        self
    }

    /// How long the issuer may take; default 1.5 s. The layer has a [deadline](super::super::BearerLayer::deadline) of its own.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many questions may be open at one time; default 256. Further ones are answered with 503 at once.
    pub fn max_in_flight(mut self, questions: usize) -> Self {
        self.max_in_flight = questions;
        self
    }

    /// The clock; the machine's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Allows plain `http` to another machine.
    ///
    /// # Security
    ///
    /// Who listens on the way reads the tokens and the credentials, and may answer.
    pub fn dangerous_allow_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The verifier, which asks by this client.
    ///
    /// # Errors
    ///
    /// [`RemoteIssuerError::Insecure`] if the endpoint is not `https` and not on this machine.
    pub fn build(self, http: HttpClient) -> Result<IntrospectionVerifier, RemoteIssuerError> {
        let is_url = self.endpoint.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some());
        if !(is_private(&self.endpoint) || self.plain_http && is_url) {
            return Err(RemoteIssuerError::Insecure);
        }
        Ok(IntrospectionVerifier(Arc::new(Inner {
            endpoint: self.endpoint.into(),
            authorization: self.authorization,
            http,
            expected: self.expected,
            clock: self.clock,
            good: Verdicts::new(self.entries),
            bad: Verdicts::new(self.entries / 4),
            good_for: self.good_for,
            bad_for: self.bad_for,
            deadline: self.deadline,
            max_in_flight: self.max_in_flight,
            flights: Mutex::new(HashMap::new()),
        })))
    }
}

impl fmt::Debug for IntrospectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
