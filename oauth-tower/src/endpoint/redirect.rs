//! Answers of the authorization endpoint for the browser: a redirect to the client, or a page.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use oauth_core::authorize::{AuthorizeError, ShowError, ShowKind};
use oauth_core::metadata::Endpoint;
use oauth_core::server::{Answer, Server};

use super::error_page::ErrorView;
use super::page_headers::{content_security_policy, page_headers};
use super::refuse::seconds;
use crate::body::Body;

/// What a handler of the host's own sends to the browser after [`Decision::accept`](oauth_core::server::Decision::accept) or
/// [`deny`](oauth_core::server::Decision::deny): a redirect to the client, or a plain error page. An error is reported.
///
/// ```
/// # use std::sync::Arc;
/// # use oauth_core::{authorize::Login, server::Server};
/// # use oauth_tower::{body::Body, endpoint::authorize_response};
/// /// The POST of the app's own consent page.
/// async fn approved(server: Arc<Server>, head: http::request::Parts, ticket: &str, login: Login) -> http::Response<Body> {
///     let answer = async { server.resume_pending(&head, ticket, Some(login)).await?.accept(None).await };
///     authorize_response(&server, answer.await)
/// }
/// ```
#[must_use]
pub fn authorize_response(server: &Server, outcome: Result<Answer, AuthorizeError>) -> Response<Body> {
    let error = match outcome.and_then(|answer| see_other(answer.location())) {
        Ok(response) => return response,
        Err(error) => error,
    };
    server.audit().refused(Endpoint::Authorize.as_str(), &error);
    match error {
        AuthorizeError::Show(show) => show_plain(&show),
        AuthorizeError::Redirect(redirect) => see_other(&redirect.location(server.issuer().as_str()))
            .unwrap_or_else(|_| show_plain(&internal())),
    }
}

/// A page of the host's own with the headers that it must have; `set_cookie` is what
/// [`Authorization::set_cookie`](oauth_core::server::Authorization::set_cookie) says. The `Content-Security-Policy` allows
/// nothing but the text: set another one for styles.
#[must_use]
pub fn page_response(html: impl Into<Body>, set_cookie: Option<HeaderValue>) -> Response<Body> {
    page(StatusCode::OK, html.into(), page_headers(content_security_policy(None)), set_cookie)
}

pub(crate) fn page(
    status: StatusCode,
    html: Body,
    headers: HeaderMap,
    set_cookie: Option<HeaderValue>,
) -> Response<Body> {
    let mut response = Response::new(html);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if let Some(cookie) = set_cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The error page without any look.
pub(crate) fn show_plain(error: &ShowError) -> Response<Body> {
    let mut response = error_view(error).plain_response(StatusCode::BAD_REQUEST).map(Body::from);
    finish_error(error, &mut response);
    response
}

/// The words for an error.
pub(crate) fn error_view(error: &ShowError) -> ErrorView<'static> {
    let kind = error.kind();
    ErrorView {
        title: kind.title(),
        explanation: kind.explanation(),
        remedy: kind.remedy(),
        code: kind.code().as_str(),
        reference: None,
    }
}

/// Status and `Retry-After` of an error page, whoever rendered it.
pub(super) fn finish_error(error: &ShowError, response: &mut Response<Body>) {
    *response.status_mut() =
        StatusCode::from_u16(error.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(after) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds(after));
    }
}

/// 303, so that the browser follows with GET and repeats no credentials (RFC 9700 §4.12). Not kept, and told to nobody: the
/// address has the code.
pub(super) fn see_other(location: &str) -> Result<Response<Body>, AuthorizeError> {
    let mut location = HeaderValue::try_from(location).map_err(|_| internal())?;
    location.set_sensitive(true);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

fn internal() -> ShowError {
    ShowError::new(ShowKind::Internal, "the redirect address is no header text")
}
