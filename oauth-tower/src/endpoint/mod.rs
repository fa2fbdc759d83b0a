//! What the endpoints answer with: HTTP request → core call → HTTP response, one file an endpoint.

mod authorize;
mod consent_page;
pub mod display_name;
pub mod error_page;
mod form;
mod json;
mod metadata;
pub mod page_headers;
mod read_body;
mod redirect;
mod refuse;
mod register;

pub use consent_page::plain_consent_page;
pub use redirect::{authorize_response, page_response};

pub(crate) use authorize::{Authorize, authorize, decide};
pub(crate) use error_page::escape;
pub(crate) use form::{check_form, check_json};
pub(crate) use json::{Device, Form, Introspect, Revoke, Token, answer_form};
pub(crate) use metadata::{Document, document, not_served};
pub(crate) use read_body::{ReadError, read_body};
pub(crate) use redirect::show_plain;
#[cfg(feature = "pages")]
pub(crate) use redirect::{error_view, page};
pub(crate) use refuse::{Place, Refusal, RefusedAs, allowed, refuse, refused_as, seconds, too_long};
pub(crate) use register::{Registering, register};
