//! Registration of clients (RFC 7591), and what each client has registered (RFC 7592).
//!
//! 1. Bodies are JSON both ways, errors too: clients that register read nothing else.
//! 2. Every answer is `no-store`: there are secrets in it.
//! 3. Each registration counts under [`Rule::RegistrationAddress`], whether it succeeds or not. Of what is done with a
//!    registration access token, failures count as those of other credentials do.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::limit::{LimitBy, Rule};
use oauth_core::metadata::Endpoint;
use oauth_core::server::{Registrations, Server};

use super::json::json_bytes;
use super::refuse::refuse;
use super::{ReadError, Refusal, read_body};
use crate::body::Body;
use crate::cors;
use crate::deadline::Deadline;

/// A request for registration, or for one client's.
pub(crate) struct Registering {
    pub(crate) server: Arc<Server>,
    /// The endpoint's path below the issuer.
    pub(crate) path: Box<str>,
    /// The client whose registration it is about.
    pub(crate) client_id: Option<Box<str>>,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) address: Option<IpAddr>,
}

/// Reads the body and answers.
pub(crate) async fn register<B: http_body::Body + Send>(
    request: Registering,
    body: B,
    deadline: Duration,
    limit: usize,
) -> Response<Body>
where
    B::Data: Send,
{
    let mut deadline = Deadline::new(deadline);
    let refused = |refusal: Refusal| {
        refuse(&request.server, Endpoint::Register, &refusal.error(), Some(refusal.status()))
    };
    let body = match deadline.within(pin!(read_body(body, limit))).await {
        Some(Ok(body)) => body,
        Some(Err(ReadError::TooLarge)) => return refused(Refusal::TooLarge),
        Some(Err(ReadError::Broken)) => return refused(Refusal::BrokenBody),
        None => return refused(Refusal::SlowBody),
    };
    match deadline.within(pin!(request.answer(&body))).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => request.refuse(&error),
        None => refused(Refusal::Deadline),
    }
}

impl Registering {
    async fn answer(&self, body: &[u8]) -> Result<Response<Body>, Error> {
        let registrations = self.server.registrations(&self.path);
        let registrations = registrations.ok_or_else(|| Error::invalid_request("registration is off"))?;
        let Some(client_id) = &self.client_id else {
            if let Some(address) = self.address {
                let counted = [(Rule::RegistrationAddress, LimitBy::Address(address))];
                self.server.limits().take(&counted).await?;
            }
            let registered = registrations.register(&self.headers, body, self.address).await?;
            return Ok(answered(StatusCode::CREATED, registered.to_json()));
        };
        let Some(address) = self.address else { return self.manage(&registrations, client_id, body).await };
        let counted = [(Rule::FailedToken, LimitBy::Address(address))];
        self.server.limits().ask(&counted).await?;
        let answer = self.manage(&registrations, client_id, body).await;
        if answer.as_ref().is_err_and(|error| error.code() == ErrorCode::InvalidToken) {
            // Whether it was the last that is allowed shows at the next request.
            let _ = self.server.limits().take(&counted).await;
        }
        answer
    }

    async fn manage(
        &self,
        registrations: &Registrations<'_>,
        client_id: &str,
        body: &[u8],
    ) -> Result<Response<Body>, Error> {
        let headers = &self.headers;
        Ok(match self.method {
            Method::PUT => {
                let updated = registrations.update(headers, client_id, body, self.address).await?;
                answered(StatusCode::OK, updated.to_json())
            }
            Method::DELETE => {
                registrations.delete(headers, client_id).await?;
                let mut response = answered(StatusCode::NO_CONTENT, Vec::new());
                response.headers_mut().remove(header::CONTENT_TYPE);
                response
            }
            _ => answered(StatusCode::OK, registrations.read(headers, client_id).await?.to_json()),
        })
    }

    /// The token is asked for where it is missing, and said to be wrong where it is (RFC 6750 §3).
    fn refuse(&self, error: &Error) -> Response<Body> {
        let mut response = refuse(&self.server, Endpoint::Register, error, None);
        if error.code() == ErrorCode::InvalidToken {
            let challenge = match self.headers.contains_key(header::AUTHORIZATION) {
                true => "Bearer error=\"invalid_token\"",
                false => "Bearer",
            };
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

fn answered(status: StatusCode, json: Vec<u8>) -> Response<Body> {
    let mut response = json_bytes(status, json.into());
    cors::open(response.headers_mut());
    response
}
