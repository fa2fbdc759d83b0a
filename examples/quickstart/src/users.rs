//! Two people with passwords, checked with Argon2id.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
use async_trait::async_trait;
use oauth_tower::pages::{Credentials, CredentialsError, Identity};
use tokio::sync::Semaphore;

/// Who can sign in.
pub const DEMO_USERS: &str = "alice / wonderland, or bob / builder";

const USERS: [(&str, &str); 2] = [
    (
        "alice",
        "$argon2id$v=19$m=19456,t=2,p=1$E9Wl67GipeOZIHn7zTEfEA$4IVyGJ/olTYfnojqJDz0eJfnPvKBzrvkI0/Vg2z8HHg",
    ),
    (
        "bob",
        "$argon2id$v=19$m=19456,t=2,p=1$ob4jEDtc/ZVxIbs9IF4uuQ$RX8zWuacL/tQ3BwnBVx6H7JbvhbU+CxP84UxpVcSbM4",
    ),
];

/// Nobody's: a name that does not exist takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AtgSOxQm07FvINw3+fORUg$JFJMawYctAT/qIGVYehYudjJZGXH/WX8r3mw5skVoQQ";

/// How many passwords are hashed at once; each takes 19 MiB and a whole core for a moment.
const AT_ONCE: usize = 2;

pub(crate) struct Users {
    permits: Arc<Semaphore>,
}

impl Users {
    pub(crate) fn demo() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

#[async_trait]
impl Credentials for Users {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        let known = USERS.into_iter().find(|(name, _)| *name == username);
        let (hash, password) = (known.map_or(NOBODY, |(_, hash)| hash), password.to_owned());
        let permit = self.permits.clone().acquire_owned().await?;
        let right = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let hash = PasswordHash::new(hash)?;
            match Argon2::default().verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await??;
        Ok(known.filter(|_| right).map(|(name, _)| Identity::new(name)))
    }
}
