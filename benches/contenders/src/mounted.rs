//! A contender as a host has it: a tower service in an axum app, on a tokio runtime.

use axum::Router;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use crate::floor::collected;
use crate::{Contender, Path, Req, Res};

/// The router of a contender, called as a service. What it spawns runs on the same thread.
pub struct Mounted<C> {
    contender: C,
    router: Router,
    runtime: Runtime,
}

impl<C> Mounted<C> {
    fn answer(&mut self, request: Req) -> Res {
        let Self { router, runtime, .. } = self;
        runtime.block_on(collected(router.call(request)))
    }
}

impl<C: Contender> Contender for Mounted<C> {
    const NAME: &'static str = C::NAME;
    const TOKEN: &'static str = C::TOKEN;
    const INTROSPECTION: &'static str = C::INTROSPECTION;

    fn supports(path: Path) -> bool {
        C::supports(path)
    }

    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let contender = C::new();
        Self { router: contender.router(), contender, runtime }
    }

    async fn call(&mut self, request: Req) -> Res {
        self.answer(request)
    }

    async fn resource(&mut self, request: Req) -> Res {
        self.answer(request)
    }

    fn jwt(&self) -> String {
        self.contender.jwt()
    }

    async fn jwt_resource(&mut self, request: Req) -> Res {
        self.answer(request)
    }

    fn code(&mut self) -> String {
        self.contender.code()
    }

    fn router(&self) -> Router {
        self.router.clone()
    }
}
