//! What the token endpoint answers (RFC 6749 §5.1).

use std::fmt;

use serde::Serialize;

use crate::scope::Scope;

/// A successful token response. Absent members are left out, never `null`: real clients refuse that.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer` (RFC 6750).
    pub token_type: &'static str,
    /// Whole seconds until the access token expires.
    pub expires_in: u64,
    /// The refresh token, if the client gets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The access token's scope, always told.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("refresh_token", &self.refresh_token.is_some())
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
