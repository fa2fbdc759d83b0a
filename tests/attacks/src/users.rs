//! Who may sign in on the built-in pages.

use async_trait::async_trait;
use oauth_tower::pages::{Credentials, CredentialsError, Identity};

/// `alice` and `bob`, whose password is `secret`.
#[derive(Clone, Copy, Debug)]
pub struct Users;

#[async_trait]
impl Credentials for Users {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        let known = matches!((username, password), ("alice" | "bob", "secret"));
        Ok(known.then(|| Identity::new(username)))
    }
}
