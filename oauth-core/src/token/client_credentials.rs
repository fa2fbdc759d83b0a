//! The client acts for itself (RFC 6749 §4.4).

use async_trait::async_trait;

use super::{GrantType, Permit, TokenRequest};
use crate::error::Error;

/// The `client_credentials` grant type. No refresh token: the client can always ask again (RFC 6749 §4.4.3).
#[derive(Clone, Copy, Debug)]
pub struct ClientCredentials;

impl ClientCredentials {
    pub(crate) const NAME: &str = "client_credentials";
}

#[async_trait]
impl GrantType for ClientCredentials {
    fn name(&self) -> &str {
        Self::NAME
    }

    async fn permit(&self, request: &TokenRequest<'_>) -> Result<Permit, Error> {
        Permit::for_client(request)
    }
}
