//! Readiness, concurrency, dropped futures.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use oauth_core::storage::testing::Fault;
use oauth_tower::bearer::RequireScopeLayer;
use tower::{Layer, Service, ServiceExt};

use crate::world::{Api, World, bare, bearer};

/// Panics when it is called without having been asked; counts the permits that instances hold.
struct Strict {
    ready: bool,
    permits: Arc<AtomicIsize>,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn new() -> Self {
        Self { ready: false, permits: Arc::default(), calls: Arc::default() }
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, permits: self.permits.clone(), calls: self.calls.clone() }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        if self.ready {
            self.permits.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if !std::mem::replace(&mut self.ready, true) {
            self.permits.fetch_add(1, Ordering::SeqCst);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been asked");
        self.permits.fetch_sub(1, Ordering::SeqCst);
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(Full::default())))
    }
}

async fn asked<S>(service: &mut S) -> &mut S
where
    S: Service<Request<Full<Bytes>>>,
    S::Error: std::fmt::Debug,
{
    service.ready().await.unwrap()
}

#[tokio::test]
async fn the_instance_that_was_ready_is_called() {
    let world = World::new();
    let token = world.token("read").await;
    let strict = Strict::new();
    let (permits, calls) = (strict.permits.clone(), strict.calls.clone());
    let mut service = world.layer().optional().layer(RequireScopeLayer::new("read").layer(strict));
    for (request, called) in
        [(bearer(&token), 1), (bearer("junk"), 1), (bare(), 1), (bearer(&token), 2), (bearer(&token), 3)]
    {
        let ready = asked(&mut service).await;
        ready.call(request).await.unwrap();
        assert_eq!((permits.load(Ordering::SeqCst), calls.load(Ordering::SeqCst)), (0, called));
    }
}

#[tokio::test]
async fn a_dropped_future_gives_its_permit_back() {
    let world = World::new();
    let token = world.token("read").await;
    world.store.script(|_| Some(Fault::Hang));
    let strict = Strict::new();
    let (permits, calls) = (strict.permits.clone(), strict.calls.clone());
    let mut service = world.layer().layer(strict);
    let ready = asked(&mut service).await;
    let mut future = Box::pin(ready.call(bearer(&token)));
    let pending = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await;
    assert!(pending);
    assert_eq!(permits.load(Ordering::SeqCst), 1);
    drop(future);
    assert_eq!((permits.load(Ordering::SeqCst), calls.load(Ordering::SeqCst)), (0, 0));
    world.store.script(|_| None);
    let ready = asked(&mut service).await;
    assert_eq!(ready.call(bearer(&token)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn several_calls_in_flight_each_with_its_own_token() {
    let world = World::new();
    let scopes = ["read", "write", "admin", "read write"];
    let mut tokens = Vec::new();
    for scope in scopes {
        tokens.push(world.token(&scope.replace(' ', "+")).await);
    }
    world.store.script(|call| Some(Fault::Delay((call.index % 5) as u32)));
    let api = Api::default();
    let mut service = api.behind(&world.layer());
    let mut tasks = Vec::new();
    for round in 0..64 {
        let call = asked(&mut service).await.call(bearer(&tokens[round % 4]));
        tasks.push(tokio::spawn(call));
    }
    for (round, task) in tasks.into_iter().enumerate() {
        use http_body_util::BodyExt as _;
        let body = task.await.unwrap().unwrap().into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, format!("m2m {}", scopes[round % 4]));
    }
    assert_eq!(api.calls(), 64);
}

#[tokio::test]
async fn an_error_of_the_inner_service_passes() {
    let world = World::new();
    let app = tower::service_fn(async |_: Request<Full<Bytes>>| Err::<Response<Full<Bytes>>, _>("broken"));
    let service = world.layer().layer(app);
    let error = service.clone().oneshot(bearer(&world.token("read").await)).await.unwrap_err();
    assert_eq!(error, "broken");
    assert_eq!(service.oneshot(bare()).await.unwrap().status(), 401);
}

#[tokio::test]
async fn any_request_body() {
    let world = World::new();
    let app = tower::service_fn(async |request: Request<std::rc::Rc<str>>| {
        Ok::<_, Infallible>(Response::new(request.into_body().to_string()))
    });
    let request = Request::builder().header("authorization", format!("Bearer {}", world.token("read").await));
    let request = request.body(std::rc::Rc::<str>::from("not a stream")).unwrap();
    assert_eq!(world.layer().layer(app).oneshot(request).await.unwrap().status(), 200);
}
