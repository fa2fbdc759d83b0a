//! The page for a consent form that comes a second time.

use askama::Template;

use super::{Theme, display_name, html};

/// "You have already answered": a reload or a second click after the answer went out.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlreadyAnsweredView<'a> {
    /// The client that asked, by its own word.
    pub client_name: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "answered.html")]
struct Page<'a> {
    theme: &'a Theme,
    client: Option<String>,
}

impl AlreadyAnsweredView<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self, theme: &Theme) -> String {
        html(&Page { theme, client: self.client_name.map(display_name).filter(|name| !name.is_empty()) })
    }
}
