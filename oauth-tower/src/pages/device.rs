//! The verification page of the device flow.
//!
//! 1. A GET shows the form for the code, filled in by `verification_uri_complete`, and looks nothing up: no link can use up
//!    somebody's attempts, or let a device in.
//! 2. A POST of the code shows who asks for what. A POST of that page's ticket answers.
//! 3. Whoever is not signed in signs in first, and comes back with the code.

use http::request::Parts;
use http::{Response, StatusCode};
use oauth_core::handle::{SealPurpose, UserCode};
use oauth_core::limit::RequestAddress;
use oauth_core::params::Params;
use oauth_core::server::{DeviceError, DevicePending};

use super::form::{FIELD, FormToken, Posted};
use super::session::Live;
use super::sign_in::wait;
use super::{DeviceAnsweredView, DeviceConfirmView, DeviceView, Failed, Page, Pages, Refused, ScopeView};
use crate::endpoint::check_form;

/// The same words whether the code is wrong, has expired or was used.
const UNKNOWN: &str = "No device is waiting with this code. Check the code, or start again on the device.";
const EXPIRED: &str = "This page was open for too long. Please send the code again.";

impl Pages {
    pub(super) async fn show_device(&self, head: &Parts) -> Result<Response<String>, Failed> {
        let params = head.uri.query().and_then(|query| Params::parse(query.as_bytes()).ok());
        let code = params.as_ref().and_then(|params| params.one("user_code").ok().flatten());
        let code = code.and_then(UserCode::parse).map(|code| code.shown()).unwrap_or_default();
        match Live::find(&self.server, &head.headers).await? {
            Some(live) => Ok(self.device_form(head, &live, &code, None)),
            None => self.sign_in_for_device(&code),
        }
    }

    pub(super) async fn take_device(&self, head: &Parts, body: &[u8]) -> Result<Response<String>, Failed> {
        if check_form(&head.headers).is_err() {
            return Err(Refused::MediaType.into());
        }
        let form = Params::parse(body).map_err(|_| Refused::Malformed)?;
        let field = |name| form.one(name).map_err(|_| Refused::Malformed);
        if let Some(ticket) = field("ticket")? {
            return self.answer_device(head, ticket, field("decision")?).await;
        }
        let posted = Posted::read(&self.server, SealPurpose::Device, head, body)?;
        let code = posted.field("user_code")?;
        let Some(live) = Live::find(&self.server, &head.headers).await? else {
            let code = UserCode::parse(code).map(|code| code.shown()).unwrap_or_default();
            return self.sign_in_for_device(&code);
        };
        if posted.token.is_expired(self.server.now()) {
            return Ok(self.device_form(head, &live, code, Some(EXPIRED)));
        }
        match self.server.device_pending(head, live.login(), code, RequestAddress::of(&head.extensions)).await
        {
            Ok(pending) => Ok(self.confirm_device(&live, &pending)),
            Err(DeviceError::UnknownCode) => Ok(self.device_form(head, &live, code, Some(UNKNOWN))),
            Err(DeviceError::TooMany(limited)) => {
                let error = wait(limited.retry_after);
                let form = self.device_form(head, &live, code, Some(&error));
                Ok(self.too_many(Page::Device, form, &limited))
            }
            Err(DeviceError::Show(error)) => Err(Failed::Show(error)),
            Err(_) => Err(Failed::Internal("a device error that this page does not know")),
        }
    }

    async fn answer_device(
        &self,
        head: &Parts,
        ticket: &str,
        decision: Option<&str>,
    ) -> Result<Response<String>, Failed> {
        let allowed = match decision {
            Some("approve") => true,
            Some("deny") => false,
            _ => return Err(Refused::Malformed.into()),
        };
        let login = Live::find(&self.server, &head.headers).await?.map(|live| live.login());
        let decision = self.server.resume_device(head, ticket, login).await?;
        let client = decision.pending().client().clone();
        if allowed {
            decision.accept(None).await?;
        } else {
            decision.deny().await?;
        }
        let view = DeviceAnsweredView { client_name: client.name(), allowed };
        Ok(self.html(StatusCode::OK, view.render(&self.theme), None))
    }

    fn device_form(&self, head: &Parts, live: &Live, code: &str, error: Option<&str>) -> Response<String> {
        let (browser, set_cookie) = self.browser(head);
        let token = FormToken::new(&self.server).seal(&self.server, SealPurpose::Device, &browser);
        let view = DeviceView {
            action: &self.device_full_path(),
            hidden: &[(FIELD, &token)],
            subject: live.username(),
            user_code: code,
            error,
        };
        self.html(StatusCode::OK, view.render(&self.theme), set_cookie)
    }

    fn confirm_device(&self, live: &Live, pending: &DevicePending) -> Response<String> {
        let ticket = pending.ticket();
        let view = |name| ScopeView { name, description: self.server.describe_scope(name), granted: false };
        let scopes: Vec<ScopeView<'_>> = pending.scope().iter().map(view).collect();
        let resources: Vec<&str> = pending.resources().iter().map(|resource| resource.as_str()).collect();
        let view = DeviceConfirmView {
            action: &self.device_full_path(),
            hidden: &[("ticket", &ticket)],
            client_name: pending.client().name(),
            client_id: pending.client().id(),
            user_code: pending.user_code(),
            requested_from: pending.requested_from(),
            subject: live.username(),
            scopes: &scopes,
            resources: &resources,
        };
        self.html(StatusCode::OK, view.render(&self.theme), None)
    }

    fn sign_in_for_device(&self, code: &str) -> Result<Response<String>, Failed> {
        let mut address = self.device_full_path();
        if !code.is_empty() {
            address = format!("{address}?user_code={code}");
        }
        self.see_other(&self.sign_in_address(&address))
    }

    fn device_full_path(&self) -> String {
        self.server.verification_path().unwrap_or_default()
    }
}
