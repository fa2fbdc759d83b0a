//! What the endpoints answer with.

pub mod display_name;
pub mod error_page;
pub mod page_headers;
