//! What the authorization endpoint asks its host: who is signed in, and what visitors see.

use askama::Template;
use async_trait::async_trait;
use http::Response;
use http::request::Parts;
use oauth_core::authorize::{Login, LoginReason, ShowError};
use oauth_core::issuer::Issuer;
use oauth_core::server::{Pending, SignIn};
use oauth_tower::body::Body;
use oauth_tower::endpoint::page_response;
use oauth_tower::host::{Host, HostError};
use oauth_tower::pages::{Theme, consent_page, error_page};

use crate::sessions::Sessions;

#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) sessions: Sessions,
    pub(crate) issuer: Issuer,
    pub(crate) theme: Theme,
    /// The provider's host.
    pub(crate) provider: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Notes: sign in</title>
<h1>Sign in for {{ client }}?</h1>
<p>{{ client }} wants to reach your account here{% if !scope.is_empty() %}, for:{% else %}.{% endif %}</p>
{% if !scope.is_empty() %}<ul>{% for part in scope %}<li>{{ part }}</li>{% endfor %}</ul>{% endif %}
<p>The answer would go to <strong>{{ to }}</strong>. If you have not started this yourself, close the page.</p>
<form method="post" action="/upstream">
<input type="hidden" name="return_to" value="{{ return_to }}">
<input type="hidden" name="again" value="{{ again }}">
<button>Continue at {{ provider }}</button>
</form></html>"#
)]
struct Page<'a> {
    client: &'a str,
    scope: Vec<&'a str>,
    to: &'a str,
    return_to: &'a str,
    again: bool,
    provider: &'a str,
}

#[async_trait]
impl Host for Front {
    async fn login(&self, head: &Parts) -> Result<Option<Login>, HostError> {
        Ok(self.sessions.find(&head.headers, &self.issuer))
    }

    async fn sign_in(&self, _head: &Parts, request: &SignIn) -> Response<Body> {
        let page = Page {
            client: request.client.name(),
            scope: request.scope.iter().collect(),
            to: &request.redirect_host,
            return_to: &request.return_to,
            again: request.reason != LoginReason::NotSignedIn,
            provider: &self.provider,
        };
        page_response(page.render().unwrap_or_default(), None)
    }

    async fn consent(&self, _head: &Parts, pending: &Pending, action: &str) -> Response<Body> {
        consent_page(&self.theme, pending, action, pending.subject(), None)
    }

    async fn error(&self, _head: &Parts, error: &ShowError) -> Response<Body> {
        error_page(&self.theme, error)
    }
}
