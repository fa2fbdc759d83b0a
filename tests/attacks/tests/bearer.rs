//! Attacks on a protected API (BT), on a socket, with tokens as the server issues them.

use std::time::Duration;

use attack_tests::{API1, API2, Query, Socket, Tokens, World, encode};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_tower::bearer::{Bearer, BearerLayer};

/// An API of two parts, each with its own scope, and a fallback that would answer anybody.
fn api(world: &World) -> Router {
    let guard = |scope: &str| BearerLayer::new(world.server.clone()).resource(API1).require_scope(scope);
    let hello = async |token: Bearer| format!("reached by {}", token.subject().unwrap_or("a machine"));
    let admin = Router::new().route("/users", get(hello).post(hello).options(hello)).layer(guard("write"));
    Router::new()
        .nest("/admin", admin)
        .route("/notes", get(hello).post(hello).options(hello))
        .fallback(async || "reached the fallback")
        .layer(guard("read"))
}

struct Api {
    world: World,
    socket: Socket,
    token: String,
}

impl Api {
    async fn open() -> Self {
        let world = World::new();
        let socket = Socket::serve(api(&world)).await;
        let token = token(&world, "read", API1).await;
        Self { world, socket, token }
    }

    /// GET with raw header lines; each ends with CRLF.
    async fn get(&self, target: &str, headers: impl AsRef<[u8]>) -> Answer {
        let start = format!("GET {target} HTTP/1.1\r\nhost: api1.example\r\nconnection: close\r\n");
        Answer(self.socket.send([start.as_bytes(), headers.as_ref(), b"\r\n"].concat()).await)
    }

    async fn with_token(&self, target: &str, token: &str) -> Answer {
        self.get(target, format!("authorization: Bearer {token}\r\n")).await
    }

    async fn assert_alive(&self) {
        self.with_token("/notes", &self.token).await.reached();
    }
}

async fn token(world: &World, scope: &str, resource: &str) -> String {
    let code = world.code_for(Query::of("web").set("scope", scope).set("resource", resource)).await;
    Tokens::of(&world.redeem("web", &code).await).access
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        let status = self.0.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {:?}", self.0));
        status.parse().expect("a status")
    }

    fn reached(&self) {
        assert_eq!(self.status(), 200, "{}", self.0);
        assert!(self.0.contains("reached by alice"), "{}", self.0);
    }

    /// A refusal that the handler did not see, with one challenge, if it has one.
    fn refused(&self, status: u16, challenge: Option<&str>) {
        assert_eq!(self.status(), status, "{}", self.0);
        assert!(!self.0.contains("reached"), "{}", self.0);
        let challenges: Vec<_> =
            self.0.split("\r\n").filter_map(|line| line.strip_prefix("www-authenticate: ")).collect();
        match challenge {
            Some(error) => {
                assert_eq!(challenges.len(), 1, "{}", self.0);
                assert!(challenges[0].starts_with("Bearer realm=\"api\""), "{}", self.0);
                let named = challenges[0].contains(&format!("error=\"{error}\""));
                assert!(named || error.is_empty() && !challenges[0].contains("error="), "{}", self.0);
            }
            None => assert!(challenges.is_empty(), "{}", self.0),
        }
    }
}

#[tokio::test]
async fn bt_02_a_token_in_the_header_and_one_in_the_body() {
    let api = Api::open().await;
    let (own, form) = (&api.token, format!("access_token={}", api.token));
    let post = async |headers: String| {
        let head = format!(
            "POST /notes HTTP/1.1\r\nhost: api1.example\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n{headers}\r\n{form}",
            form.len()
        );
        Answer(api.socket.send(head).await)
    };
    // The body is never read for a token, so that it can neither replace nor contradict the header's.
    post(String::new()).await.refused(401, Some(""));
    post("authorization: Bearer oaa_evil\r\n".to_owned()).await.refused(401, Some("invalid_token"));
    post(format!("authorization: Bearer {own}\r\n")).await.reached();
    let twice = format!("authorization: Bearer {own}\r\nauthorization: Bearer {own}\r\n");
    post(twice).await.refused(400, Some("invalid_request"));
}

#[tokio::test]
async fn bt_04_a_token_in_the_query_is_never_used() {
    let api = Api::open().await;
    api.get(&format!("/notes?access_token={}", api.token), "").await.refused(401, Some(""));
    let evil = token(&api.world, "read", API2).await;
    api.with_token(&format!("/notes?access_token={evil}"), &api.token).await.reached();
    api.with_token(&format!("/notes?access_token={}", api.token), &evil)
        .await
        .refused(401, Some("invalid_token"));
}

#[tokio::test]
async fn bt_05_the_scheme_in_any_case() {
    let api = Api::open().await;
    for scheme in ["bearer", "BEARER", "bEaReR"] {
        api.get("/notes", format!("Authorization: {scheme} {}\r\n", api.token)).await.reached();
    }
}

#[tokio::test]
async fn bt_06_bt_08_malformed_headers_and_lists() {
    let api = Api::open().await;
    let own = &api.token;
    for (value, status, error) in [
        ("Bearer".to_owned(), 400, "invalid_request"),
        ("Bearer ".to_owned(), 400, "invalid_request"),
        (format!("BearerX {own}"), 401, ""),
        (format!("Bearer {own} {own}"), 400, "invalid_request"),
        (format!("Bearer\t{own}"), 400, "invalid_request"),
        (format!("Bearer {own}, Bearer {own}"), 400, "invalid_request"),
        (format!("Bearer {own},{own}"), 400, "invalid_request"),
        (format!("Basic YTpi, Bearer {own}"), 401, ""),
        (format!("Bearer \"{own}\""), 400, "invalid_request"),
        (format!("Bearer token={own}"), 400, "invalid_request"),
        (own.clone(), 401, ""),
        (String::new(), 400, "invalid_request"),
    ] {
        api.get("/notes", format!("authorization: {value}\r\n")).await.refused(status, Some(error));
    }
    api.get("/notes", format!("authorization: Bearer   {own}\r\n")).await.reached();
}

#[tokio::test]
async fn bt_09_bytes_that_are_no_text() {
    let api = Api::open().await;
    let own = api.token.as_bytes();
    let line = |value: &[u8]| [b"authorization: Bearer ", value, b"\r\n"].concat();
    for value in
        [&b"\xff\xfe"[..], "é".as_bytes(), &[own, b"\xff"].concat(), &[own, "\u{200b}".as_bytes()].concat()]
    {
        api.get("/notes", line(value)).await.refused(400, Some("invalid_request"));
    }
    // NUL, a bare CR and obs-fold are refused by the HTTP parser; the connection ends, the server does not.
    for value in [&[own, b"\0"].concat()[..], &[own, b"\rx: y"].concat(), &[b"x\r\n ", own].concat()] {
        let answer = api.get("/notes", line(value)).await;
        assert_eq!(answer.status(), 400, "{}", answer.0);
        assert!(!answer.0.contains("reached"));
    }
    api.assert_alive().await;
}

#[tokio::test]
async fn bt_10_a_huge_token() {
    let api = Api::open().await;
    for huge in ["x".repeat(20_000), ".".repeat(100_000), "oaa_".repeat(50_000)] {
        let answer = api.with_token("/notes", &huge).await;
        answer.refused(401, Some("invalid_token"));
    }
    let million = api.with_token("/notes", &"a".repeat(1_000_000)).await;
    assert!(million.0.is_empty() || million.status() == 431, "{}", million.0);
    assert!(!million.0.contains("reached"));
    api.assert_alive().await;
}

#[tokio::test]
async fn bt_13_too_little_scope() {
    let api = Api::open().await;
    let answer = api.with_token("/admin/users", &api.token).await;
    answer.refused(403, Some("insufficient_scope"));
    assert!(answer.0.contains("scope=\"read write\""), "{}", answer.0);
    let write = token(&api.world, "write", API1).await;
    api.with_token("/notes", &write).await.refused(403, Some("insufficient_scope"));
    let both = token(&api.world, "read write", API1).await;
    api.with_token("/admin/users", &both).await.reached();
}

#[tokio::test]
async fn bt_16_nothing_of_the_request_is_in_the_challenge() {
    let api = Api::open().await;
    let target = "/x%22%2c%20Basic%20realm=%22?a=%22evil";
    let answer = api.get(target, "x-forwarded-host: evil\"\r\n").await;
    answer.refused(401, Some(""));
    assert!(!answer.0.contains("evil") && !answer.0.contains("Basic"), "{}", answer.0);
    let start = "GET /notes HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\nauthorization: Bearer evil\r\n\r\n";
    let answer = Answer(api.socket.send(start).await);
    answer.refused(401, Some("invalid_token"));
    assert!(!answer.0.contains("evil"), "{}", answer.0);
}

#[tokio::test]
async fn bt_18_other_credentials_are_no_access_token() {
    let api = Api::open().await;
    let tokens = api.world.tokens("web").await;
    let code = api.world.code("web").await;
    let (_, refresh) = tokens.refresh.split_once('_').expect("a prefix");
    let prefix = tokens.access.split('_').next().expect("a prefix");
    let id_token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJzdWIiOiJhbGljZSJ9.";
    for other in [&*tokens.refresh, &code, id_token, &format!("{prefix}_{refresh}")] {
        api.with_token("/notes", other).await.refused(401, Some("invalid_token"));
    }
    assert_eq!(api.world.redeem("web", &code).await.status, 200);
    api.world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn bt_19_a_token_for_another_audience() {
    let api = Api::open().await;
    let other = token(&api.world, "read", API2).await;
    api.with_token("/notes", &other).await.refused(401, Some("invalid_token"));
    let both = api.world.tokens("web").await;
    api.with_token("/notes", &both.access).await.reached();
    let form = format!("{}&resource={}", World::refreshment(&both.refresh), encode(API2));
    let narrowed = Tokens::of(&api.world.token("web", &form).await);
    api.with_token("/notes", &narrowed.access).await.refused(401, Some("invalid_token"));
}

#[tokio::test]
async fn bt_21_the_guard_runs_before_everything() {
    let api = Api::open().await;
    for target in [
        "/",
        "/notes",
        "/notes/",
        "//notes",
        "/notes/%2e%2e/admin",
        "/%6eotes",
        "/admin",
        "/admin/users",
        "/nowhere",
        "*",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "BREW"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: api1.example\r\nconnection: close\r\ncontent-length: 0\r\n\
                 x-http-method-override: GET\r\nx-original-url: /notes\r\nx-rewrite-url: /notes\r\n\r\n"
            );
            let answer = Answer(api.socket.send(request).await);
            // `*` is a target of OPTIONS alone.
            assert!(
                answer.status() == 401 || target == "*" && answer.status() == 400,
                "{method} {target} {}",
                answer.0
            );
            assert!(!answer.0.contains("reached"), "{method} {target} {}", answer.0);
        }
    }
}

#[tokio::test]
async fn revocation_and_expiry_count_from_the_very_next_request() {
    let api = Api::open().await;
    api.assert_alive().await;
    assert_eq!(api.world.revoke("web", &api.token).await.status, 200);
    api.with_token("/notes", &api.token).await.refused(401, Some("invalid_token"));
    let next = token(&api.world, "read", API1).await;
    api.world.clock.advance(Duration::from_millis(3_599_999));
    api.with_token("/notes", &next).await.reached();
    api.world.clock.advance(Duration::from_millis(1));
    api.with_token("/notes", &next).await.refused(401, Some("invalid_token"));
}

#[tokio::test]
async fn pipelined_requests_do_not_inherit_a_token() {
    let api = Api::open().await;
    let first = format!("GET /notes HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n", api.token);
    let second = "GET /notes HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answers = api.socket.send(format!("{first}{second}")).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 401").count(), 1, "{answers}");
    assert_eq!(answers.matches("reached by alice").count(), 1, "{answers}");
}

/// JWEs of every bad kind: encrypted to nobody, claims in clear, bombs, parts of the wrong length.
fn encrypted(token: &str) -> Vec<String> {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims =
        part(r#"{"iss":"https://as.example","sub":"alice","aud":"https://api1.example","scope":"read"}"#);
    let headers = [
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","typ":"at+jwt"}"#,
        r#"{"alg":"none","enc":"none","typ":"at+jwt"}"#,
        r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AAAA"}"#,
        r#"{"alg":"A128KW","enc":"A128CBC-HS256","cty":"JWT"}"#,
    ];
    let mut all = vec![format!("{token}.."), format!("{token}.AA.AA"), "....".to_owned()];
    for header in headers.map(part) {
        let bomb = "A".repeat(4000);
        all.push(format!("{header}..{claims}.."));
        all.push(format!("{header}.AAAA.AAAA.{claims}.AAAA"));
        all.push(format!("{header}.{bomb}.A.{claims}.A"));
    }
    all
}

#[tokio::test]
async fn jw_12_jw_13_jw_14_what_is_encrypted_is_no_token() {
    let world = World::with(|builder| builder.jwt_for(API1));
    let socket = Socket::serve(api(&world)).await;
    let api = Api { token: token(&world, "read", API1).await, world, socket };
    assert_eq!(api.token.split('.').count(), 3, "a JWT");
    for token in encrypted(&api.token) {
        api.with_token("/notes", &token).await.refused(401, Some("invalid_token"));
        assert!(api.world.server.verify(&token).await.is_err());
        assert_eq!(api.world.introspect("rs1", &token).await.body, r#"{"active":false}"#);
    }
    api.assert_alive().await;
}
