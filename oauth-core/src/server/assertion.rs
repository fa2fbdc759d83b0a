//! Client authentication by assertions (RFC 7523): the same at every endpoint.
//!
//! The `jti` is used up last, when everything else about the assertion is right, so that nobody can use up what belongs to
//! another; and it belongs to its client.

use std::sync::Arc;

use super::Server;
use super::key_sets::KeySetError;
use crate::client::{
    ASSERTION_SKEW, Assertion, AssertionError, AuthMethod, AuthenticatedClient, Client, Credentials,
    KeySource, invalid_client,
};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::fetch::FetchError;
use crate::storage::Key;
use crate::token::FirstUse;

impl Server {
    /// Checks the assertion of a request against the client that it claims.
    pub(super) async fn check_assertion(
        &self,
        assertion: Assertion<'_>,
        client_id: &str,
        found: Option<(Arc<Client>, Key)>,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, Error> {
        let refused = |reason: String| invalid_client(reason, false).for_client(client_id);
        let (client, fence) = found.ok_or_else(|| refused("unknown client".into()))?;
        if client.is_disabled() {
            return Err(refused("the client is disabled".into()));
        }
        let method = client.auth_method();
        let keys = client.keys().filter(|_| matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::None));
        let keys = keys.ok_or_else(|| {
            refused("the client used another authentication method than the registered one".into())
        })?;
        let no_keys = |error: KeySetError| match error {
            KeySetError::Fetch(FetchError::Busy) => {
                Error::unavailable(error.to_string()).for_client(client_id)
            }
            _ => refused(error.to_string()),
        };
        let verify = |set: &_| assertion.verify(set, keys.algorithm(), client_id, self.issuer.as_str(), now);
        let verified = match keys.source() {
            KeySource::Value { keys, .. } => verify(keys),
            KeySource::Uri(uri) => {
                let set = self.client_keys(uri, false, now).await.map_err(no_keys)?;
                match verify(&set) {
                    Err(AssertionError::UnknownKey) => {
                        let set = self.client_keys(uri, true, now).await.map_err(no_keys)?;
                        verify(&set)
                    }
                    other => other,
                }
            }
        };
        let asserted = verified.map_err(|error| refused(error.to_string()))?;
        let first_use = FirstUse {
            namespace: format!("client assertion {client_id}"),
            value: asserted.jti,
            until: asserted.expires_at + ASSERTION_SKEW,
        };
        self.use_once(first_use, now).await.map_err(|error| match error.code() {
            ErrorCode::InvalidGrant => refused("the assertion has been used before".into()),
            _ => error,
        })?;
        Ok(Credentials::asserted_by(client, fence))
    }
}
