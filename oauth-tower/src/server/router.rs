//! Routers for axum, for apps that merge and nest instead of layering.

use axum::Router;
use axum::routing::any_service;

use super::{AuthorizationServerLayer, AuthorizationServerService};

impl AuthorizationServerLayer {
    /// The endpoints as a router: `merge` it, or, with [`mount_at("/")`](Self::mount_at), `nest` it at the issuer's path.
    ///
    /// Unlike the layer it takes no other path, and knows nothing of the well-known documents: see
    /// [`well_known_router`](Self::well_known_router).
    pub fn router<T: Clone + Send + Sync + 'static>(&self) -> Router<T> {
        self.route_all(self.own_paths())
    }

    /// The metadata documents at the origin, the issuer's and those of its registered resources, with and without a slash at
    /// their end, as a router: `merge` it where the origin's paths are seen. The OpenID Connect document of the same issuer, which
    /// some clients ask for first, is 404 in JSON.
    ///
    /// With registered resources the root of the origin is among the paths, for clients that look nowhere else: axum panics
    /// where the routers of two such servers are merged. Use the layers there.
    pub fn well_known_router<T: Clone + Send + Sync + 'static>(&self) -> Router<T> {
        let issuer = self.server().issuer();
        let mut paths = self.routes().documents();
        paths.push(issuer.well_known("openid-configuration"));
        self.clone().at_the_origin().route_all(paths)
    }

    fn own_paths(&self) -> Vec<String> {
        let routes = self.routes();
        let paths = routes.endpoints();
        #[cfg(feature = "pages")]
        let paths = paths.chain(self.page_paths().map(|page| routes.full(page)));
        paths.collect()
    }

    fn route_all<T: Clone + Send + Sync + 'static>(
        &self,
        paths: impl IntoIterator<Item = String>,
    ) -> Router<T> {
        let service: AuthorizationServerService = self.clone().into_service();
        paths
            .into_iter()
            .fold(Router::new(), |router, path| router.route(&path, any_service(service.clone())))
    }
}
