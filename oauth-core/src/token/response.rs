//! What the token endpoint answers (RFC 6749 §5.1).

use std::fmt;

use serde::Serialize;

use crate::json::{Json, Members};
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

impl TokenResponse {
    /// The JSON document of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        Json::to_json(self)
    }
}

impl Json for TokenResponse {
    fn members(&self, json: &mut impl Members) {
        json.text(r#"{"access_token":"#, &self.access_token);
        json.plain(r#","token_type":"#, self.token_type);
        json.number(r#","expires_in":"#, i64::try_from(self.expires_in).unwrap_or(i64::MAX));
        if let Some(token) = &self.refresh_token {
            json.text(r#","refresh_token":"#, token);
        }
        if !self.scope.is_empty() {
            json.plain(r#","scope":"#, self.scope.as_str());
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_json_agree() {
        let full = TokenResponse {
            access_token: "oat_x".into(),
            token_type: "Bearer",
            expires_in: 3600,
            refresh_token: Some("ort_x".into()),
            scope: Scope::parse("read write").unwrap(),
        };
        let bare = TokenResponse { refresh_token: None, scope: Scope::empty(), ..full.clone() };
        for response in [full, bare] {
            let json = response.to_json();
            assert_eq!(json, serde_json::to_vec(&response).unwrap());
            assert_eq!(json.len(), json.capacity());
        }
    }
}
