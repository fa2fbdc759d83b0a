//! A token request of an authenticated client.

use crate::client::{AuthenticatedClient, Client};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::grant::Ask;
use crate::params::Params;
use crate::resource::Resource;
use crate::scope::Scope;

/// A token request whose client has authenticated and may use the grant type.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    pub(crate) client: &'a AuthenticatedClient,
    pub(crate) params: &'a Params<'a>,
    pub(crate) now: Timestamp,
}

impl<'a> TokenRequest<'a> {
    /// The client.
    pub fn client(&self) -> &'a AuthenticatedClient {
        self.client
    }

    /// The server's time at which the request arrived.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// One parameter; an empty one counts as absent.
    ///
    /// # Errors
    ///
    /// `invalid_request` when it occurs more than once.
    pub fn param(&self, name: &'static str) -> Result<Option<&'a str>, Error> {
        Ok(self.params.one(name)?)
    }

    /// One parameter that must be there.
    ///
    /// # Errors
    ///
    /// `invalid_request` when it is missing or occurs more than once.
    pub fn required(&self, name: &'static str) -> Result<&'a str, Error> {
        self.param(name)?.ok_or_else(|| Error::invalid_request(format!("{name} is missing")))
    }

    /// The requested scope, if any was requested.
    ///
    /// # Errors
    ///
    /// `invalid_scope` when it is malformed.
    pub fn scope(&self) -> Result<Option<Scope>, Error> {
        let parse = |text| {
            Scope::parse_like(text, self.client.default_scope()).map_err(|error| {
                Error::new(ErrorCode::InvalidScope, "the requested scope is malformed")
                    .because(error.to_string())
            })
        };
        self.param("scope")?.map(parse).transpose()
    }

    /// The requested scope and resources.
    ///
    /// # Errors
    ///
    /// `invalid_scope` when the scope is malformed.
    pub fn ask(&self) -> Result<Ask<'a>, Error> {
        let client: &'a Client = self.client;
        let canonical = |requested| client.find_resource(requested).map_or(requested, Resource::as_str);
        // As at the authorization endpoint: the answer says what it got.
        let scope = self.scope()?.map(|scope| client.narrowed(&scope).unwrap_or(scope));
        Ok(Ask { scope, resources: self.params.all("resource").map(canonical).collect() })
    }
}
