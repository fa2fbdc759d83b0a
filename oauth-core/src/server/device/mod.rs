//! Device authorization (RFC 8628): for devices without a browser, or on which nobody wants to type.
//!
//! 1. The device asks ([`Server::device_authorization`]) and shows a user code; it polls the token endpoint with its device code.
//! 2. Its owner signs in in a browser elsewhere and types the user code ([`Server::device_pending`]). The page says who asks for
//!    what, and from where; only a POST from that page lets the device in ([`Server::resume_device`]). Consent that was given
//!    before never answers for the owner: whoever sends somebody a code must not profit from it (RFC 8628 §5.4).
//! 3. A user code is found by a keyed hash: nothing that is stored or listed tells one. Wrong ones are counted by who is signed
//!    in, in the store, and by address.
//! 4. Early polls are told to slow down; when the last one came is known to the limiter only.

mod attempts;
mod pending;
mod poll;
mod request;
mod settings;
mod ticket;

pub use pending::{DeviceDecision, DeviceError, DevicePending};
pub use request::DeviceAuthorization;
pub use settings::DeviceFlow;

pub(super) use poll::SENT_TWICE;
