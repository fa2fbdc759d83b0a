//! What differs from one world to the other.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use oauth_core::server::{Server, ServerBuilder};
use oauth_tower::pages::{Pages, Theme};
use oauth_tower::server::AuthorizationServerLayer;

use crate::{Users, World};

type Configure<T> = Box<dyn FnOnce(T) -> T>;
type Mount = Box<dyn FnOnce(AuthorizationServerLayer, Router) -> Router>;

/// How a [`World`] is made.
pub struct Setup {
    pub(crate) origin: Option<&'static str>,
    pub(crate) path: &'static str,
    pub(crate) server: Configure<ServerBuilder>,
    pub(crate) layer: Box<dyn FnOnce(Arc<Server>) -> AuthorizationServerLayer>,
    pub(crate) mount: Mount,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            origin: Some("https://auth.example"),
            path: "",
            server: Box::new(|server| server),
            layer: Box::new(with_pages),
            mount: Box::new(|layer, api| api.layer(layer)),
        }
    }
}

impl Setup {
    /// `https://auth.example`, with the built-in pages, around the API.
    pub fn new() -> Self {
        Self::default()
    }

    /// Known by its own address, as on a developer's machine.
    #[must_use]
    pub fn on_loopback(mut self) -> Self {
        self.origin = None;
        self
    }

    /// An issuer with a path.
    #[must_use]
    pub fn path(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    /// Other settings of the server.
    #[must_use]
    pub fn server(mut self, configure: impl FnOnce(ServerBuilder) -> ServerBuilder + 'static) -> Self {
        self.server = Box::new(configure);
        self
    }

    /// Other settings of the layer.
    #[must_use]
    pub fn layer(
        self,
        configure: impl FnOnce(AuthorizationServerLayer) -> AuthorizationServerLayer + 'static,
    ) -> Self {
        self.layer_of(|server| configure(with_pages(server)))
    }

    /// Another layer, with a host of its own.
    #[must_use]
    pub fn layer_of(mut self, layer: impl FnOnce(Arc<Server>) -> AuthorizationServerLayer + 'static) -> Self {
        self.layer = Box::new(layer);
        self
    }

    /// Another app: made of the layer and of the API's router.
    #[must_use]
    pub fn mount(mut self, mount: impl FnOnce(AuthorizationServerLayer, Router) -> Router + 'static) -> Self {
        self.mount = Box::new(mount);
        self
    }

    /// Starts it.
    pub async fn start(self) -> World {
        World::of(self).await
    }
}

fn with_pages(server: Arc<Server>) -> AuthorizationServerLayer {
    let pages = Pages::new(server.clone(), Users).theme(Theme::new("Acme"));
    AuthorizationServerLayer::new(server).pages(pages)
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("origin", &self.origin)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
