//! The built-in pages as the host of the authorization endpoint.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use oauth_core::authorize::{Login, ShowError, ShowKind};
use oauth_core::limit::RequestAddress;
use oauth_core::server::{Pending, SignIn};

use super::session::Live;
use super::{AlreadyAnsweredView, ConsentView, Page, Pages, ScopeView, Theme};
use crate::body::Body;
use crate::deadline::Deadline;
use crate::endpoint::{ReadError, Refusal, error_view, page, read_body, refused_as};
use crate::host::{Host, HostError};

/// The longest address of a page, in bytes: room for the longest authorization request, sealed.
const MAX_URI_BYTES: usize = 16 * 1024;

#[async_trait]
impl Host for Pages {
    async fn login(&self, head: &Parts) -> Result<Option<Login>, HostError> {
        Ok(Pages::login(self, head).await?)
    }

    async fn sign_in(&self, _head: &Parts, request: &SignIn) -> Response<Body> {
        match self.see_other(&self.sign_in_address(&request.return_to)) {
            Ok(response) => response.map(Body::from),
            Err(failed) => self.failed(Page::SignIn, &failed).map(Body::from),
        }
    }

    async fn consent(&self, head: &Parts, pending: &Pending, action: &str) -> Response<Body> {
        // Only for the name as they typed it: without it the page names the subject.
        let live = Live::find(&self.server, &head.headers).await.ok().flatten();
        let name = live.as_ref().map_or(pending.subject(), Live::username);
        let switch = self.switch_account_address(head, action);
        consent_page(&self.theme, pending, action, name, switch.as_deref())
    }

    async fn error(&self, _head: &Parts, error: &ShowError) -> Response<Body> {
        error_page(&self.theme, error)
    }
}

/// The designed consent page. `person` is who is signed in, as they would say it; its form posts to `action`.
#[must_use]
pub fn consent_page(
    theme: &Theme,
    pending: &Pending,
    action: &str,
    person: &str,
    switch_account: Option<&str>,
) -> Response<Body> {
    let (server, ticket) = (pending.server(), pending.ticket());
    let scopes: Vec<ScopeView<'_>> = pending
        .scope()
        .iter()
        .map(|name| ScopeView {
            name,
            description: server.describe_scope(name),
            granted: !pending.new_scope().contains(name),
        })
        .collect();
    let resources: Vec<&str> = pending.resources().iter().map(|resource| resource.as_str()).collect();
    let view = ConsentView {
        action,
        hidden: &[("ticket", &ticket)],
        client_name: pending.client().name(),
        client_id: pending.client_host().unwrap_or(pending.client().id()),
        unverified: pending.client().origin().registration().is_some(),
        redirect_host: pending.redirect_host(),
        subject: person,
        scopes: &scopes,
        resources: &resources,
        switch_account,
    };
    page(StatusCode::OK, view.render(theme).into(), theme.headers(), None)
}

/// The designed page for an error of the authorization endpoint.
#[must_use]
pub fn error_page(theme: &Theme, error: &ShowError) -> Response<Body> {
    let html = match error.kind() {
        ShowKind::AlreadyAnswered => AlreadyAnsweredView::default().render(theme),
        _ => error_view(error).render(theme),
    };
    let status = StatusCode::from_u16(error.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    page(status, html.into(), theme.headers(), None)
}

/// Answers one of the pages that have a path of their own.
pub(crate) async fn serve<B: http_body::Body>(
    pages: Arc<Pages>,
    which: Page,
    mut head: Parts,
    body: B,
    limit: usize,
    deadline: Duration,
    address: Option<IpAddr>,
) -> Response<Body> {
    if head.method == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let allow = HeaderValue::from_static(super::METHODS);
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    RequestAddress::put(&mut head.extensions, address);
    let refused = |refusal: Refusal| {
        let kind = match refusal {
            Refusal::Deadline => ShowKind::Unavailable,
            Refusal::UriTooLong | Refusal::TooLarge => ShowKind::TooLong,
            _ => ShowKind::Malformed,
        };
        let refused = refusal.error();
        let error = ShowError::new(kind, refused.reason());
        pages.server.audit().refused(which.name(), &error);
        let mut response = error_page(&pages.theme, &error);
        refused_as(&mut response, kind.code());
        *response.status_mut() = refusal.status();
        if let Some(after) = refused.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        response
    };
    if head.uri.path_and_query().is_some_and(|own| own.as_str().len() > MAX_URI_BYTES) {
        return refused(Refusal::UriTooLong);
    }
    let mut deadline = Deadline::new(deadline);
    let body = match deadline.within(pin!(read_body(body, limit))).await {
        Some(Ok(body)) => body,
        Some(Err(ReadError::TooLarge)) => return refused(Refusal::TooLarge),
        Some(Err(ReadError::Broken)) => return refused(Refusal::BrokenBody),
        None => return refused(Refusal::SlowBody),
    };
    match deadline.within(pin!(pages.respond(which, &head, &body))).await {
        Some(response) => response.map(Body::from),
        None => refused(Refusal::Deadline),
    }
}
