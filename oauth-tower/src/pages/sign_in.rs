//! The sign-in page.
//!
//! A GET shows the form; where the visitor has signed in since the request arrived (in another tab, or before going
//! back), it sends them on instead. A POST checks what was typed.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use oauth_core::authorize::BrowserCookie;
use oauth_core::error::ErrorCode;
use oauth_core::grant::is_subject;
use oauth_core::handle::SealPurpose;
use oauth_core::params::Params;
use oauth_core::server::RateLimited;

use super::attempt::Attempt;
use super::credentials::Typed;
use super::form::{FIELD, FormToken, Posted};
use super::return_to::{PARAM, ReturnTo};
use super::session::Live;
use super::{Failed, Page, Pages, SignInView, SignedInView};
use crate::endpoint::{refused_as, seconds};

/// The same words whether the name is unknown, the password wrong or either too long.
const WRONG: &str = "The name or the password is not right.";
const AGAIN: &str = "Please sign in again to confirm that it is you.";
const EXPIRED: &str = "This page was open for too long. Please sign in again.";

/// What the form says at the start.
#[derive(Default)]
struct Form<'a> {
    username: &'a str,
    error: Option<&'a str>,
    notice: Option<&'static str>,
}

impl Pages {
    pub(super) async fn show_sign_in(&self, head: &Parts) -> Result<Response<String>, Failed> {
        let (browser, set_cookie) = self.browser(head);
        let return_to = self.return_to(head, &browser);
        let live = Live::find(&self.server, &head.headers).await?;
        let form = match (&return_to, &live) {
            (None, Some(live)) => return self.signed_in(live),
            (Some(to), Some(live)) if to.is_met_by(live.authenticated_at()) => {
                return self.see_other(&to.address);
            }
            (Some(to), Some(_)) if to.choose => Form::default(),
            (Some(_), Some(live)) => Form { username: live.username(), notice: Some(AGAIN), error: None },
            (Some(to), None) => {
                Form { username: to.login_hint.as_deref().unwrap_or_default(), ..Form::default() }
            }
            (None, None) => Form::default(),
        };
        self.sign_in_form(&browser, set_cookie, return_to.as_ref(), &form).await
    }

    pub(super) async fn take_sign_in(&self, head: &Parts, body: &[u8]) -> Result<Response<String>, Failed> {
        let server = &self.server;
        let posted = Posted::read(server, SealPurpose::SignIn, head, body)?;
        let (username, password) = (posted.field("username")?, posted.field("password")?);
        let return_to = posted.token.return_to.as_deref();
        let return_to = return_to.and_then(|address| ReturnTo::read(server, &posted.browser, address));
        let again = |error, notice| Form { username, error, notice };
        if posted.token.is_expired(server.now()) {
            let form = again(None, Some(EXPIRED));
            return self.sign_in_form(&posted.browser, None, return_to.as_ref(), &form).await;
        }
        let attempt = Attempt::new(server, head, username);
        if let Err(limited) = attempt.take().await {
            let error = wait(limited.retry_after);
            let form = Form { username, error: Some(&error), notice: None };
            let page = self.sign_in_form(&posted.browser, None, return_to.as_ref(), &form).await?;
            return Ok(self.too_many(Page::SignIn, page, &limited));
        }
        let identity = match Typed::new(username, password) {
            Some(typed) => match self.credentials.check(typed.username, typed.password).await {
                Ok(identity) => identity,
                Err(error) => {
                    attempt.put_back().await;
                    return Err(Failed::Credentials(error));
                }
            },
            None => None,
        };
        let Some(identity) = identity else {
            server.audit().sign_in_failed();
            let form = again(Some(WRONG), None);
            return self.sign_in_form(&posted.browser, None, return_to.as_ref(), &form).await;
        };
        attempt.put_back().await;
        if !is_subject(&identity.subject) {
            return Err(Failed::Internal("the credential check named a subject that cannot be one"));
        }
        let before = Live::find(server, &head.headers).await?;
        let subject = identity.subject.clone();
        let cookie = Live::begin(server, identity, username, self.lifetime).await?;
        server.audit().signed_in(&subject);
        if let Some(before) = before {
            before.end(server).await?;
        }
        let own = self.sign_in_full_path();
        let to = return_to.as_ref().map(|to| &*to.address).or(self.home.as_deref()).unwrap_or(&own);
        let mut response = self.see_other(to)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response.headers_mut().append(header::SET_COOKIE, attempt.remember());
        Ok(response)
    }

    fn return_to(&self, head: &Parts, browser: &BrowserCookie) -> Option<ReturnTo> {
        let params = Params::parse(head.uri.query()?.as_bytes()).ok()?;
        ReturnTo::open(&self.server, browser, params.one(PARAM).ok()??)
    }

    async fn sign_in_form(
        &self,
        browser: &BrowserCookie,
        set_cookie: Option<HeaderValue>,
        return_to: Option<&ReturnTo>,
        form: &Form<'_>,
    ) -> Result<Response<String>, Failed> {
        let client = match return_to {
            // Its name only makes the page friendlier: without it the page still works.
            Some(to) => self.server.client(&to.client_id).await.ok().flatten(),
            None => None,
        };
        let mut token = FormToken::new(&self.server);
        token.return_to = return_to.map(|to| to.address.clone());
        let token = token.seal(&self.server, SealPurpose::SignIn, browser);
        let view = SignInView {
            action: &self.sign_in_full_path(),
            hidden: &[(FIELD, &token)],
            client_name: client.as_ref().map(|client| client.name()),
            username: form.username,
            error: form.error,
            notice: form.notice,
        };
        Ok(self.html(StatusCode::OK, view.render(&self.theme), set_cookie))
    }

    fn signed_in(&self, live: &Live) -> Result<Response<String>, Failed> {
        if let Some(home) = &self.home {
            return self.see_other(home);
        }
        let view = SignedInView { subject: live.username(), sign_out: Some(&self.sign_out_full_path()) };
        Ok(self.html(StatusCode::OK, view.render(&self.theme), None))
    }
}

/// What somebody reads who has tried too often; a right password does not help now either, so that guessing does not.
pub(super) fn wait(retry_after: Duration) -> String {
    let secs = retry_after.as_secs().max(1);
    let (count, unit) = if secs < 90 { (secs, "second") } else { (secs.div_ceil(60), "minute") };
    let plural = if count == 1 { "" } else { "s" };
    format!("There were too many attempts. Please wait {count} {unit}{plural}, then try again.")
}

impl Pages {
    /// 429 with `Retry-After` (RFC 6585 §4).
    pub(super) fn too_many(
        &self,
        page: Page,
        mut response: Response<String>,
        limited: &RateLimited,
    ) -> Response<String> {
        self.server.audit().refused(page.name(), limited);
        refused_as(&mut response, ErrorCode::TooManyRequests);
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(header::RETRY_AFTER, seconds(limited.retry_after));
        response
    }
}
