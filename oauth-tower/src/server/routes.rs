//! Which path is whose: a few comparisons, no allocation.

use oauth_core::issuer::Issuer;
use oauth_core::metadata::{Endpoint, Endpoints, WELL_KNOWN_NAME};

use super::resources::{Found, NAMES, PREFIX, Resources};

/// Whose a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Endpoint(Endpoint),
    Metadata,
    /// What one client has registered, below the registration endpoint.
    Registration,
    /// The metadata of the resource at this place.
    Resource(usize),
    /// The metadata, unless the inner service has others.
    Mirror,
    /// Nothing of anybody.
    Nothing,
    /// Below a well-known name, and not ours.
    WellKnown,
    /// One of the host's own pages.
    #[cfg(feature = "pages")]
    Page(crate::pages::Page),
    Inner,
}

/// The paths as the service sees them.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    mount: Box<str>,
    endpoints: Box<[(Box<str>, Endpoint)]>,
    register: Option<Box<str>>,
    document: Box<str>,
    resources: Resources,
}

impl Routes {
    pub(super) fn new(issuer: &Issuer, mount: &str, served: &Endpoints, resources: Resources) -> Self {
        let own = |endpoint| Some((served.path(endpoint)?.into(), endpoint));
        Self {
            mount: mount.into(),
            endpoints: Endpoint::ALL.into_iter().filter_map(own).collect(),
            register: served.path(Endpoint::Register).map(Into::into),
            document: issuer.well_known(WELL_KNOWN_NAME).into(),
            resources,
        }
    }

    /// The client whose registration a path below the mount is about.
    pub(super) fn registered<'p>(&self, below: &'p str) -> Option<&'p str> {
        let id = below.strip_prefix(self.register.as_deref()?)?.strip_prefix('/')?;
        (!id.is_empty() && !id.contains('/')).then_some(id)
    }

    /// The path of the registration endpoint below the mount.
    pub(super) fn register(&self) -> Option<&str> {
        self.register.as_deref()
    }

    /// The path below the mount.
    pub(super) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        // Comparing no bytes is not free: vector code may touch the place of an empty string, which is nowhere.
        if self.mount.is_empty() { Some(path) } else { path.strip_prefix(&*self.mount) }
    }

    pub(super) fn find(&self, path: &str) -> Route {
        let below = self.below(path);
        if let Some(below) = below {
            let own = self.endpoints.iter().find(|(own, _)| **own == *below);
            if let Some((_, endpoint)) = own {
                return Route::Endpoint(*endpoint);
            }
            if self.registered(below).is_some() {
                return Route::Registration;
            }
        }
        if path.strip_suffix('/').unwrap_or(path) == &*self.document {
            return Route::Metadata;
        }
        match self.resources.find(path) {
            Some(Found::Resource(place)) => return Route::Resource(place),
            Some(Found::Mirror) => return Route::Mirror,
            Some(Found::Nothing) => return Route::Nothing,
            None => {}
        }
        if is_well_known(path) || below.is_some_and(is_well_known) { Route::WellKnown } else { Route::Inner }
    }

    /// The full paths of the endpoints.
    #[cfg(feature = "axum")]
    pub(super) fn endpoints(&self) -> impl Iterator<Item = String> {
        let registered = self.register.iter().map(|path| self.full(&format!("{path}/{{client_id}}")));
        self.endpoints.iter().map(|(path, _)| self.full(path)).chain(registered)
    }

    /// The full path of what is below the mount.
    #[cfg(feature = "axum")]
    pub(super) fn full(&self, path: &str) -> String {
        [&self.mount, path].concat()
    }

    /// The paths of the metadata, the issuer's and those of its resources.
    #[cfg(feature = "axum")]
    pub(super) fn documents(&self) -> Vec<String> {
        let mut all = self.resources.all();
        let slash = format!("{}/", self.document);
        all.extend(
            [self.document.to_string(), slash]
                .into_iter()
                .filter(|own| !all.contains(own))
                .collect::<Vec<_>>(),
        );
        all
    }
}

fn is_well_known(path: &str) -> bool {
    let Some(rest) = path.strip_prefix(PREFIX) else { return false };
    let name = rest.split_once('/').map_or(rest, |(name, _)| name);
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(issuer: &str, mount: Option<&str>) -> Routes {
        let issuer = Issuer::parse(issuer).unwrap();
        Routes::new(&issuer, mount.unwrap_or(issuer.path()), &Endpoints::all(), Resources::default())
    }

    #[test]
    fn ru_51_paths_are_matched_exactly() {
        let root = routes("https://as.example", None);
        assert_eq!(root.find("/token"), Route::Endpoint(Endpoint::Token));
        assert_eq!(root.find("/authorize"), Route::Endpoint(Endpoint::Authorize));
        for other in [
            "/token/",
            "//token",
            "/Token",
            "/%74oken",
            "/./token",
            "/tokens",
            "//evil.example/",
            "",
            "*",
            "/",
        ] {
            assert_eq!(root.find(other), Route::Inner, "{other}");
        }
    }

    #[test]
    fn mx_07_each_tenant_has_its_own_document() {
        let tenant = routes("https://as.example/t1", None);
        assert_eq!(tenant.find("/t1/token"), Route::Endpoint(Endpoint::Token));
        for document in
            ["/.well-known/oauth-authorization-server/t1", "/.well-known/oauth-authorization-server/t1/"]
        {
            assert_eq!(tenant.find(document), Route::Metadata, "{document}");
        }
        for other in [
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/t2",
            "/.well-known/oauth-authorization-server/t1/x",
            "/.well-known/oauth-authorization-server/../t1",
            "/.well-known/openid-configuration/t1",
            "/t1/.well-known/openid-configuration",
            "/.well-known/oauth-protected-resource",
        ] {
            assert_eq!(tenant.find(other), Route::WellKnown, "{other}");
        }
        for inner in [
            "/token",
            "/t12/token",
            "/t1",
            "/.well-known/acme-challenge/x",
            "/.well-known/oauth-authorization-serverx",
        ] {
            assert_eq!(tenant.find(inner), Route::Inner, "{inner}");
        }
    }

    #[test]
    fn a_stripped_prefix_is_mounted_at_the_root() {
        let nested = routes("https://as.example/t1", Some(""));
        assert_eq!(nested.find("/token"), Route::Endpoint(Endpoint::Token));
        assert_eq!(nested.find("/t1/token"), Route::Inner);
    }
}
