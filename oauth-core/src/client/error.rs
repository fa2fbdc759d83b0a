//! Why a client is not valid.

use std::time::Duration;

use crate::redirect_uri::RedirectUriError;
use crate::resource::ResourceError;
use crate::scope::ScopeError;

pub(super) const MAX_NAME_CHARS: usize = 100;
pub(super) const MAX_REDIRECT_URIS: usize = 50;

/// Why a client is not valid. Each variant names the metadata field (RFC 7591 §2) that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// `client_id` is empty, longer than 256 bytes, or has control characters.
    #[error("client_id must have 1 to 256 bytes and no control characters")]
    Id,
    /// `client_name` is empty, too long, or has control characters.
    #[error("client_name must have 1 to {MAX_NAME_CHARS} characters and no control characters")]
    Name,
    /// A redirect URI that must not be registered.
    #[error("redirect_uris: {uri:?}: {source}")]
    RedirectUri {
        /// The URI as given.
        uri: String,
        /// What is wrong with it.
        #[source]
        source: RedirectUriError,
    },
    /// Too many redirect URIs.
    #[error("redirect_uris: at most {MAX_REDIRECT_URIS} are allowed")]
    TooManyRedirectUris,
    /// The authorization code grant needs a redirect URI.
    #[error("redirect_uris: the grant type authorization_code needs at least one; add .redirect_uri(..)")]
    NoRedirectUri,
    /// A malformed scope.
    #[error("scope: {0}")]
    Scope(#[from] ScopeError),
    /// The default scope is not within the scope.
    #[error("default scope: it must lie within the client's scope")]
    DefaultScope,
    /// A malformed resource.
    #[error("resources: {uri:?}: {source}")]
    Resource {
        /// The URI as given.
        uri: String,
        /// What is wrong with it.
        #[source]
        source: ResourceError,
    },
    /// A confidential client without a secret, or with a weak one.
    #[error(
        "client_secret must have 16 to 512 bytes and no control characters; use ClientSecret::generate()"
    )]
    Secret,
    /// `private_key_jwt` needs keys, and no secret.
    #[error("private_key_jwt: the client needs keys, and may not have a secret")]
    Keys,
    /// A public client may not have a secret or act for itself.
    #[error("{0}: a public client cannot authenticate, so it may not have this")]
    Public(&'static str),
    /// A grant type without a name.
    #[error("grant_types must be non-empty printable ASCII names")]
    GrantType,
    /// A lifetime of zero, or beyond reason.
    #[error("{0}: must be more than zero and at most {1:?}")]
    Lifetime(&'static str, Duration),
    /// PKCE can be switched off for confidential clients only.
    #[error("pkce: only a confidential client may go without it (OAuth 2.1 §7.5.1)")]
    Pkce,
}
