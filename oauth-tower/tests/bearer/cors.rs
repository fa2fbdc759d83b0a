//! Preflights, and what scripts may read.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::world::{World, ask, bearer};

fn preflight() -> Request<Full<Bytes>> {
    Request::options("/notes")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization, x-own")
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn bt_21_options_never_reaches_the_handler() {
    let world = World::new();
    let plain = || Request::options("/").body(Full::default()).unwrap();
    let layer = world.layer();
    ask(&layer, preflight()).await.refused(401, "unauthorized");
    ask(&layer, plain()).await.refused(401, "unauthorized");
    let open = world.layer().cors();
    ask(&open, plain()).await.refused(401, "unauthorized");
    assert_eq!(ask(&open, preflight()).await.status, 204);
    for method in ["HEAD", "GET", "POST", "TRACE", "CONNECT", "PROPFIND"] {
        let mut request = preflight();
        *request.method_mut() = method.parse().unwrap();
        ask(&open, request).await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let world = World::new();
    let mut request = preflight();
    let token = world.token("read").await;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    for request in [preflight(), request] {
        let answer = ask(&world.layer().cors(), request).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (204, ""));
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["access-control-allow-methods"], "*");
        assert_eq!(answer.headers["access-control-allow-headers"], "authorization, x-own");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn scripts_may_read_answers_and_challenges() {
    let world = World::new();
    let token = world.token("read").await;
    for (request, status) in [(bearer(&token), 200), (bearer("junk"), 401)] {
        let answer = ask(&world.layer().cors(), request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
        assert!(exposed.contains("WWW-Authenticate"));
    }
    let answer = ask(&world.layer(), bearer(&token)).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn the_apps_own_word_counts() {
    let world = World::new();
    let app = service_fn(async |_: Request<Full<Bytes>>| {
        let own = Response::builder().header("access-control-allow-origin", "https://app.example");
        own.body(Full::<Bytes>::default())
    });
    let request = bearer(&world.token("read").await);
    let answer = world.layer().cors().layer(app).oneshot(request).await.unwrap();
    let origins: Vec<_> = answer.headers().get_all("access-control-allow-origin").iter().collect();
    assert_eq!(origins, ["https://app.example"]);
}
