//! One person, for the demonstration: `quickstart` shows how passwords are checked.

use async_trait::async_trait;
use oauth_tower::pages::{Credentials, CredentialsError, Identity};

#[derive(Debug)]
pub(crate) struct Users;

#[async_trait]
impl Credentials for Users {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok((username == "alice" && password == "wonderland").then(|| Identity::new("alice")))
    }
}
