//! The verification pages of the device flow: the code, the question, the answer (RFC 8628 §3.3).

use askama::Template;

use super::consent::ScopeLine;
use super::{HiddenField, ScopeView, Theme, display_name, html, local_path, visible};

/// The page that asks for the code which a device shows. It sends `user_code` with the hidden fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeviceView<'a> {
    /// Where the form posts to: a path on this origin. Anything else posts back to the page's own address.
    pub action: &'a str,
    /// Fields that come back with the form.
    pub hidden: &'a [HiddenField<'a>],
    /// Who is signed in, as they would say it.
    pub subject: &'a str,
    /// What the field holds at the start.
    pub user_code: &'a str,
    /// Why the last attempt failed, in plain words.
    pub error: Option<&'a str>,
}

/// The page that asks whether a device may come in. It sends `decision=approve` or `decision=deny` with the hidden fields.
///
/// # Security
///
/// Both answers look alike, and nothing has the focus: a code may come from a stranger who hopes for a quick click (RFC 8628
/// §5.4).
#[derive(Clone, Copy, Debug)]
pub struct DeviceConfirmView<'a> {
    /// Where the form posts to: a path on this origin. Anything else posts back to the page's own address.
    pub action: &'a str,
    /// Fields that come back with the form, such as the ticket.
    pub hidden: &'a [HiddenField<'a>],
    /// The client, by its own word.
    pub client_name: &'a str,
    /// The client's identifier.
    pub client_id: &'a str,
    /// The code that the device shows.
    pub user_code: &'a str,
    /// The address that the device asked from.
    pub requested_from: Option<&'a str>,
    /// Who is signed in, as they would say it.
    pub subject: &'a str,
    /// What the client asks for.
    pub scopes: &'a [ScopeView<'a>],
    /// The resources that the tokens are for (RFC 8707).
    pub resources: &'a [&'a str],
}

/// The page after the answer.
#[derive(Clone, Copy, Debug)]
pub struct DeviceAnsweredView<'a> {
    /// The client, by its own word.
    pub client_name: &'a str,
    /// Whether the device was let in.
    pub allowed: bool,
}

#[derive(Template)]
#[template(path = "device.html")]
struct CodePage<'a> {
    theme: &'a Theme,
    view: &'a DeviceView<'a>,
    action: &'a str,
    hidden: &'a [HiddenField<'a>],
    subject: String,
}

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct ConfirmPage<'a> {
    theme: &'a Theme,
    action: &'a str,
    hidden: &'a [HiddenField<'a>],
    client: String,
    client_id: String,
    user_code: String,
    requested_from: Option<String>,
    subject: String,
    scopes: Vec<ScopeLine>,
    resources: Vec<String>,
}

#[derive(Template)]
#[template(path = "device_answered.html")]
struct AnsweredPage<'a> {
    theme: &'a Theme,
    view: &'a DeviceAnsweredView<'a>,
    client: String,
}

impl DeviceView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&CodePage {
            theme,
            view: self,
            action: local_path(self.action).unwrap_or_default(),
            hidden: self.hidden,
            subject: display_name(self.subject),
        })
    }
}

impl DeviceConfirmView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&ConfirmPage {
            theme,
            action: local_path(self.action).unwrap_or_default(),
            hidden: self.hidden,
            client: client_name(self.client_name),
            client_id: visible(self.client_id),
            user_code: visible(self.user_code),
            requested_from: self.requested_from.map(visible),
            subject: display_name(self.subject),
            scopes: self.scopes.iter().map(ScopeLine::new).collect(),
            resources: self.resources.iter().map(|resource| visible(resource)).collect(),
        })
    }
}

impl DeviceAnsweredView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&AnsweredPage { theme, view: self, client: client_name(self.client_name) })
    }
}

fn client_name(name: &str) -> String {
    let name = Some(display_name(name)).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "An app without a name".to_owned())
}
