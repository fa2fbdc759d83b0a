//! The API, the issuer that it trusts, and tokens as an attacker would have them.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use attack_tests::{API1, ISSUER, START, Socket};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_jose::{Algorithm, LocalKey, Signer as _};
use oauth_tower::bearer::{Bearer, BearerLayer, JwtVerifier, TrustedIssuer};
use oauth_tower::body::Body;
use oauth_tower::http_client::HttpClient;
use serde_json::{Value, json};
use tower::service_fn;

/// Drawn once: an RSA key takes its time.
static KEYS: LazyLock<[LocalKey; 3]> = LazyLock::new(|| {
    let key = |kid, algorithm| LocalKey::generate(algorithm).unwrap().with_kid(kid);
    [key("ec", Algorithm::Es256), key("rsa", Algorithm::Rs256), key("ed", Algorithm::EdDsa)]
});

/// An API for the scope `read`, with a part for `write`, and the issuer's keys.
pub(crate) struct Api {
    socket: Socket,
    pub(crate) ec: LocalKey,
    pub(crate) rsa: LocalKey,
    pub(crate) ed: LocalKey,
    fetched: Arc<Mutex<Vec<String>>>,
}

impl Api {
    /// An API that trusts three keys: `ec` for ES256, `rsa` for RS256, `ed` for EdDSA.
    pub(crate) async fn open() -> Self {
        Self::beside(&[]).await
    }

    /// The same, where the issuer publishes other keys besides.
    pub(crate) async fn beside(others: &[Value]) -> Self {
        let [ec, rsa, ed] = KEYS.clone();
        let mut keys: Vec<Value> = [&ec, &rsa, &ed].map(jwk).into();
        keys.extend_from_slice(others);
        let set = Bytes::from(json!({ "keys": keys }).to_string());

        let fetched = Arc::<Mutex<Vec<String>>>::default();
        let log = fetched.clone();
        let http = HttpClient::new(service_fn(move |request: Request<Body>| {
            log.lock().unwrap().push(request.uri().to_string());
            let set = set.clone();
            async move { Ok::<_, Infallible>(Response::new(Full::new(set))) }
        }));
        let jwks_uri = format!("{ISSUER}/jwks");
        let verifier = JwtVerifier::builder()
            .clock(ManualClock::new(Timestamp::from_secs(START)))
            .issuer(TrustedIssuer::with_jwks_uri(ISSUER, API1, jwks_uri, http))
            .build()
            .unwrap();
        let guard = BearerLayer::new(verifier).resource(API1).require_scope("read");
        let hello = async |token: Bearer| format!("reached by {}", token.subject().unwrap_or("a machine"));
        let write = get(hello).layer(guard.clone().require_scope("write"));
        let app = Router::new().route("/notes", get(hello).layer(guard)).route("/write", write);
        Self { socket: Socket::serve(app).await, ec, rsa, ed, fetched }
    }

    async fn send(&self, path: &str, token: &[u8]) -> String {
        let head = format!("GET {path} HTTP/1.1\r\nhost: api1.example\r\nconnection: close\r\n");
        let request = [head.as_bytes(), b"authorization: Bearer ", token, b"\r\n\r\n"].concat();
        let answer = tokio::time::timeout(Duration::from_secs(5), self.socket.send(request)).await;
        answer.expect("an answer before a second look at the clock")
    }

    /// The token opens the API, for alice.
    pub(crate) async fn assert_accepts(&self, token: &str) {
        let answer = self.send("/notes", token.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("reached by alice"), "{answer}");
    }

    /// 401 with one challenge that says `invalid_token`, the handler was not reached, and the next right token is.
    pub(crate) async fn assert_refuses(&self, token: &str, what: &str) {
        let answer = self.send("/notes", token.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{what}: {answer}");
        assert!(!answer.contains("reached"), "{what}: {answer}");
        let challenges: Vec<_> =
            answer.split("\r\n").filter_map(|line| line.strip_prefix("www-authenticate: ")).collect();
        let [challenge] = challenges[..] else { panic!("{what}: {answer}") };
        assert!(challenge.contains(r#"error="invalid_token""#), "{what}: {answer}");
        self.assert_accepts(&self.token().await).await;
    }

    /// Bytes that are no token at all: some 4xx, and the next right token is accepted.
    pub(crate) async fn assert_turns_away(&self, token: &[u8], what: &str) {
        let answer = self.send("/notes", token).await;
        let status: u16 = answer.split(' ').nth(1).expect(what).parse().expect(what);
        assert!([400, 401, 431].contains(&status) && !answer.contains("reached"), "{what}: {answer}");
        self.assert_accepts(&self.token().await).await;
    }

    /// The status for a part of the API that needs the scope `write`.
    pub(crate) async fn status_of_writing(&self, token: &str) -> u16 {
        let answer = self.send("/write", token.as_bytes()).await;
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Nothing was fetched but the issuer's keys, once.
    pub(crate) fn assert_fetched_keys_once(&self) {
        assert_eq!(*self.fetched.lock().unwrap(), [format!("{ISSUER}/jwks")]);
    }

    /// A token that is right in every point.
    pub(crate) async fn token(&self) -> String {
        self.signed_claims(&claims()).await
    }

    /// Claims under a right header and a right signature.
    pub(crate) async fn signed_claims(&self, claims: &Value) -> String {
        self.signed_payload(claims.to_string().as_bytes()).await
    }

    /// A payload under a right header and a right signature.
    pub(crate) async fn signed_payload(&self, payload: &[u8]) -> String {
        sign(&self.ec, &header("ES256", "ec"), payload).await
    }
}

/// The public half, as the issuer publishes it.
pub(crate) fn jwk(key: &LocalKey) -> Value {
    serde_json::to_value(key.key().jwk()).unwrap()
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": API1, "exp": START + 600, "iat": START, "jti": "1",
        "client_id": "web", "scope": "read",
    })
}

/// Right claims but for one.
pub(crate) fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

pub(crate) fn header(alg: &str, kid: &str) -> String {
    json!({ "typ": "at+jwt", "alg": alg, "kid": kid }).to_string()
}

pub(crate) fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs whatever is given.
pub(crate) async fn sign(key: &LocalKey, header: &str, payload: &[u8]) -> String {
    let signed = format!("{}.{}", part(header), part(payload));
    let signature = key.sign(signed.as_bytes()).await.unwrap();
    format!("{signed}.{}", part(signature))
}
