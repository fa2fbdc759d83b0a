//! The page for somebody who signed in without coming from an app.

use askama::Template;

use super::{Theme, display_name, html, local_path};

/// "You are signed in."
#[derive(Clone, Copy, Debug, Default)]
pub struct SignedInView<'a> {
    /// Who is signed in, as they would say it.
    pub subject: &'a str,
    /// A path on this origin to sign out.
    pub sign_out: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct Page<'a> {
    theme: &'a Theme,
    subject: String,
    sign_out: Option<&'a str>,
}

impl SignedInView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        let sign_out = self.sign_out.and_then(local_path);
        html(&Page { theme, subject: display_name(self.subject), sign_out })
    }
}
