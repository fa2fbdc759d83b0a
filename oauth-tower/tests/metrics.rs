//! Counters of the bearer layer, and of the authorization server's endpoints.

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use http_body_util::Full;
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use oauth_core::clock::Timestamp;
use oauth_core::server::{AccessToken, VerifyError};
use oauth_tower::bearer::{BearerLayer, Verification, Verifier};
use support::{QUERY, empty, machine, post, send};
use tower::{Layer, ServiceExt, service_fn};

/// What was counted, by name and labels.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<BTreeMap<String, u64>>>);

struct One(Counted, String);

impl CounterFn for One {
    fn increment(&self, value: u64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for Counted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Counter::from_arc(Arc::new(One(self.clone(), name.trim_end().to_owned())))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Accepts the token `good`.
#[derive(Clone)]
struct Good;

impl Verifier for Good {
    type Future = std::future::Ready<Result<Arc<AccessToken>, VerifyError>>;

    fn verify_token(&self, token: &str) -> Verification<Self::Future> {
        let at = Timestamp::from_secs(0);
        Verification::Now(match token {
            "good" => Ok(Arc::new(AccessToken::new("https://as.example", "app", at, at))),
            _ => Err(VerifyError::Rejected("not good")),
        })
    }
}

#[test]
fn what_is_accepted_and_what_is_refused() {
    let counted = Counted::default();
    let ask = |layer: &BearerLayer<Good>, value: &str| {
        let api = service_fn(async |_: Request<()>| {
            Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::default()))
        });
        let request = Request::builder().header("authorization", value).body(()).unwrap();
        metrics::with_local_recorder(&counted, || {
            let future = pin!(layer.layer(api).oneshot(request));
            assert!(matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
        });
    };
    let layer = BearerLayer::new(Good);
    for value in ["Bearer good", "Bearer good", "Bearer bad", "Basic x", "Bearer"] {
        ask(&layer, value);
    }
    ask(&layer.observe(), "Bearer bad");
    let expected = [
        ("oauth_bearer_accepted_total", 2),
        ("oauth_bearer_refused_total error=invalid_request passed=false", 1),
        ("oauth_bearer_refused_total error=invalid_token passed=false", 1),
        ("oauth_bearer_refused_total error=invalid_token passed=true", 1),
        ("oauth_bearer_refused_total error=no_token passed=false", 1),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(*counted.0.lock().unwrap(), BTreeMap::from(expected));
}

#[test]
fn requests_by_endpoint_and_outcome() {
    let counted = Counted::default();
    let service = support::layer().into_service();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let silent = format!("/authorize?{QUERY}&prompt=none");
    for request in [
        machine("/token", "grant_type=client_credentials"),
        machine("/token", "grant_type=client_credentials"),
        machine("/token", "grant_type=password"),
        post("/token", "client_id=nobody"),
        empty("GET", "/token"),
        machine("/introspect", "token=x"),
        machine("/revoke", "token=x"),
        empty("GET", "/jwks"),
        empty("GET", "/.well-known/oauth-authorization-server"),
        empty("GET", "/authorize"),
        empty("GET", &silent),
        empty("GET", "/not-ours"),
    ] {
        metrics::with_local_recorder(&counted, || runtime.block_on(send(&service, request)));
    }
    let expected = [
        ("authorize", "invalid_request", 1),
        ("authorize", "login_required", 1),
        ("introspect", "ok", 1),
        ("jwks", "ok", 1),
        ("metadata", "ok", 1),
        ("revoke", "ok", 1),
        ("token", "invalid_client", 1),
        ("token", "invalid_request", 1),
        ("token", "ok", 2),
        ("token", "unsupported_grant_type", 1),
    ];
    let line = |(endpoint, outcome, count): (&str, &str, u64)| {
        (format!("oauth_requests_total endpoint={endpoint} outcome={outcome}"), count)
    };
    assert_eq!(*counted.0.lock().unwrap(), expected.into_iter().map(line).collect());
}
