//! oxide-auth behind axum: the routes that its documentation has a host write, with PKCE required and the client's
//! secret hashed with SHA-256 (its default is Argon2, which costs 300 ms a request). It has no introspection endpoint.

use std::future::Future;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_executor::block_on;
use http::Response;
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::endpoint::{
    AccessTokenFlow, AuthorizationFlow, ClientCredentialsFlow, OwnerConsent, QueryParameter, RefreshFlow,
    ResourceFlow, Scope, Solicitation,
};
use oxide_auth::frontends::simple::endpoint::{Error, FnSolicitor, Generic, Vacant};
use oxide_auth::frontends::simple::extensions::{AddonList, Extended};
use oxide_auth::primitives::authorizer::AuthMap;
use oxide_auth::primitives::generator::RandomGenerator;
use oxide_auth::primitives::issuer::TokenMap;
use oxide_auth::primitives::registrar::{Client, ClientMap, ExactUrl, PasswordPolicy, RegistrarError};
use oxide_auth_axum::{OAuthRequest, OAuthResource, OAuthResponse, WebError};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tower_service::Service;

use crate::floor::collected;
use crate::request::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SCOPE, SUBJECT, authorize, code_of};
use crate::{Contender, Path, Req, Res};

type Solicitor = fn(&mut OAuthRequest, Solicitation<'_>) -> OwnerConsent<OAuthResponse>;
type Parts = Generic<
    ClientMap,
    AuthMap<RandomGenerator>,
    TokenMap<RandomGenerator>,
    FnSolicitor<Solicitor>,
    Vec<Scope>,
    Vacant,
>;
type Shared = Arc<Mutex<Extended<Parts, AddonList>>>;
type Answer = Result<OAuthResponse, WebError>;

/// oxide-auth with its in-memory primitives.
pub struct Oxide {
    router: Router,
}

struct Sha256Policy;

impl PasswordPolicy for Sha256Policy {
    fn store(&self, _client_id: &str, passphrase: &[u8]) -> Vec<u8> {
        Sha256::digest(passphrase).to_vec()
    }

    fn check(&self, _client_id: &str, passphrase: &[u8], stored: &[u8]) -> Result<(), RegistrarError> {
        let matches: bool = Sha256::digest(passphrase).as_slice().ct_eq(stored).into();
        if matches { Ok(()) } else { Err(RegistrarError::Unspecified) }
    }
}

fn web(error: Error<OAuthRequest>) -> WebError {
    error.into()
}

async fn authorization(State(shared): State<Shared>, request: OAuthRequest) -> Answer {
    let mut endpoint = shared.lock().expect("not poisoned");
    AuthorizationFlow::prepare(&mut *endpoint).map_err(web)?.execute(request).map_err(web)
}

async fn token(State(shared): State<Shared>, request: OAuthRequest) -> Answer {
    let grant_type = request.body().and_then(|body| body.unique_value("grant_type"));
    let grant_type = grant_type.ok_or(WebError::Body)?.into_owned();
    let mut endpoint = shared.lock().expect("not poisoned");
    let endpoint = &mut *endpoint;
    match grant_type.as_str() {
        "authorization_code" => AccessTokenFlow::prepare(endpoint).map_err(web)?.execute(request),
        "refresh_token" => RefreshFlow::prepare(endpoint).map_err(web)?.execute(request),
        "client_credentials" => ClientCredentialsFlow::prepare(endpoint).map_err(web)?.execute(request),
        _ => return Err(WebError::Body),
    }
    .map_err(web)
}

async fn resource(
    State(shared): State<Shared>,
    request: OAuthResource,
) -> Result<Json<&'static str>, Response<axum::body::Body>> {
    let mut endpoint = shared.lock().expect("not poisoned");
    let refused = |refusal: Result<OAuthResponse, Error<OAuthRequest>>| match refusal {
        Ok(response) => response.into_response(),
        Err(error) => web(error).into_response(),
    };
    let mut flow = ResourceFlow::prepare(&mut *endpoint).map_err(|error| refused(Err(error)))?;
    flow.execute(request.into()).map_err(refused)?;
    Ok(Json("hello"))
}

impl Contender for Oxide {
    const NAME: &'static str = "oxide-auth";

    fn supports(path: Path) -> bool {
        !matches!(path, Path::Introspection | Path::Jwt)
    }

    fn new() -> Self {
        let scope: Scope = SCOPE.parse().expect("a valid scope");
        let redirect_uri = ExactUrl::new(REDIRECT_URI.to_owned()).expect("a valid URI").into();
        let mut registrar = ClientMap::new();
        registrar.set_password_policy(Sha256Policy);
        registrar.register_client(Client::confidential(
            CLIENT_ID,
            redirect_uri,
            scope.clone(),
            CLIENT_SECRET.as_bytes(),
        ));
        let solicitor: Solicitor = |_, _| OwnerConsent::Authorized(SUBJECT.to_owned());
        let parts = Generic {
            registrar,
            authorizer: AuthMap::new(RandomGenerator::new(32)),
            issuer: TokenMap::new(RandomGenerator::new(32)),
            solicitor: FnSolicitor(solicitor),
            scopes: vec![scope],
            response: Vacant,
        };
        let mut addons = AddonList::new();
        addons.push_code(Pkce::required());
        let shared: Shared = Arc::new(Mutex::new(Extended::extend_with(parts, addons)));
        let router = Router::new()
            .route("/authorize", get(authorization))
            .route("/token", post(token))
            .route("/resource", get(resource))
            .with_state(shared);
        Self { router }
    }

    fn call(&mut self, request: Req) -> impl Future<Output = Res> {
        collected(self.router.call(request))
    }

    fn resource(&mut self, request: Req) -> impl Future<Output = Res> {
        collected(self.router.call(request))
    }

    fn code(&mut self) -> String {
        code_of(&block_on(self.call(authorize("/authorize"))))
    }

    fn router(&self) -> Router {
        self.router.clone()
    }
}
