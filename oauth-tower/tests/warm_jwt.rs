//! A JWT that was verified before costs no memory but the place of the token in the request's extensions. Alone in its process,
//! since it counts every allocation.

use std::alloc::System;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use http_body_util::Full;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::AccessToken;
use oauth_jose::{Algorithm, CompactSigner, JwkSet, LocalKey, Signer};
use oauth_tower::bearer::{BearerLayer, JwtVerifier, TrustedIssuer, Verification, Verifier};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower::{Layer, Service};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Body = Full<bytes::Bytes>;

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}

/// Answers at once, without memory.
#[derive(Clone)]
struct Api;

impl Service<Request<Body>> for Api {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(request.extensions().get::<Arc<AccessToken>>().is_some());
        std::future::ready(Ok(Response::new(Body::default())))
    }
}

#[test]
fn nothing_is_allocated_beyond_the_insert_of_the_token() {
    let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
    let key = LocalKey::generate(Algorithm::Es256).unwrap();
    let keys = JwkSet::new([key.key().jwk().clone()]).unwrap();
    let claims = br#"{"iss":"https://as.example","sub":"alice","aud":"https://api.example","exp":1800000600,
        "iat":1800000000,"jti":"1","client_id":"app","scope":"read write"}"#;
    let token = now(CompactSigner::new(Arc::new(key), "at+jwt").sign(claims)).unwrap();
    let issuer = TrustedIssuer::with_keys("https://as.example", "https://api.example", keys);
    let verifier = JwtVerifier::builder().issuer(issuer).clock(clock).build().unwrap();
    let Verification::Now(Ok(verified)) = verifier.verify_token(&token) else { panic!("a good token") };

    let layer = BearerLayer::new(verifier).resource("https://api.example").require_scope("read");
    let mut service = layer.layer(Api);
    let request = || {
        let request = Request::builder().header("authorization", format!("Bearer {token}"));
        request.body(Body::default()).unwrap()
    };
    let mut bare = request();
    let region = Region::new(ALLOCATOR);
    bare.extensions_mut().insert(verified);
    let insert = region.change();

    let requests = [(); 16].map(|()| request());
    let region = Region::new(ALLOCATOR);
    for request in requests {
        let response = now(service.call(request)).unwrap();
        assert_eq!(response.status(), 200);
    }
    let change = region.change();
    assert_eq!(change.allocations, 16 * insert.allocations, "{change:?}");
    assert_eq!(change.reallocations, 0);
}
