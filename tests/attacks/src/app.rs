//! The app around the server: it says that a request reached it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

/// Answers everything with 200 and `x-inner: <method> <path>`.
#[derive(Clone, Copy, Debug)]
pub struct App;

impl<B> Service<Request<B>> for App {
    type Response = Response<Full<bytes::Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let place = format!("{} {}", request.method(), request.uri().path());
        let response = Response::builder().header("x-inner", place).body(Full::from("inner"));
        ready(Ok(response.expect("method and path are header text")))
    }
}
