//! oauth-as: its HTTP service called directly, without a router around it. It has no bearer layer.

use std::sync::Arc;

use axum::Router;
use futures_executor::block_on;
use oauth_as::client::{Client, ClientAuth, ClientId, SecretHash};
use oauth_as::grant::GrantType;
use oauth_as::http::{ApprovalDecision, AuthorizationService, ServiceBuilder};
use oauth_as::scope::ScopeSet;
use oauth_as::server::{AuthorizationServer, ServerConfig, SystemClock};
use oauth_as::store::MemoryStorage;

use crate::request::{CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, SUBJECT, authorize, code_of};
use crate::{Contender, Path, Req, Res};

/// oauth-as with its memory store.
pub struct OauthAs {
    service: AuthorizationService<MemoryStorage, SystemClock>,
}

impl Contender for OauthAs {
    const NAME: &'static str = "oauth-as";

    fn supports(path: Path) -> bool {
        !matches!(path, Path::Bearer | Path::Jwt)
    }

    fn new() -> Self {
        let mut config = ServerConfig::new(ISSUER, format!("{ISSUER}/device"));
        config.authorization_endpoint = Some(format!("{ISSUER}/authorize"));
        config.token_endpoint = Some(format!("{ISSUER}/token"));
        config.introspection_endpoint = Some(format!("{ISSUER}/introspect"));
        let server = Arc::new(AuthorizationServer::new(config, MemoryStorage::new()));
        let scopes = ScopeSet::from_tokens(SCOPE.split(' ')).expect("valid scopes");
        let client = Client {
            client_id: ClientId::new(CLIENT_ID),
            auth: ClientAuth::ConfidentialSecretHash { hash: SecretHash::sha256(CLIENT_SECRET) },
            grant_types: vec![
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
            ],
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            allowed_scopes: scopes.clone(),
            default_scopes: scopes,
            name: None,
            registration: None,
        };
        block_on(server.register_client(client)).expect("a valid client");
        let service = ServiceBuilder::new(server)
            .with_subject_resolver(|_| Some(SUBJECT.to_owned()))
            .with_approval_resolver(|_| ApprovalDecision::Approve)
            .build()
            .expect("a valid service");
        Self { service }
    }

    async fn call(&mut self, request: Req) -> Res {
        self.service.handle(request).await.map(oauth_as::http::Body::into_bytes)
    }

    async fn resource(&mut self, _request: Req) -> Res {
        unreachable!("not supported")
    }

    fn code(&mut self) -> String {
        code_of(&block_on(self.call(authorize("/authorize"))))
    }

    fn router(&self) -> Router {
        self.service.clone().into()
    }
}
