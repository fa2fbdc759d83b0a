//! The pages around signing out: the question, and the confirmation that it is done.

use askama::Template;

use super::{HiddenField, Theme, display_name, html, local_path};

/// "Sign out?": asked when nothing proves that the visitor wanted it. It sends `decision=sign_out` or `decision=stay`
/// with the hidden fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignOutView<'a> {
    /// Where the form posts to: a path on this origin. Anything else posts back to the page's own address.
    pub action: &'a str,
    /// Fields that come back with the form.
    pub hidden: &'a [HiddenField<'a>],
    /// Who is signed in, as they would say it.
    pub subject: &'a str,
    /// The client that sent the visitor here, by its own word.
    pub client_name: Option<&'a str>,
}

/// "You are signed out."
#[derive(Clone, Copy, Debug, Default)]
pub struct SignedOutView<'a> {
    /// A path on this origin to sign in again.
    pub sign_in: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage<'a> {
    theme: &'a Theme,
    action: &'a str,
    hidden: &'a [HiddenField<'a>],
    subject: String,
    client: Option<String>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage<'a> {
    theme: &'a Theme,
    sign_in: Option<&'a str>,
}

impl SignOutView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&SignOutPage {
            theme,
            action: local_path(self.action).unwrap_or_default(),
            hidden: self.hidden,
            subject: display_name(self.subject),
            client: self.client_name.map(display_name).filter(|name| !name.is_empty()),
        })
    }
}

impl SignedOutView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&SignedOutPage { theme, sign_in: self.sign_in.and_then(local_path) })
    }
}
