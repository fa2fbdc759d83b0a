//! One person, for the demonstration. Hash passwords as the quickstart does.

use async_trait::async_trait;
use oauth_tower::pages::{Credentials, CredentialsError, Identity};

/// Who can sign in: name and password.
pub const DEMO_USER: (&str, &str) = ("ada", "lovelace");

pub(crate) struct DemoUser;

#[async_trait]
impl Credentials for DemoUser {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok(((username, password) == DEMO_USER).then(|| Identity::new(username)))
    }
}
