//! The endpoints that answer JSON, through the service.

mod support;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use oauth_core::metadata::Endpoint;
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use serde_json::json;
use support::{SECRET, basic, empty, layer, machine, no_body, post, request, send, server, server_at};
use tower::ServiceExt;

const TOKEN: &str = "grant_type=client_credentials";

fn service() -> AuthorizationServerService {
    layer().into_service()
}

fn all_members(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => false,
        serde_json::Value::Array(list) => list.iter().all(all_members),
        serde_json::Value::Object(map) => map.values().all(all_members),
        _ => true,
    }
}

#[tokio::test]
async fn strict_clients_get_what_they_check() {
    let answer = send(&service(), machine("/token", TOKEN)).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert!(all_members(&json), "{json}");
    assert!(json["expires_in"].is_u64() && json["scope"].is_string());
    assert_eq!(json["token_type"], "Bearer");
    assert!(json.get("refresh_token").is_none());

    let token = json["access_token"].as_str().unwrap();
    let answer = send(&service(), machine("/revoke", &format!("token={token}"))).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "{}"));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn introspection_answers_the_tokens_client() {
    let service = service();
    let issued = send(&service, machine("/token", TOKEN)).await.json();
    let form = format!("token={}", issued["access_token"].as_str().unwrap());
    let answer = send(&service, machine("/introspect", &form)).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert!(all_members(&json) && json["active"] == true && json["iss"] == "https://as.example", "{json}");
    assert!(answer.is_not_kept() && !answer.has_cors());
    send(&service, machine("/revoke", &form)).await;
    assert_eq!(send(&service, machine("/introspect", &form)).await.json(), json!({ "active": false }));
}

#[tokio::test]
async fn mx_04_metadata_tells_the_truth() {
    let answer = send(&service(), empty("GET", "/.well-known/oauth-authorization-server")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(
        answer.json(),
        json!({
            "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
            "jwks_uri": "https://as.example/jwks",
            "scopes_supported": ["read", "write"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "RS256"],
            "revocation_endpoint": "https://as.example/revoke",
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
            "revocation_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "RS256"],
            "introspection_endpoint": "https://as.example/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    );
    let keys = send(&service(), empty("GET", "/jwks")).await;
    assert_eq!(keys.json(), json!({ "keys": [] }));
}

#[tokio::test]
async fn mx_04_metadata_names_only_what_is_mounted() {
    let layer = AuthorizationServerLayer::new(server())
        .without(Endpoint::Introspect)
        .path(Endpoint::Token, "/oauth/token");
    let service = layer.into_service();
    let json = send(&service, empty("GET", "/.well-known/oauth-authorization-server/")).await.json();
    for absent in ["authorization_endpoint", "introspection_endpoint", "response_modes_supported"] {
        assert!(json.get(absent).is_none(), "{absent}");
    }
    assert!(all_members(&json));
    assert_eq!(json["response_types_supported"], json!([]));
    assert_eq!(json["authorization_response_iss_parameter_supported"], false);
    assert_eq!(json["token_endpoint"], "https://as.example/oauth/token");
    assert_eq!(send(&service, machine("/oauth/token", TOKEN)).await.status, 200);
    for gone in ["/token", "/introspect", "/authorize"] {
        assert_eq!(send(&service, machine(gone, TOKEN)).await.status, 404, "{gone}");
    }
}

#[tokio::test]
async fn mx_07_an_issuer_with_a_path() {
    let service = AuthorizationServerLayer::new(server_at("https://as.example/t1")).into_service();
    let document = send(&service, empty("GET", "/.well-known/oauth-authorization-server/t1")).await.json();
    assert_eq!(document["issuer"], "https://as.example/t1");
    assert_eq!(document["token_endpoint"], "https://as.example/t1/token");
    assert_eq!(send(&service, machine("/t1/token", TOKEN)).await.status, 200);
    assert_eq!(send(&service, machine("/token", TOKEN)).await.status, 404);
    for unknown in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/t2",
        "/.well-known/oauth-authorization-server/../t1",
        "/.well-known/openid-configuration/t1",
        "/t1/.well-known/openid-configuration",
    ] {
        let answer = send(&service, empty("GET", unknown)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (404, Some("not_found")),
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn metadata_takes_get_head_and_options() {
    let service = service();
    for path in ["/.well-known/oauth-authorization-server", "/jwks"] {
        let get = send(&service, empty("GET", path)).await;
        let head = send(&service, empty("HEAD", path)).await;
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), get.body.len().to_string());
        let preflight = request("OPTIONS", path)
            .header("origin", "https://spa.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "mcp-protocol-version")
            .body(no_body())
            .unwrap();
        let preflight = send(&service, preflight).await;
        assert_eq!(preflight.status, 204);
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert_eq!(preflight.header("access-control-allow-headers"), "mcp-protocol-version");
        assert_eq!(preflight.header("vary"), "Access-Control-Request-Headers");
        let other = send(&service, post(path, "")).await;
        assert_eq!((other.status.as_u16(), other.header("allow")), (405, "GET, HEAD, OPTIONS"));
    }
}

#[tokio::test]
async fn rp_16_bodies_are_bounded() {
    let service = layer().body_limit(1000).into_service();
    let long = format!("{TOKEN}&x={}", "x".repeat(1000));
    // Nothing of it is read: its first piece never comes.
    let announced = Pieces { stall: true, announced: 10_485_760, ..Pieces::of("", 1) };
    let (head, _) = machine("/token", "").into_parts();
    let answer = service.clone().oneshot(Request::from_parts(head, announced)).now_or_never();
    assert_eq!(answer.expect("an answer at once").unwrap().status(), 413);
    // Counted where nothing was announced, or a lie.
    let mut lie = machine("/token", &long);
    lie.headers_mut().insert("content-length", "10".parse().unwrap());
    assert_eq!(send(&service, lie).await.status, 413);
    let pieces = Pieces::of(&long, 100);
    let (head, _) = machine("/token", "").into_parts();
    let answer = service.clone().oneshot(Request::from_parts(head, pieces)).await.unwrap();
    assert_eq!(answer.status(), 413);

    let exact = format!("{TOKEN}&x={}", "x".repeat(1000 - TOKEN.len() - 3));
    assert_eq!(send(&service, machine("/token", &exact)).await.status, 200);
    let (head, _) = machine("/token", "").into_parts();
    let answer = service.oneshot(Request::from_parts(head, Pieces::of(&exact, 7))).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn rp_17_a_body_that_does_not_come_is_given_up() {
    let service = layer().deadline(Duration::from_secs(2)).into_service();
    let (head, _) = machine("/token", "").into_parts();
    let body = Pieces { stall: true, ..Pieces::of("grant_type=", 100) };
    let answer = service.oneshot(Request::from_parts(head, body)).await.unwrap();
    assert_eq!(answer.status(), 408);
    assert!(answer.headers().contains_key("cache-control"));
}

#[test]
fn an_answer_at_hand_needs_no_runtime() {
    let answer = send(&service(), machine("/token", TOKEN)).now_or_never();
    assert_eq!(answer.unwrap().status, 200);
    let (head, _) = machine("/token", "").into_parts();
    let pieces = Pieces { stall: true, ..Pieces::of("", 1) };
    assert!(service().oneshot(Request::from_parts(head, pieces)).now_or_never().is_none());
}

#[tokio::test]
async fn rp_20_rp_21_other_media_types_are_refused() {
    for media_type in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json, application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16",
    ] {
        for path in ["/token", "/revoke", "/introspect"] {
            let mut request = machine(path, TOKEN);
            request.headers_mut().insert("content-type", media_type.parse().unwrap());
            let answer = send(&service(), request).await;
            assert_eq!((answer.status.as_u16(), &*answer.error()), (415, "invalid_request"), "{media_type}");
        }
    }
    let mut none = machine("/token", TOKEN);
    none.headers_mut().remove("content-type");
    assert_eq!(send(&service(), none).await.status, 415);
    let mut twice = machine("/token", TOKEN);
    twice.headers_mut().append("content-type", support::FORM.parse().unwrap());
    assert_eq!(send(&service(), twice).await.status, 415);
    let mut utf8 = machine("/token", TOKEN);
    utf8.headers_mut().insert("content-type", format!("{}; charset=UTF-8", support::FORM).parse().unwrap());
    assert_eq!(send(&service(), utf8).await.status, 200);
}

#[tokio::test]
async fn rp_22_rp_23_only_post_is_taken() {
    for path in ["/token", "/revoke", "/introspect"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "post"] {
            let uri = format!("{path}?grant_type=client_credentials&client_id=m2m&client_secret={SECRET}");
            let answer = send(&service(), empty(method, &uri)).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, "POST, OPTIONS"),
                "{method} {path}"
            );
            assert!(!answer.text().contains("access_token"));
        }
        let overridden =
            request("GET", path).header("x-http-method-override", "POST").body(no_body()).unwrap();
        assert_eq!(send(&service(), overridden).await.status, 405);
    }
}

#[tokio::test]
async fn rp_05_ca_13_the_query_is_not_read() {
    let uri = format!("/token?grant_type=client_credentials&client_id=m2m&client_secret={SECRET}");
    let answer = send(&service(), post(&uri, TOKEN)).await;
    assert!(matches!(answer.status.as_u16(), 400 | 401));
    assert!(!answer.text().contains(SECRET));
    let answer = send(&service(), machine("/token?grant_type=password&client_id=evil", TOKEN)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn rp_25_options_is_a_preflight_and_nothing_else() {
    let mut request = machine("/token", TOKEN);
    *request.method_mut() = http::Method::OPTIONS;
    request.headers_mut().insert("origin", "https://spa.example".parse().unwrap());
    request.headers_mut().insert("access-control-request-headers", "authorization, dpop".parse().unwrap());
    let answer = send(&service(), request).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
    assert_eq!(answer.header("allow"), "POST, OPTIONS");
    assert_eq!(answer.header("access-control-allow-methods"), "POST, OPTIONS");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization, dpop");
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    let closed = send(&service(), empty("OPTIONS", "/introspect")).await;
    assert!(closed.status == 204 && !closed.has_cors());
}

#[tokio::test]
async fn rp_26_errors_echo_nothing() {
    for form in ["client_id=%22%5c%0a%E2%82%AC&grant_type=x", "client_id=app&grant_type=%22%5c%E2%82%AC"] {
        let answer = send(&service(), post("/token", form)).await;
        assert!(answer.status.is_client_error());
        assert!(!answer.error().is_empty());
        assert!(!answer.text().contains('€'));
    }
}

#[tokio::test]
async fn rp_38_long_addresses_are_refused() {
    for (method, path) in [("POST", "/token"), ("GET", "/jwks"), ("GET", "/authorize")] {
        let uri = format!("{path}?{}={}", "client_id", "x".repeat(60_000));
        let mut request = empty(method, &uri);
        request.headers_mut().insert("content-type", support::FORM.parse().unwrap());
        assert_eq!(send(&service(), request).await.status, 414, "{path}");
    }
}

#[tokio::test]
async fn rp_40_forwarding_headers_are_not_heard() {
    let poisoned = |path| {
        request("GET", path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "javascript")
            .header("forwarded", "host=evil.example;proto=http")
            .body(no_body())
            .unwrap()
    };
    let service = service();
    let plain = send(&service, empty("GET", "/.well-known/oauth-authorization-server")).await;
    let answer = send(&service, poisoned("/.well-known/oauth-authorization-server")).await;
    assert_eq!(plain.body, answer.body);
    let answer = send(&service, poisoned(&format!("/authorize?{}", support::QUERY))).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with("/login?return_to="));
    assert!(answer.header("set-cookie").contains("; Secure"));
}

#[tokio::test]
async fn ca_02_a_failed_basic_authentication_is_challenged() {
    let mut wrong = machine("/token", TOKEN);
    wrong.headers_mut().insert("authorization", basic("nobody"));
    let answer = send(&service(), wrong).await;
    assert_eq!((answer.status.as_u16(), &*answer.error()), (401, "invalid_client"));
    assert!(answer.header("www-authenticate").starts_with("Basic realm="));
    let post = send(&service(), post("/token", &format!("{TOKEN}&client_id=m2m"))).await;
    assert_eq!((post.status.as_u16(), &*post.error()), (401, "invalid_client"));
}

#[tokio::test]
async fn ca_03_ca_08_two_ways_at_once_are_refused() {
    let both = machine("/token", &format!("{TOKEN}&client_id=m2m&client_secret={SECRET}"));
    let answer = send(&service(), both).await;
    assert_eq!((answer.status.as_u16(), &*answer.error()), (400, "invalid_request"));
    let mut twice = machine("/token", TOKEN);
    twice.headers_mut().append("authorization", basic("m2m"));
    let answer = send(&service(), twice).await;
    assert_eq!((answer.status.as_u16(), &*answer.error()), (400, "invalid_request"));
}

#[tokio::test]
async fn ca_14_unknown_and_known_clients_hear_the_same() {
    let refused = async |id: &str| {
        use base64::Engine;
        let credentials =
            base64::engine::general_purpose::STANDARD.encode(format!("{id}:wrong-wrong-wrong-wrong"));
        let mut request = machine("/token", TOKEN);
        request.headers_mut().insert("authorization", format!("Basic {credentials}").parse().unwrap());
        send(&service(), request).await
    };
    let (known, unknown) = (refused("m2m").await, refused("nope").await);
    assert_eq!((known.status, known.headers, known.body), (unknown.status, unknown.headers, unknown.body));
}

#[tokio::test]
async fn br_18_nothing_is_kept() {
    let service = service();
    for request in [
        machine("/token", TOKEN),
        machine("/token", "grant_type=password"),
        post("/token", TOKEN),
        empty("GET", "/token"),
        machine("/introspect", "token=x"),
        post("/introspect", "token=x"),
        machine("/revoke", "token=x"),
        machine("/revoke", ""),
        empty("GET", &format!("/authorize?{}", support::QUERY)),
        empty("GET", "/authorize?client_id=nope"),
        empty("GET", &format!("/authorize?{}&prompt=none", support::QUERY)),
        empty("DELETE", "/authorize"),
    ] {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = send(&service, request).await;
        assert!(answer.is_not_kept(), "{what}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn ru_51_no_path_is_normalised() {
    for path in ["//evil.example/", "/%2fevil.example/", "/token/", "//token", "/TOKEN", "/./token"] {
        let answer = send(&service(), empty("GET", path)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (404, ""), "{path}");
    }
}

/// A body in pieces, which may never end.
struct Pieces {
    pieces: VecDeque<Bytes>,
    stall: bool,
    /// As an HTTP server has it from `Content-Length`.
    announced: u64,
}

impl Pieces {
    fn of(text: &str, size: usize) -> Self {
        let pieces = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        Self { pieces, stall: false, announced: 0 }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.stall => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_a_bad_request() {
    let broken =
        http_body_util::StreamBody::new(futures_util::stream::iter([Err::<Frame<Bytes>, _>("broken")]));
    let (head, _) = machine("/token", "").into_parts();
    let answer = service().oneshot(Request::from_parts(head, broken.boxed_unsync())).await.unwrap();
    assert_eq!(answer.status(), 400);
}
