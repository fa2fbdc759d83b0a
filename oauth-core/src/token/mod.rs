//! Tokens: what a token request asks, what a grant type permits, what is answered (RFC 6749 §3.2, §5).

mod client_credentials;
mod permit;
mod request;
mod response;

use std::fmt;

use async_trait::async_trait;

pub use client_credentials::ClientCredentials;
pub use permit::{FirstUse, Permit, Proof};
pub use request::TokenRequest;
pub use response::TokenResponse;

use crate::error::Error;

/// A grant type: it reads a request and decides. It can neither write nor mint; the server does both afterwards.
///
/// Register it with [`ServerBuilder::grant_type`](crate::server::ServerBuilder::grant_type) and allow it to clients by name.
///
/// ```
/// use async_trait::async_trait;
/// use oauth_core::error::{Error, ErrorCode};
/// use oauth_core::token::{GrantType, Permit, Proof, TokenRequest};
///
/// /// Exchanges a voucher that our shop printed; each can be used once.
/// #[derive(Debug)]
/// struct Voucher;
///
/// #[async_trait]
/// impl GrantType for Voucher {
///     fn name(&self) -> &str {
///         "urn:example:voucher"
///     }
///
///     async fn permit(&self, request: &TokenRequest<'_>) -> Result<Permit, Error> {
///         let voucher = request.required("voucher")?;
///         let Some((jti, subject)) = voucher.split_once('.') else {
///             return Err(Error::new(ErrorCode::InvalidGrant, "the voucher is not valid"));
///         };
///         let until = request.now() + std::time::Duration::from_secs(3600);
///         Ok(Permit::for_subject(request, subject, Proof::new("voucher", request.now()))?
///             .first_use("voucher", jti, until))
///     }
/// }
/// ```
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a grant type",
    note = "implement `oauth_core::token::GrantType`: a name, and one method that answers a `Permit`"
)]
pub trait GrantType: fmt::Debug + Send + Sync + 'static {
    /// The value of `grant_type`: a registered name, or an absolute URI (RFC 6749 §4.5).
    fn name(&self) -> &str;

    /// Decides on a request of an authenticated client that may use this grant type.
    ///
    /// # Errors
    ///
    /// What the client hears: usually `invalid_request` for a malformed request, `invalid_grant` for proof that does not
    /// hold, and 503 ([`Error::unavailable`]) when the decision could not be made.
    async fn permit(&self, request: &TokenRequest<'_>) -> Result<Permit, Error>;
}
