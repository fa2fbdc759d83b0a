//! What says whether a token is good.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use oauth_core::server::{AccessToken, Server, VerifyError};

/// An answer that is at hand, or what to wait for.
#[derive(Debug)]
pub enum Verification<F> {
    /// Decided without waiting.
    Now(Result<Arc<AccessToken>, VerifyError>),
    /// Decided later.
    Later(F),
}

/// Verifies bearer tokens.
///
/// # Correctness
///
/// `Ok` only for a token that is alive now. A failure to find out is [`VerifyError::Unavailable`], never
/// [`VerifyError::Invalid`]: a client that hears `invalid_token` throws its token away.
pub trait Verifier: Clone + Send + Sync + 'static {
    /// The answer, where it has to be waited for.
    type Future: Future<Output = Result<Arc<AccessToken>, VerifyError>> + Send + 'static;

    /// Verifies a token. What can be said without waiting is said at once, so that junk costs nothing.
    fn verify(&self, token: &str) -> Verification<Self::Future>;
}

/// Verifies tokens of the server in the same process: one load each, revocation counts at once.
impl Verifier for Arc<Server> {
    type Future = Pin<Box<dyn Future<Output = Result<Arc<AccessToken>, VerifyError>> + Send>>;

    fn verify(&self, token: &str) -> Verification<Self::Future> {
        match self.parse_access(token) {
            Err(error) => Verification::Now(Err(error)),
            Ok(handle) => {
                let server = self.clone();
                Verification::Later(Box::pin(
                    async move { server.verify_parsed(&handle).await.map(Arc::new) },
                ))
            }
        }
    }
}
