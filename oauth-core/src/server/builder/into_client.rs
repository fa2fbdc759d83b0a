//! What a builder takes as a client.

use crate::client::{Client, ClientError};

/// A client, or the error of building one.
pub trait IntoClient {
    /// The client.
    ///
    /// # Errors
    ///
    /// The error that building it gave.
    fn into_client(self) -> Result<Client, ClientError>;
}

impl IntoClient for Client {
    fn into_client(self) -> Result<Client, ClientError> {
        Ok(self)
    }
}

impl IntoClient for Result<Client, ClientError> {
    fn into_client(self) -> Result<Client, ClientError> {
        self
    }
}

impl IntoClient for crate::client::ClientBuilder {
    fn into_client(self) -> Result<Client, ClientError> {
        self.build()
    }
}
