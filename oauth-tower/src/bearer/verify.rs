//! Who says whether a token is good.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use oauth_core::server::{AccessToken, Server, VerifyError};

/// Verifies access tokens: the server itself, where it runs in the same process, or another source of truth.
///
/// # Security
///
/// The answer `Ok` means that the token was issued by an issuer that is trusted here, is an access token, and is live now.
/// Audience, scope and binding to a key are compared by the layer, from the fields of the [`AccessToken`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not verify access tokens",
    note = "give an `Arc<oauth_core::server::Server>`, or implement `oauth_tower::bearer::Verifier`"
)]
pub trait Verifier: Clone + Send + Sync + 'static {
    /// The answer, where it must be waited for: for as long as [`BearerLayer::deadline`](super::BearerLayer::deadline) says.
    type Future: Future<Output = Result<Arc<AccessToken>, VerifyError>> + Send;

    /// Verifies a token: at once where the answer is at hand, so that junk costs no future and no look at a store.
    ///
    /// `token` is of 1 to 8,192 characters of the alphabet of RFC 6750 §2.1.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Invalid`] for what is not a live access token, [`VerifyError::Unavailable`] when that cannot be told now.
    fn verify_token(&self, token: &str) -> Verification<Self::Future>;

    /// Whether there can be tokens for this resource at all, as far as is known here. Asked once, when the layer is applied.
    fn may_know(&self, resource: &str) -> bool {
        let _ = resource;
        true
    }
}

/// The answer of a [`Verifier`], or the future of it.
#[derive(Debug)]
pub enum Verification<F> {
    /// The answer is at hand.
    Now(Result<Arc<AccessToken>, VerifyError>),
    /// It must be waited for.
    Later(F),
}

/// The future of a verification that asks another server.
pub struct RemoteVerification(Pin<Box<dyn Future<Output = Result<Arc<AccessToken>, VerifyError>> + Send>>);

impl RemoteVerification {
    /// Wraps a future.
    pub fn new(
        verification: impl Future<Output = Result<Arc<AccessToken>, VerifyError>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(verification))
    }
}

impl Future for RemoteVerification {
    type Output = Result<Arc<AccessToken>, VerifyError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for RemoteVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteVerification").finish_non_exhaustive()
    }
}

/// Junk is refused without a look at the store; a token that this server made costs one load.
impl Verifier for Arc<Server> {
    type Future = ServerVerification;

    fn verify_token(&self, token: &str) -> Verification<ServerVerification> {
        let handle = match self.parse_access(token) {
            Ok(handle) => handle,
            Err(error) => return Verification::Now(Err(error)),
        };
        let server = self.clone();
        Verification::Later(ServerVerification(Box::pin(async move {
            server.verify_parsed(&handle).await.map(Arc::new)
        })))
    }

    fn may_know(&self, resource: &str) -> bool {
        self.may_issue_for(resource)
    }
}

/// The future of a verification by the [`Server`] in the same process.
pub struct ServerVerification(Pin<Box<dyn Future<Output = Result<Arc<AccessToken>, VerifyError>> + Send>>);

impl Future for ServerVerification {
    type Output = Result<Arc<AccessToken>, VerifyError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for ServerVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVerification").finish_non_exhaustive()
    }
}
