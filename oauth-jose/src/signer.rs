//! Who signs: a key in memory, a KMS, an HSM.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::VerifyingKey;

/// Signs with one private key.
///
/// # Correctness
///
/// - [`Signer::key`] is the public half of the key that signs, and answers the same for as long as the signer lives: a
///   rotation is another signer.
/// - A signature has the form of RFC 7518 §3.4: for ECDSA `r` and `s`, each of fixed length, not the DER that many KMS answer.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// The public half, with the key's id and its one algorithm.
    fn key(&self) -> &VerifyingKey;

    /// Signs `message`, which is hashed as the algorithm says.
    ///
    /// # Errors
    ///
    /// A [`SignError`] when no signature could be had in time.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

#[async_trait]
impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn key(&self) -> &VerifyingKey {
        (**self).key()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (**self).sign(message).await
    }
}

/// No signature could be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign: {0}")]
pub struct SignError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SignError {
    /// Says why: an error, or a text. It is for the operator; clients hear of it only that the server is unavailable.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}
