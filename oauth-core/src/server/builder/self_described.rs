//! The settings for clients that describe themselves.

use std::sync::Arc;

use super::{BuildError, ServerBuilder};
use crate::client::{Lifetimes, Terms};
use crate::fetch::DocumentFetcher;
use crate::issuer::{Issuer, is_loopback, split_port};
use crate::scope::Scope;
use crate::server::registration::Registrar;
use crate::server::{ClientIdMetadataDocuments, DeviceFlow, DynamicRegistration};

impl ServerBuilder {
    /// What fetches the documents that clients name, such as their keys. Without one nothing is fetched.
    ///
    /// # Security
    ///
    /// See [`DocumentFetcher`]: use `oauth-fetch` unless there is a reason not to.
    pub fn document_fetcher(mut self, fetcher: impl DocumentFetcher) -> Self {
        self.fetcher = Some(Arc::new(fetcher));
        self
    }

    /// Takes client identifiers that are the URLs of metadata documents; default off. Needs a
    /// [`document_fetcher`](Self::document_fetcher).
    pub fn client_id_metadata_documents(mut self, documents: ClientIdMetadataDocuments) -> Self {
        self.documents = Some(documents);
        self
    }

    /// Lets clients register themselves (RFC 7591); default off.
    ///
    /// # Security
    ///
    /// Whoever may register has a client whose name is its own word. The consent page says so, and shows where the answer goes.
    pub fn dynamic_registration(mut self, registration: DynamicRegistration) -> Self {
        self.registration = Some(registration);
        self
    }

    /// What such clients may have: the described scopes and the grant types for people.
    pub(super) fn terms(&self, issuer: &Issuer) -> Result<Terms, BuildError> {
        let scope = self.config.scopes.iter().map(|scope| &*scope.token).collect::<Vec<_>>().join(" ");
        let device = self.device_flow.as_ref().map(|_| DeviceFlow::GRANT_TYPE);
        let (host, _) = split_port(issuer.origin().split("://").nth(1).unwrap_or_default());
        Ok(Terms {
            scope: if scope.is_empty() {
                Scope::empty()
            } else {
                Scope::parse(&scope).map_err(|source| BuildError::Scope { token: scope, source })?
            },
            grant_types: ["authorization_code", "refresh_token"]
                .into_iter()
                .chain(device)
                .map(Into::into)
                .collect(),
            lifetimes: Lifetimes::default(),
            loopback: is_loopback(host) && self.documents.as_ref().is_some_and(|own| own.loopback),
        })
    }
}

/// Registration under the terms, or narrower ones.
pub(super) fn registrar(settings: DynamicRegistration, terms: &Terms) -> Result<Registrar, BuildError> {
    settings.check()?;
    // What a stranger registers is fetched from the public web only, in development too.
    let mut terms = Terms { loopback: false, ..terms.clone() };
    if let Some(text) = settings.scope.as_deref() {
        let scope = if text.is_empty() { Ok(Scope::empty()) } else { Scope::parse(text) };
        let scope = scope.map_err(|source| BuildError::Scope { token: text.to_owned(), source })?;
        if !scope.is_subset_of(&terms.scope) {
            return Err(BuildError::RegistrationScope(text.to_owned()));
        }
        terms.scope = scope;
    }
    Ok(Registrar { settings, terms })
}
