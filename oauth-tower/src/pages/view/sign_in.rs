//! The sign-in page.

use askama::Template;

use super::{HiddenField, Theme, display_name, html, local_path};

/// What the sign-in page shows. It sends `username` and `password` with the hidden fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignInView<'a> {
    /// Where the form posts to: a path on this origin. Anything else posts back to the page's own address.
    pub action: &'a str,
    /// Fields that come back with the form.
    pub hidden: &'a [HiddenField<'a>],
    /// The client that the visitor continues to, by its own word.
    pub client_name: Option<&'a str>,
    /// What the first field holds at the start: the `login_hint`, or what was typed before an error.
    pub username: &'a str,
    /// Why the last attempt failed, in plain words.
    pub error: Option<&'a str>,
    /// Something to know before signing in, such as "Sign in again to confirm that it is you."
    pub notice: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    theme: &'a Theme,
    view: &'a SignInView<'a>,
    action: &'a str,
    hidden: &'a [HiddenField<'a>],
    client: Option<String>,
    described: &'static str,
}

impl SignInView<'_> {
    /// The page as HTML. The password is never filled in.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&Page {
            theme,
            view: self,
            action: local_path(self.action).unwrap_or_default(),
            hidden: self.hidden,
            client: self.client_name.map(display_name).filter(|name| !name.is_empty()),
            described: match (self.error.is_some(), self.notice.is_some()) {
                (true, true) => "error notice",
                (true, false) => "error",
                (false, true) => "notice",
                (false, false) => "",
            },
        })
    }
}
