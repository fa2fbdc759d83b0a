//! The built-in sign-in, consent, error and signed-out pages.

pub mod view;

pub use view::*;
