//! What the header may be.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::world::{Answer, Api, World, ask, bare, bearer, request};

#[tokio::test]
async fn bt_02_a_token_in_the_header_and_one_in_the_body() {
    let world = World::new();
    let (a, b) = (world.token("read").await, world.token("write").await);
    let both = |value: String, body: String| {
        Request::post("/")
            .header("authorization", value)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    };
    // The body is not looked at, so the one in the header counts, and only that.
    let answer = ask(&world.layer(), both(format!("Bearer {a}"), format!("access_token={b}"))).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "m2m read"));
    ask(&world.layer(), both("Bearer bad".into(), format!("access_token={b}")))
        .await
        .refused(401, "invalid_token");
    let twice = request([format!("Bearer {a}"), format!("Bearer {a}")]);
    ask(&world.layer(), twice).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn bt_04_a_token_in_the_query_is_never_used() {
    let world = World::new();
    let (read, write) = (world.token("read").await, world.token("write").await);
    let mut with_header = bearer(&read);
    *with_header.uri_mut() = format!("/?access_token={write}").parse().unwrap();
    assert_eq!(ask(&world.layer(), with_header).await.body, "m2m read");
    let mut alone = bare();
    *alone.uri_mut() = format!("/?access_token={write}").parse().unwrap();
    ask(&world.layer(), alone).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn bt_05_the_scheme_in_any_case() {
    let world = World::new();
    let token = world.token("read").await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let answer = ask(&world.layer(), request([format!("{scheme} {token}")])).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
    let spaces = request([format!("Bearer   {token}")]);
    assert_eq!(ask(&world.layer(), spaces).await.status, 200);
}

#[tokio::test]
async fn bt_06_malformed_headers() {
    let world = World::new();
    let token = world.token("read").await;
    for value in ["Bearer", "Bearer ", "", " ", "Bearer a b", "=", "Bearer\t"] {
        ask(&world.layer(), request([value])).await.refused(400, "invalid_request");
    }
    for value in [
        format!("Bearer {token} {token}"),
        format!("Bearer {token} "),
        format!("Bearer\t{token}"),
        format!("Bearer{token} "),
        format!("Bearer=\"{token}\""),
        format!("Bearer \"{token}\""),
        format!("Bearer access_token={token}"),
    ] {
        let answer = ask(&world.layer(), request([&value])).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{value}: {answer:?}");
    }
    ask(&world.layer(), request([format!("BearerX {token}")])).await.refused(401, "unauthorized");
    assert_eq!(world.loads(), 0);
}

#[tokio::test]
async fn bt_08_lists() {
    let world = World::new();
    let token = world.token("read").await;
    for value in [
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer {token},"),
    ] {
        ask(&world.layer(), request([value])).await.refused(400, "invalid_request");
    }
    ask(&world.layer(), request([format!("Basic YTpi, Bearer {token}")])).await.refused(401, "unauthorized");
    for other in ["Basic YTpi", "Bearer x", ""] {
        for values in
            [[format!("Bearer {token}"), other.to_owned()], [other.to_owned(), format!("Bearer {token}")]]
        {
            ask(&world.layer(), request(values)).await.refused(400, "invalid_request");
        }
    }
}

#[tokio::test]
async fn bt_09_bytes_that_are_no_text() {
    let world = World::new();
    let values: [&[u8]; 6] = [
        b"Bearer \xff\xfe",
        "Bearer é".as_bytes(),
        b"\xff\xfe",
        b"Bearer a\xff",
        b"B\xe9arer a",
        b"Bearer\xa0a",
    ];
    for value in values {
        let answer = ask(&world.layer(), request([value])).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{}", value.escape_ascii());
    }
    // NUL and line folds cannot become a header value at all.
    for value in [&b"Bearer a\0b"[..], b"Bearer a\r\n b"] {
        assert!(http::HeaderValue::from_bytes(value).is_err());
    }
}

#[tokio::test]
async fn bt_10_a_huge_header() {
    let world = World::new();
    for token in ["a".repeat(1 << 20), ".".repeat(1_000_000), "a".repeat(8193)] {
        ask(&world.layer(), bearer(&token)).await.refused(401, "invalid_token");
    }
    assert_eq!(world.loads(), 0);
}

#[tokio::test]
async fn bt_11_a_token_in_the_body_is_ignored() {
    let world = World::new();
    let token = world.token("read").await;
    let boundary =
        format!("--x\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n{token}\r\n--x--\r\n");
    for (method, media_type, body) in [
        ("GET", "application/x-www-form-urlencoded", format!("access_token={token}")),
        ("POST", "application/x-www-form-urlencoded", format!("access_token={token}")),
        ("POST", "multipart/form-data; boundary=x", boundary),
        ("POST", "application/json", format!("{{\"access_token\":\"{token}\"}}")),
    ] {
        let request = Request::builder().method(method).header("content-type", media_type);
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        ask(&world.layer(), request).await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn other_schemes_count_as_no_token() {
    let world = World::new();
    let token = world.token("read").await;
    for value in [format!("DPoP {token}"), "Basic YTpi".into(), format!("Token {token}"), token.clone()] {
        ask(&world.layer(), request([value])).await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_token_in_another_header_is_not_looked_at() {
    let world = World::new();
    let token = world.token("read").await;
    let api = Api::default();
    let request = Request::get("/")
        .header("proxy-authorization", format!("Bearer {token}"))
        .header("x-authorization", format!("Bearer {token}"))
        .header("authorization-bin", format!("Bearer {token}"))
        .header("cookie", format!("access_token={token}"));
    let answer = Answer::of(api.behind(&world.layer()), request.body(Full::default()).unwrap()).await;
    answer.refused(401, "unauthorized");
    assert_eq!(api.calls(), 0);
}
