//! Authorization server metadata (RFC 8414 §2), derived from what is mounted: it promises nothing that is not there.
//!
//! 1. The issuer is byte for byte the configured one; clients compare it so (RFC 8414 §3.3).
//! 2. What is absent is left out, never `null`: real clients refuse that.
//! 3. `jwks_uri` and `response_types_supported` are there also for plain OAuth: some clients cannot read a document without.

use std::borrow::Cow;

use serde::Serialize;

use crate::client::ASSERTION_ALGORITHMS;
use crate::issuer::Issuer;
use crate::server::{DeviceFlow, Server};

/// The name of the well-known document (RFC 8414 §3).
pub const WELL_KNOWN_NAME: &str = "oauth-authorization-server";

/// An endpoint of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// The authorization endpoint (RFC 6749 §3.1).
    Authorize,
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// The revocation endpoint (RFC 7009 §2).
    Revoke,
    /// The introspection endpoint (RFC 7662 §2).
    Introspect,
    /// The key set (RFC 7517 §5); empty as long as nothing is signed.
    Jwks,
    /// The device authorization endpoint (RFC 8628 §3.1), of a server with the device flow.
    Device,
    /// The client registration endpoint (RFC 7591 §3), of a server that lets clients register themselves. Below it is what
    /// each client has registered (RFC 7592).
    Register,
}

impl Endpoint {
    /// All endpoints.
    pub const ALL: [Self; 7] = [
        Self::Token,
        Self::Introspect,
        Self::Revoke,
        Self::Authorize,
        Self::Jwks,
        Self::Device,
        Self::Register,
    ];

    /// Where it is unless the host says otherwise, below the issuer.
    pub const fn default_path(self) -> &'static str {
        match self {
            Self::Authorize => crate::server::AUTHORIZE_PATH,
            Self::Token => "/token",
            Self::Revoke => "/revoke",
            Self::Introspect => "/introspect",
            Self::Jwks => "/jwks",
            Self::Device => "/device_authorization",
            Self::Register => "/register",
        }
    }

    /// A name for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
            Self::Jwks => "jwks",
            Self::Device => "device_authorization",
            Self::Register => "register",
        }
    }
}

/// Which endpoints there are, and their paths below the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints([Option<Cow<'static, str>>; Endpoint::ALL.len()]);

impl Endpoints {
    /// All of them at their default paths.
    pub fn all() -> Self {
        let mut endpoints = Self([const { None }; Endpoint::ALL.len()]);
        for endpoint in Endpoint::ALL {
            endpoints.set(endpoint, endpoint.default_path());
        }
        endpoints
    }

    /// The path of an endpoint, such as `/token`; `None` where it is not there.
    pub fn path(&self, endpoint: Endpoint) -> Option<&str> {
        self.0[endpoint as usize].as_deref()
    }

    /// Puts an endpoint at a path.
    pub fn set(&mut self, endpoint: Endpoint, path: impl Into<Cow<'static, str>>) {
        self.0[endpoint as usize] = Some(path.into());
    }

    /// Takes an endpoint away.
    pub fn remove(&mut self, endpoint: Endpoint) {
        self.0[endpoint as usize] = None;
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::all()
    }
}

/// The metadata document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer.
    pub issuer: Issuer,
    /// Where to send browsers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where to redeem codes and refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where devices ask (RFC 8628 §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// Where clients register themselves (RFC 7591 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Where the key set is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The described scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// `code`, where there is an authorization endpoint. Always present (RFC 8414 §2).
    pub response_types_supported: Vec<&'static str>,
    /// `query`, where there is an authorization endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<&'static str>,
    /// The grant types. Present even if empty: without it clients would assume others (RFC 8414 §2).
    pub grant_types_supported: Vec<String>,
    /// How clients authenticate at the token endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What assertions are signed with there (RFC 8414 §2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Where to revoke tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// How clients authenticate there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What assertions are signed with there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Where to introspect tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// How clients authenticate there; public clients may not ask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What assertions are signed with there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// `S256`, where there is an authorization endpoint (RFC 7636 §6.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// Whether client identifiers may be the URLs of metadata documents
    /// (draft-ietf-oauth-client-id-metadata-document §5).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub client_id_metadata_document_supported: bool,
    /// Whether every authorization response carries `iss` (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
    /// The registered resources (RFC 9728 §4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected_resources: Vec<String>,
}

/// The ways to prove who one is, then the way not to.
const AUTH_METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

impl Metadata {
    /// Describes a server with the given endpoints.
    pub fn new(server: &Server, endpoints: &Endpoints) -> Self {
        let url = |endpoint| endpoints.path(endpoint).map(|path| server.issuer().join(path));
        let browser = endpoints.path(Endpoint::Authorize).is_some();
        let where_browser = |value: &'static str| if browser { vec![value] } else { Vec::new() };
        let methods = |endpoint, count: usize| {
            let methods = if endpoints.path(endpoint).is_some() { &AUTH_METHODS[..count] } else { &[] };
            methods.to_vec()
        };
        let device = endpoints.path(Endpoint::Device).is_some();
        let grant_types = server.grant_types().filter(|name| match *name {
            "authorization_code" => browser,
            DeviceFlow::GRANT_TYPE => device,
            _ => true,
        });
        let algorithms = |endpoint| match endpoints.path(endpoint) {
            Some(_) => ASSERTION_ALGORITHMS.iter().map(|algorithm| algorithm.as_str()).collect(),
            None => Vec::new(),
        };
        Self {
            issuer: server.issuer().clone(),
            authorization_endpoint: url(Endpoint::Authorize),
            token_endpoint: url(Endpoint::Token),
            device_authorization_endpoint: url(Endpoint::Device).filter(|_| server.device_flow().is_some()),
            registration_endpoint: url(Endpoint::Register).filter(|_| server.takes_registrations()),
            jwks_uri: url(Endpoint::Jwks),
            scopes_supported: server
                .scope_descriptions()
                .iter()
                .map(|scope| scope.token.to_string())
                .collect(),
            response_types_supported: where_browser("code"),
            response_modes_supported: where_browser("query"),
            grant_types_supported: grant_types.map(str::to_owned).collect(),
            token_endpoint_auth_methods_supported: methods(Endpoint::Token, 4),
            token_endpoint_auth_signing_alg_values_supported: algorithms(Endpoint::Token),
            revocation_endpoint: url(Endpoint::Revoke),
            revocation_endpoint_auth_methods_supported: methods(Endpoint::Revoke, 4),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms(Endpoint::Revoke),
            introspection_endpoint: url(Endpoint::Introspect),
            introspection_endpoint_auth_methods_supported: methods(Endpoint::Introspect, 3),
            introspection_endpoint_auth_signing_alg_values_supported: algorithms(Endpoint::Introspect),
            code_challenge_methods_supported: where_browser("S256"),
            client_id_metadata_document_supported: browser && server.takes_documents(),
            authorization_response_iss_parameter_supported: browser,
            protected_resources: server
                .resources()
                .iter()
                .map(|resource| resource.uri().to_owned())
                .collect(),
        }
    }
}
