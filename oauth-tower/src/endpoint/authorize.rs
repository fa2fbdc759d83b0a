//! The authorization endpoint (RFC 6749 §3.1): GET asks, POST answers the consent page, nothing else does anything.
//!
//! 1. A redirect is a 303, never kept, and sends no referrer.
//! 2. Every page, errors included, is neither framed nor kept; no script of another origin reads anything.
//! 3. HEAD is refused: it must not issue what a GET would.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use oauth_core::authorize::{AuthorizeError, ShowError, ShowKind};
use oauth_core::error::Error;
use oauth_core::metadata::Endpoint;
use oauth_core::params::Params;
use oauth_core::scope::Scope;
use oauth_core::server::{AUTHORIZE_PATH, Answer, AuthorizeStep, Server, SignIn};

use super::redirect::{finish_error, see_other};
use super::{ReadError, Refusal, check_form, read_body, refused_as, show_plain};
use crate::body::Body;
use crate::deadline::Deadline;
use crate::host::{Host, HostError, guard};

/// What the endpoint needs to answer.
#[derive(Clone, Debug)]
pub(crate) struct Authorize {
    pub(crate) server: Arc<Server>,
    pub(crate) host: Arc<dyn Host>,
    /// The endpoint's path as browsers see it.
    pub(crate) path: Arc<str>,
    pub(crate) deadline: Duration,
    pub(crate) body_limit: usize,
}

/// An error to show, and what its status is if not its kind's.
struct Failure(AuthorizeError, Option<StatusCode>);

impl<E: Into<AuthorizeError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into(), None)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Method => ShowKind::Method,
            Refusal::UriTooLong | Refusal::TooLarge => ShowKind::TooLong,
            Refusal::Deadline => return Self(refusal.error().into(), None),
            Refusal::MediaType(_) | Refusal::SlowBody | Refusal::BrokenBody => ShowKind::Malformed,
        };
        Self(ShowError::new(kind, refusal.error().reason()).into(), Some(refusal.status()))
    }
}

/// Answers every method but POST and OPTIONS.
pub(crate) async fn authorize(endpoint: Authorize, head: Parts) -> Response<Body> {
    if head.method != Method::GET {
        return endpoint.fail(&head, Refusal::Method.into()).await;
    }
    let answer = Deadline::new(endpoint.deadline).within(pin!(endpoint.ask(&head))).await;
    match answer.unwrap_or_else(|| Err(Refusal::Deadline.into())) {
        Ok(mut response) => {
            guard(&mut response);
            response
        }
        Err(failure) => endpoint.fail(&head, failure).await,
    }
}

/// Answers the POST of a consent page.
pub(crate) async fn decide<B: http_body::Body>(endpoint: Authorize, head: Parts, body: B) -> Response<Body> {
    match endpoint.take(&head, body).await {
        Ok(response) => response,
        Err(failure) => endpoint.fail(&head, failure).await,
    }
}

impl Authorize {
    async fn ask(&self, head: &Parts) -> Result<Response<Body>, Failure> {
        let login = self.host.login(head).await.map_err(|error| host_failed(&error))?;
        let authorization = self.server.authorize(head, login).await?;
        let mut response = match authorization.step {
            AuthorizeStep::Login(request) => self.host.sign_in(head, &self.here(request)).await,
            AuthorizeStep::Consent(pending) => self.host.consent(head, &pending, &self.path).await,
            AuthorizeStep::Issue(answer) => see_other(answer.location())?,
        };
        if let Some(cookie) = authorization.set_cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn take<B: http_body::Body>(&self, head: &Parts, body: B) -> Result<Response<Body>, Failure> {
        check_form(&head.headers).map_err(Refusal::MediaType)?;
        let mut deadline = Deadline::new(self.deadline);
        let body = match deadline.within(pin!(read_body(body, self.body_limit))).await {
            Some(Ok(body)) => body,
            Some(Err(ReadError::TooLarge)) => return Err(Refusal::TooLarge.into()),
            Some(Err(ReadError::Broken)) => return Err(Refusal::BrokenBody.into()),
            None => return Err(Refusal::SlowBody.into()),
        };
        let answer = deadline.within(pin!(self.answer(head, &body))).await.ok_or(Refusal::Deadline)??;
        Ok(see_other(answer.location())?)
    }

    async fn answer(&self, head: &Parts, body: &[u8]) -> Result<Answer, Failure> {
        let malformed = |why: &'static str| ShowError::new(ShowKind::Malformed, why);
        let form = Params::parse(body).map_err(|_| malformed("the form cannot be read"))?;
        let field = |name| form.one(name).map_err(|_| malformed("a field of the form is there twice"));
        let ticket = field("ticket")?.ok_or_else(|| malformed("the form has no ticket"))?;
        let approve = match field("decision")? {
            Some("approve") => true,
            Some("deny") => false,
            _ => return Err(malformed("the decision is neither approve nor deny").into()),
        };
        let login = self.host.login(head).await.map_err(|error| host_failed(&error))?;
        let decision = self.server.resume_pending(head, ticket, login).await?;
        if !approve {
            return Ok(decision.deny().await?);
        }
        let chosen = || {
            let parts = form.all("scope").collect::<Vec<_>>().join(" ");
            if parts.is_empty() { Ok(Scope::empty()) } else { Scope::parse(&parts) }
        };
        let scope = form.contains("scope").then(chosen).transpose();
        let scope = scope.map_err(|_| malformed("the chosen scope is malformed"))?;
        Ok(decision.accept(scope).await?)
    }

    /// The way back leads here also where the endpoint has a path of its own.
    fn here(&self, mut request: SignIn) -> SignIn {
        if let Some(query) = request
            .return_to
            .strip_prefix(self.server.issuer().path())
            .and_then(|rest| rest.strip_prefix(AUTHORIZE_PATH))
        {
            request.return_to = [&*self.path, query].concat();
        }
        request
    }

    async fn fail(&self, head: &Parts, Failure(error, status): Failure) -> Response<Body> {
        self.server.audit().refused(Endpoint::Authorize.as_str(), &error);
        let code = error.code();
        let show = match error {
            AuthorizeError::Redirect(redirect) => {
                match see_other(&redirect.location(self.server.issuer().as_str())) {
                    Ok(mut response) => {
                        refused_as(&mut response, code);
                        return response;
                    }
                    Err(_) => ShowError::new(ShowKind::Internal, "the redirect address is no header text"),
                }
            }
            AuthorizeError::Show(show) => show,
        };
        let page = Deadline::new(self.deadline).within(pin!(self.host.error(head, &show))).await;
        let mut response = page.unwrap_or_else(|| show_plain(&show));
        finish_error(&show, &mut response);
        guard(&mut response);
        refused_as(&mut response, code);
        if let Some(status) = status {
            *response.status_mut() = status;
        }
        if show.kind() == ShowKind::Method {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST, OPTIONS"));
        }
        response
    }
}

fn host_failed(error: &HostError) -> Error {
    Error::unavailable(format!("the host cannot say who is signed in: {error}"))
}
