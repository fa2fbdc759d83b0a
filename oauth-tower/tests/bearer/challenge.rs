//! What refusals say.

use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use oauth_tower::bearer::{Cause, Refusal, RequireScopeLayer, Rfc6750, WriteRefusal};
use oauth_tower::body::Body;
use tower::Layer;

use crate::world::{Answer, Api, World, ask, bare, bearer, request};

#[tokio::test]
async fn the_words_of_each() {
    let world = World::new();
    let layer = world.layer().require_scope("write");
    let read = world.token("read").await;
    let challenge = async |request| ask(&layer, request).await.challenge().to_owned();
    assert_eq!(challenge(bare()).await, r#"Bearer realm="api", scope="write""#);
    assert_eq!(
        challenge(bearer("junk")).await,
        r#"Bearer realm="api", error="invalid_token", error_description="the access token is invalid, expired or revoked", scope="write""#
    );
    assert_eq!(
        challenge(bearer(&read)).await,
        r#"Bearer realm="api", error="insufficient_scope", error_description="the access token does not have the scope that this needs", scope="write""#
    );
    assert_eq!(
        challenge(request(["Bearer"])).await,
        r#"Bearer realm="api", error="invalid_request", error_description="the Authorization header must hold one bearer token""#
    );
}

#[tokio::test]
async fn bt_16_nothing_of_the_request_is_repeated() {
    let world = World::new();
    let layer = world.layer().realm(r#"a "b" \c"#).require_scope(r"x\y");
    let evil = |authorization: Option<&str>| {
        let mut request = Request::get("/canary%22%2c%20Basic%20realm=%22?canary=1")
            .header("host", r#"canary", Basic realm="x"#)
            .header("x-forwarded-host", "canary")
            .header("origin", "https://canary.example");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        request.body(Full::default()).unwrap()
    };
    for value in [
        None,
        Some("Bearer canary"),
        Some("Bearer canary canary"),
        Some("Canary x"),
        Some("Bearer \"canary\""),
    ] {
        let answer = ask(&layer, evil(value)).await;
        assert!(answer.challenge().starts_with(r#"Bearer realm="a \"b\" \\c""#), "{}", answer.challenge());
        let all = format!("{:?} {}", answer.headers, answer.body).to_lowercase();
        assert!(!all.contains("canary") && !all.contains("basic"), "{all}");
    }
    assert!(ask(&layer, evil(None)).await.challenge().ends_with(r#"scope="x\\y""#));
}

#[tokio::test]
async fn a_realm_that_cannot_stand_in_a_header() {
    let world = World::new();
    let answer = ask(&world.layer().realm("a\r\nSet-Cookie: b\u{7f}é"), bare()).await;
    assert_eq!(answer.challenge(), r#"Bearer realm="a??Set-Cookie: b??""#);
}

#[derive(Debug)]
struct Grpc;

impl WriteRefusal for Grpc {
    fn write(&self, refusal: &Refusal<'_>, request: &HeaderMap) -> Response<Body> {
        if request.get("content-type").is_none_or(|media_type| media_type != "application/grpc") {
            return Rfc6750.write(refusal, request);
        }
        let status = if refusal.cause == Cause::InsufficientScope { 7 } else { 16 };
        Response::builder().header("grpc-status", status).body(Body::empty()).unwrap()
    }
}

#[tokio::test]
async fn a_writer_of_ones_own_also_for_refusals_further_inside() {
    let world = World::new();
    let read = world.token("read").await;
    let api = Api::default();
    let layer = world.layer().refuse_with(Grpc);
    let service = || layer.layer(RequireScopeLayer::new("write").layer(api.clone()));
    let grpc = |mut request: Request<_>| {
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        request
    };
    assert_eq!(Answer::of(service(), grpc(bare())).await.headers["grpc-status"], "16");
    assert_eq!(Answer::of(service(), grpc(bearer(&read))).await.headers["grpc-status"], "7");
    Answer::of(service(), bearer(&read)).await.refused(403, "insufficient_scope");
    assert_eq!(api.calls(), 0);
}
