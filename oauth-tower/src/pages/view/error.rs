//! The error page in the look of the other pages.

use askama::Template;

use super::{ErrorView, Theme, html, visible};

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    theme: &'a Theme,
    title: String,
    explanation: String,
    remedy: String,
    code: String,
    reference: Option<String>,
}

impl ErrorView<'_> {
    /// The page as HTML. Nothing on it is a link.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&Page {
            theme,
            title: visible(self.title),
            explanation: visible(self.explanation),
            remedy: visible(self.remedy),
            code: visible(self.code),
            reference: self.reference.map(visible),
        })
    }
}
