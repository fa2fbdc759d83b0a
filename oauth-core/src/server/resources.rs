//! The resources that are registered with the server: one list for clients that ask, and for resource servers that check.

use std::sync::Arc;

use super::{BuildError, OFFLINE_ACCESS, Server};
use crate::grant::Resources;
use crate::resource::Resource;
use crate::scope::Scope;

/// An API that the server issues tokens for (RFC 8707), as [`ServerBuilder::resource`](super::ServerBuilder::resource) takes it.
///
/// ```
/// use oauth_core::server::RegisteredResource;
///
/// let notes = RegisteredResource::new("https://api.example.com/notes")
///     .name("Notes")
///     .scopes("notes:read notes:write");
/// assert_eq!(notes.uri(), "https://api.example.com/notes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "give it to ServerBuilder::resource"]
pub struct RegisteredResource {
    uri: Arc<str>,
    name: Option<Arc<str>>,
    documentation: Option<Arc<str>>,
    scopes: String,
}

impl RegisteredResource {
    /// An API by its resource indicator: what the audience of its tokens says, byte for byte.
    pub fn new(uri: impl Into<Arc<str>>) -> Self {
        Self { uri: uri.into(), name: None, documentation: None, scopes: String::new() }
    }

    /// Its name, for people: `resource_name` of its metadata (RFC 9728 §2).
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The address of its documentation, for developers: `resource_documentation` of its metadata.
    pub fn documentation(mut self, url: impl Into<Arc<str>>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// The scope tokens that it asks for, separated by spaces: `scopes_supported` of its metadata. Several calls add up.
    /// Without any it is all scopes that the server describes.
    ///
    /// What clients may ask for is not bounded by it: which scope a request needs, the API says.
    pub fn scopes(mut self, scopes: &str) -> Self {
        for scope in scopes.split_ascii_whitespace() {
            if !self.scopes.is_empty() {
                self.scopes.push(' ');
            }
            self.scopes.push_str(scope);
        }
        self
    }

    /// Its resource indicator.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Its name.
    pub fn display_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address of its documentation.
    pub fn documentation_url(&self) -> Option<&str> {
        self.documentation.as_deref()
    }
}

impl<T: Into<Arc<str>>> From<T> for RegisteredResource {
    fn from(uri: T) -> Self {
        Self::new(uri)
    }
}

/// The checked list.
#[derive(Debug, Default)]
pub(super) struct Registered {
    list: Vec<RegisteredResource>,
    /// Their indicators, in the same order.
    pub(super) indicators: Resources,
    /// Resources that clients in the program have, or that JWTs are issued for.
    mentioned: Vec<Resource>,
}

impl Registered {
    pub(super) fn new(list: Vec<RegisteredResource>) -> Result<Self, BuildError> {
        let mut indicators: Vec<Resource> = Vec::with_capacity(list.len());
        for resource in &list {
            let parsed = Resource::parse(&resource.uri)
                .map_err(|source| BuildError::ServerResource { uri: resource.uri.to_string(), source })?;
            if indicators.iter().any(|own| own.accepts(parsed.as_str())) {
                return Err(BuildError::DuplicateResource(resource.uri.to_string()));
            }
            for token in resource.scopes.split_ascii_whitespace() {
                Scope::parse(token)
                    .map_err(|source| BuildError::Scope { token: token.to_owned(), source })?;
            }
            indicators.push(parsed);
        }
        Ok(Self { list, indicators: Resources::new(indicators), mentioned: Vec::new() })
    }

    pub(super) fn mention<'a>(&mut self, resources: impl IntoIterator<Item = &'a Resource>) {
        self.mentioned.extend(resources.into_iter().cloned());
    }
}

impl Server {
    /// The registered resources, in the order given.
    pub fn resources(&self) -> &[RegisteredResource] {
        &self.resources.list
    }

    /// The registered resource of this indicator, as a client may write it.
    pub fn resource(&self, uri: &str) -> Option<&RegisteredResource> {
        let at = self.resources.indicators.iter().position(|own| own.accepts(uri))?;
        self.resources.list.get(at)
    }

    /// Whether a token for this resource can be issued, as far as the program says: it is registered, a client in the program has
    /// it, or JWTs are issued for it. Where no resource is registered the answer is yes: stored clients may have it.
    pub fn may_issue_for(&self, uri: &str) -> bool {
        let Registered { indicators, mentioned, .. } = &self.resources;
        indicators.is_empty() || indicators.iter().chain(mentioned).any(|own| own.accepts(uri))
    }

    /// What the metadata of a resource list as its scopes: its own, or all that are described. Never `offline_access`, which is
    /// not the resource's to ask for.
    pub fn scopes_of<'a>(&'a self, resource: &'a RegisteredResource) -> Vec<&'a str> {
        let own = resource.scopes.split_ascii_whitespace();
        let described = self.scope_descriptions().iter().map(|scope| &*scope.token);
        let mut scopes: Vec<_> = if resource.scopes.is_empty() { described.collect() } else { own.collect() };
        scopes.retain(|scope| *scope != OFFLINE_ACCESS);
        scopes
    }
}
