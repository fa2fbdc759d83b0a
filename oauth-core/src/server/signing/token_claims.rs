//! Claims that the host adds.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode};
use crate::grant::{Authentication, Grant, Resources, Unsigned};
use crate::handle::GrantId;
use crate::scope::Scope;
use crate::storage::StoreResult;

/// Adds claims of the host's own to JWT access tokens, such as roles or a tenant (RFC 9068 §2.2.3).
///
/// ```
/// use async_trait::async_trait;
/// use oauth_core::server::{TokenClaims, TokenContext};
/// use oauth_core::storage::StoreResult;
/// use serde_json::{Map, Value};
///
/// #[derive(Debug)]
/// struct Tenants;
///
/// #[async_trait]
/// impl TokenClaims for Tenants {
///     async fn claims(&self, token: &TokenContext<'_>) -> StoreResult<Map<String, Value>> {
///         let tenant = token.subject.and_then(|subject| subject.split_once('/')).map(|(tenant, _)| tenant);
///         Ok(tenant.map(|tenant| ("tenant".to_owned(), tenant.into())).into_iter().collect())
///     }
/// }
/// ```
///
/// # Correctness
///
/// - The same for the same token while nothing about the subject changes: a lost answer is given again.
/// - It is asked before anything is written, and again when another write came first. The deadline of the request bounds it.
#[async_trait]
pub trait TokenClaims: fmt::Debug + Send + Sync + 'static {
    /// The claims to add. A name that the server decides about (`sub`, `scope` and the like) fails the request with `server_error`.
    ///
    /// # Errors
    ///
    /// A failure is answered with 503; no token is issued without claims that were meant to be in it.
    async fn claims(&self, token: &TokenContext<'_>) -> StoreResult<Map<String, Value>>;
}

/// A token that is about to be signed, as the host sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenContext<'a> {
    /// Its grant.
    pub grant: GrantId,
    /// The client.
    pub client_id: &'a str,
    /// The resource owner; absent where the client acts for itself.
    pub subject: Option<&'a str>,
    /// The host's session in which the grant was approved.
    pub session: Option<&'a str>,
    /// What the token allows.
    pub scope: &'a Scope,
    /// Whom it is for.
    pub resources: &'a Resources,
    /// When and how the resource owner authenticated.
    pub authentication: Option<&'a Authentication>,
    /// What the host stored with the grant.
    pub host_data: Option<&'a str>,
}

impl<'a> TokenContext<'a> {
    pub(super) fn new(id: GrantId, grant: &'a Grant, token: &'a Unsigned) -> Self {
        Self {
            grant: id,
            client_id: &grant.client_id,
            subject: grant.subject.as_deref(),
            session: grant.session.as_deref(),
            scope: &token.scope,
            resources: &token.resources,
            authentication: grant.authentication.as_ref(),
            host_data: grant.details.as_ref().and_then(|details| details.host_data.as_deref()),
        }
    }
}

/// The claims that the server decides about: those of RFC 7519, 9068, 8693, 7800, 9396 and of RFC 7662's answers.
const RESERVED: [&str; 21] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "azp",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "cnf",
    "act",
    "may_act",
    "active",
    "token_type",
    "authorization_details",
    "sid",
    "nonce",
];

/// Whether the host may not use this claim name.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Appends the host's claims to the members of an object that is not closed yet.
pub(super) fn append(payload: &mut Vec<u8>, claims: &Map<String, Value>) -> Result<(), Error> {
    for (name, value) in claims {
        if is_reserved(name) {
            return Err(Error::new(ErrorCode::ServerError, "the token could not be issued")
                .because(format!("TokenClaims gave the reserved claim {name:?}")));
        }
        payload.push(b',');
        payload.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
        payload.push(b':');
        payload.extend_from_slice(value.to_string().as_bytes());
    }
    Ok(())
}
