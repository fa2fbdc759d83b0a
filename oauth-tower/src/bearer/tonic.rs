//! For tonic: the token of a [`tonic::Request`], and named services that stay named.

use std::error::Error as _;
use std::sync::Arc;

use http::{Extensions, HeaderMap};
use oauth_core::server::AccessToken;
use serde::de::DeserializeOwned;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::{Code, Request, Status};

use super::guard::{check, guard, verified};
use super::refusal::Denial;
use super::requirements::Requirements;
use super::widen::Needed;
use super::{BearerService, Cause, RequireScope};

/// Asks a [`tonic::Request`] who calls.
///
/// ```
/// use oauth_tower::bearer::RequestExt;
/// use tonic::{Request, Response, Status};
///
/// async fn hello(request: Request<String>) -> Result<Response<String>, Status> {
///     let token = request.access_token()?;
///     Ok(Response::new(format!("hello {}", token.subject().unwrap_or("machine"))))
/// }
/// ```
pub trait RequestExt {
    /// The verified token.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` with a challenge as metadata where the layer is [optional](super::BearerLayer::optional) and no token
    /// was presented; `INTERNAL` where no [`BearerLayer`](super::BearerLayer) is in front.
    fn access_token(&self) -> Result<&Arc<AccessToken>, Status>;

    /// The verified token, if one was presented.
    ///
    /// # Errors
    ///
    /// `INTERNAL` where no [`BearerLayer`](super::BearerLayer) is in front.
    fn optional_access_token(&self) -> Result<Option<&Arc<AccessToken>>, Status>;

    /// The verified token, whose scope must have all of these tokens, separated by spaces.
    ///
    /// # Errors
    ///
    /// `PERMISSION_DENIED` with a challenge as metadata if it has not; else as [`RequestExt::access_token`].
    fn scoped_access_token(&self, scope: &str) -> Result<&Arc<AccessToken>, Status>;

    /// The claims of the verified token, in a type of the host; see [`claims`](super::claims()).
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` if they are not what the type expects; else as [`RequestExt::access_token`].
    fn claims<C: DeserializeOwned>(&self) -> Result<C, Status>;
}

impl<T> RequestExt for Request<T> {
    fn access_token(&self) -> Result<&Arc<AccessToken>, Status> {
        let extensions = self.extensions();
        verified(extensions).map_err(|denial| status(&denial, &Requirements::default(), extensions))
    }

    fn optional_access_token(&self) -> Result<Option<&Arc<AccessToken>>, Status> {
        let extensions = self.extensions();
        match verified(extensions) {
            Ok(token) => Ok(Some(token)),
            Err(denial) if denial.cause == Cause::NoToken => Ok(None),
            Err(denial) => Err(status(&denial, &Requirements::default(), extensions)),
        }
    }

    fn scoped_access_token(&self, scope: &str) -> Result<&Arc<AccessToken>, Status> {
        let extensions = self.extensions();
        let mut required = Requirements::default();
        required.tokens.all_of(scope);
        check(extensions, &required).map_err(|denial| status(&denial, &required, extensions))
    }

    fn claims<C: DeserializeOwned>(&self) -> Result<C, Status> {
        let token = self.access_token()?;
        super::claims(token).map_err(|_| {
            let why = "the claims of the token are not what the handler expects";
            let denial = Denial::of(Cause::InvalidToken, why, token);
            status(&denial, &Requirements::default(), self.extensions())
        })
    }
}

fn status(denial: &Denial, required: &Requirements, extensions: &Extensions) -> Status {
    let guard = guard(extensions);
    let refusal = guard.report(denial, required, false);
    let mut headers = HeaderMap::new();
    if let Some(challenge) = refusal.challenge() {
        headers.insert("www-authenticate", challenge);
    }
    let code = Code::from_i32(refusal.cause.grpc_status().into());
    let metadata = MetadataMap::from_headers(headers);
    let mut status = Status::with_metadata(code, refusal.cause.description(), metadata);
    if !refusal.scope.is_empty() {
        status.set_source(Arc::new(Needed::new(refusal.scope)));
    }
    status
}

/// What a status asks for that [`status`] has made. tonic leaves the status of a method in the extensions of its answer.
pub(super) fn needed(extensions: &Extensions) -> Option<Needed> {
    extensions.get::<Status>()?.source()?.downcast_ref::<Needed>().cloned()
}

impl<S: NamedService, V> NamedService for BearerService<S, V> {
    const NAME: &'static str = S::NAME;
}

impl<S: NamedService> NamedService for RequireScope<S> {
    const NAME: &'static str = S::NAME;
}
