//! What is said about resources.

use super::ServerBuilder;
use crate::fetch::DocumentFetcher;
use crate::server::{ClientIdMetadataDocuments, RegisteredResource};

/// The scope by which clients ask for access that outlasts a session (OpenID Connect Core §11).
pub(in crate::server) const OFFLINE_ACCESS: &str = "offline_access";

impl ServerBuilder {
    /// Registers a resource (RFC 8707): an API that tokens are for. The one list is shared by all who need it: clients may ask for
    /// it, the metadata name it, the layers of `oauth-tower` serve its own metadata and refuse to guard a resource that is not
    /// registered.
    ///
    /// Its text is the canonical one, which a token's audience says; clients may write scheme and host in another case, or one
    /// slash after an empty path, or a query behind it. Where it is the only one, a request that names none is for it; where
    /// there are several, a request must name what it is for. A client that has resources of its own, by
    /// [`ClientBuilder::resource`](crate::client::ClientBuilder::resource), has those instead, and writes them without more.
    pub fn resource(mut self, resource: impl Into<RegisteredResource>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Serves the clients of this Model Context Protocol server, by the authorization specification of 2026-07-28: registers the
    /// resource, takes clients by their metadata documents
    /// ([`client_id_metadata_documents`](Self::client_id_metadata_documents)), which `fetcher` fetches, and advertises
    /// `offline_access`, without which some clients let their users sign in every hour. The rest of what the specification asks
    /// is on for every server: PKCE with S256, `iss`, exact redirect URIs, rotation, consent that names the client's and the
    /// redirect's host. `oauth_tower::mcp` guards the endpoint itself.
    ///
    /// Clients without a metadata document need [`dynamic_registration`](Self::dynamic_registration), which the specification
    /// keeps for compatibility; or the host registers them.
    ///
    /// # Security
    ///
    /// As for [`document_fetcher`](Self::document_fetcher). Anybody can be a client now; each person decides by the consent page,
    /// and the host by a [`TrustPolicy`](crate::server::TrustPolicy).
    pub fn mcp(mut self, resource: impl Into<RegisteredResource>, fetcher: impl DocumentFetcher) -> Self {
        self.documents.get_or_insert_with(ClientIdMetadataDocuments::new);
        self.offline_access = true;
        self.document_fetcher(fetcher).resource(resource)
    }

    /// Describes `offline_access`, if it is to be advertised and the host has no words of its own.
    pub(super) fn describe_offline_access(&mut self) {
        let described = |scopes: &[(String, String)]| scopes.iter().any(|(token, _)| token == OFFLINE_ACCESS);
        if self.offline_access && !described(&self.scopes) {
            self.scopes.push((OFFLINE_ACCESS.to_owned(), "stay connected while you are away".to_owned()));
        }
    }
}
