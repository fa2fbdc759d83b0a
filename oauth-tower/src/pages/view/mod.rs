//! Pages as pure functions: view data and a [`Theme`] in, HTML out.
//!
//! 1. No script and nothing from elsewhere: one inline style, named by its digest in the `Content-Security-Policy`.
//! 2. The templates escape every value; names that a stranger chose pass through [`display_name`] first.
//! 3. No link is built from what a client sent; links and form actions are paths on this origin.
//! 4. Each page works with a keyboard, a screen reader, a phone, a dark screen and forced colours.
//!
//! Serve each page with [`Theme::headers`].

mod accent;
mod answered;
mod consent;
mod device;
mod error;
mod sign_in;
mod sign_out;
mod signed_in;
mod theme;

#[cfg(test)]
mod tests;

pub use accent::InvalidAccent;
pub use answered::AlreadyAnsweredView;
pub use consent::{ConsentView, ScopeView};
pub use device::{DeviceAnsweredView, DeviceConfirmView, DeviceView};
pub use sign_in::SignInView;
pub use sign_out::{SignOutView, SignedOutView};
pub use signed_in::SignedInView;
pub use theme::Theme;

pub use crate::endpoint::{
    display_name::{display_name, visible},
    error_page::ErrorView,
};

/// A name and a value that a form sends back unseen.
pub type HiddenField<'a> = (&'a str, &'a str);

/// Renders a template; every value in it is a string or a flag, so that writing cannot fail.
fn html(template: &impl askama::Template) -> String {
    template.render().unwrap_or_default()
}

/// The path, if it stays on this origin: a single leading slash, no backslash (browsers read it as a slash).
pub(super) fn local_path(path: &str) -> Option<&str> {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    (local && !path.chars().any(char::is_control)).then_some(path)
}
