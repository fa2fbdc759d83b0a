//! Why a server cannot be built.

use std::sync::Arc;
use std::time::Duration;

use crate::client::ClientError;
use crate::issuer::IssuerError;
use crate::resource::ResourceError;
use crate::scope::ScopeError;

/// Why a server cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is not a URL that clients accept.
    #[error("issuer {issuer:?}: {source}; use something like \"https://auth.example.com\"")]
    Issuer {
        /// As given.
        issuer: String,
        /// What is wrong with it.
        #[source]
        source: IssuerError,
    },
    /// A client is not valid.
    #[error("client: {0}")]
    Client(#[from] ClientError),
    /// Two clients of the same id.
    #[error("client {0:?} was given twice; ids must be unique")]
    DuplicateClient(Arc<str>),
    /// A client may use a grant type that the server does not know.
    #[error(
        "client {client:?} may use grant type {grant_type:?}, which the server does not know; add it with .grant_type(..)"
    )]
    UnknownGrantType {
        /// The client.
        client: Arc<str>,
        /// The grant type.
        grant_type: Arc<str>,
    },
    /// Two grant types of the same name, or one that is built in.
    #[error("grant type {0:?} exists already; choose another name")]
    DuplicateGrantType(String),
    /// A described scope is not one scope token.
    #[error("scope {token:?}: {source}")]
    Scope {
        /// As given.
        token: String,
        /// What is wrong with it.
        #[source]
        source: ScopeError,
    },
    /// A described scope is not a single token.
    #[error("scope {0:?}: describe one token at a time")]
    ScopeTokens(String),
    /// A duration that cannot be.
    #[error("{setting} is {given:?}, but must be between {min:?} and {max:?}")]
    Duration {
        /// The method of the builder.
        setting: &'static str,
        /// As given.
        given: Duration,
        /// At least.
        min: Duration,
        /// At most.
        max: Duration,
    },
    /// The verification path is not a path.
    #[error("verification_path is {0:?}; use something like \"/device\"")]
    VerificationPath(String),
    /// A registered resource is not a resource indicator.
    #[error("resource {uri:?}: {source}")]
    ServerResource {
        /// As given.
        uri: String,
        /// What is wrong with it.
        #[source]
        source: ResourceError,
    },
    /// A resource was registered twice, perhaps with another spelling.
    #[error("resource {0:?} was registered twice")]
    DuplicateResource(String),
    /// Documents are to be fetched, and nothing can fetch.
    #[error("client_id_metadata_documents needs .document_fetcher(..), such as that of oauth-fetch")]
    NoFetcher,
    /// Registered clients may have a scope that is not described.
    #[error("dynamic_registration scope {0:?}: describe each of its tokens with .scope(..)")]
    RegistrationScope(String),
    /// `max_access_tokens(0)`.
    #[error("max_access_tokens must be at least 1 and at most 64")]
    MaxAccess,
    /// What was given to `jwt_for` is no resource indicator.
    #[error("jwt_for({given:?}): {source}")]
    Resource {
        /// As given.
        given: String,
        /// What is wrong with it.
        #[source]
        source: ResourceError,
    },
    /// The keys that sign cannot be used.
    #[error("signing keys: {0}")]
    SigningKey(String),
    /// Keys in the store, which only [`ServerBuilder::start`](crate::server::ServerBuilder::start) can read.
    #[error("keys in the store are read by .start().await instead of .build()")]
    NeedsStart,
    /// Both `key_ring` and `stored_keys`.
    #[error("give either .key_ring(..) or .stored_keys(..)")]
    TwoRings,
}
