//! JWTs of known issuers first, all other tokens elsewhere.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use oauth_core::server::{AccessToken, VerifyError};
use pin_project_lite::pin_project;

use super::super::{RemoteVerification, Verification, Verifier};
use super::JwtVerifier;

/// Gives JWTs of trusted issuers to a [`JwtVerifier`] and every other token to another verifier. Made by [`JwtVerifier::or`].
///
/// Each token is given to one of them; what one has refused the other is not asked.
#[derive(Clone, Debug)]
pub struct JwtOr<V> {
    jwt: JwtVerifier,
    other: V,
}

impl<V> JwtOr<V> {
    pub(super) fn new(jwt: JwtVerifier, other: V) -> Self {
        Self { jwt, other }
    }
}

impl<V: Verifier> Verifier for JwtOr<V> {
    type Future = JwtOrVerification<V::Future>;

    fn verify_token(&self, token: &str) -> Verification<Self::Future> {
        let later = |either| Verification::Later(JwtOrVerification { either });
        // A token that is remembered need not be read to know whose it is.
        if let Some(verified) = self.jwt.remembered(token) {
            return Verification::Now(Ok(verified));
        }
        if self.jwt.is_for(token) {
            return match self.jwt.verify_token(token) {
                Verification::Now(verdict) => Verification::Now(verdict),
                Verification::Later(future) => later(Either::Jwt { future }),
            };
        }
        match self.other.verify_token(token) {
            Verification::Now(verdict) => Verification::Now(verdict),
            Verification::Later(future) => later(Either::Other { future }),
        }
    }
}

pin_project! {
    /// The future of one of two verifiers.
    #[derive(Debug)]
    pub struct JwtOrVerification<F> {
        #[pin]
        either: Either<F>,
    }
}

pin_project! {
    #[project = EitherProjection]
    #[derive(Debug)]
    enum Either<F> {
        Jwt { #[pin] future: RemoteVerification },
        Other { #[pin] future: F },
    }
}

impl<F: Future<Output = Result<Arc<AccessToken>, VerifyError>>> Future for JwtOrVerification<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().either.project() {
            EitherProjection::Jwt { future } => future.poll(cx),
            EitherProjection::Other { future } => future.poll(cx),
        }
    }
}
