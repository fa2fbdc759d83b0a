//! Signing out: asked on a page, done by its form. No address signs anybody out, and none sends the browser elsewhere.

use http::request::Parts;
use http::{Response, StatusCode, header};
use oauth_core::handle::SealPurpose;

use super::form::{FIELD, FormToken, Posted};
use super::session::{Live, clear};
use super::{Failed, Pages, SignOutView, SignedOutView};

impl Pages {
    pub(super) async fn show_sign_out(&self, head: &Parts) -> Result<Response<String>, Failed> {
        let Some(live) = Live::find(&self.server, &head.headers).await? else {
            return Ok(self.signed_out());
        };
        let (browser, set_cookie) = self.browser(head);
        let mut token = FormToken::new(&self.server);
        token.session = Some(live.id_text());
        let token = token.seal(&self.server, SealPurpose::Session, &browser);
        let view = SignOutView {
            action: &self.sign_out_full_path(),
            hidden: &[(FIELD, &token)],
            subject: live.username(),
            client_name: None,
        };
        Ok(self.html(StatusCode::OK, view.render(&self.theme), set_cookie))
    }

    pub(super) async fn take_sign_out(&self, head: &Parts, body: &[u8]) -> Result<Response<String>, Failed> {
        let posted = Posted::read(&self.server, SealPurpose::Session, head, body)?;
        let stay = match posted.field("decision")? {
            "sign_out" => false,
            "stay" => true,
            _ => return Err(super::Refused::Malformed.into()),
        };
        let Some(live) = Live::find(&self.server, &head.headers).await? else {
            return Ok(self.signed_out());
        };
        if stay {
            return self.see_other(self.home.as_deref().unwrap_or(&self.sign_in_full_path()));
        }
        // Somebody else, or the same person anew, has signed in since the page was shown: it asks again.
        let other = posted.token.session.as_deref() != Some(&*live.id_text());
        if other || posted.token.is_expired(self.server.now()) {
            return self.see_other(&self.sign_out_full_path());
        }
        live.end(&self.server).await?;
        Ok(self.signed_out())
    }

    /// Also removes a cookie that names no live session.
    fn signed_out(&self) -> Response<String> {
        let view = SignedOutView { sign_in: Some(&self.sign_in_full_path()) };
        let mut response = self.html(StatusCode::OK, view.render(&self.theme), None);
        response.headers_mut().append(header::SET_COOKIE, clear(self.server.issuer()));
        response
    }
}
