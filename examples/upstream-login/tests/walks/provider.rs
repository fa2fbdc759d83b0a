//! A small OpenID provider, on a port of its own. Everybody who comes is `ada`, unless it is told otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oauth_core::clock::{Clock, SystemClock};
use oauth_core::pkce::Challenge;
use oauth_jose::{Algorithm, LocalKey, Signer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use upstream_login::UpstreamSettings;

/// What it does wrong, or on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Willing,
    /// It asks, and the person says no.
    Denies,
    /// Its ID token is for another request.
    OtherNonce,
    /// Its ID token is signed by another key.
    OtherKey,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    key: Arc<LocalKey>,
    state: Arc<Mutex<Asked>>,
}

#[derive(Default)]
struct Asked {
    mood: Mood,
    /// The queries of the authorization requests.
    requests: Vec<HashMap<String, String>>,
    /// What each code stands for, until it is redeemed.
    codes: HashMap<String, HashMap<String, String>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = Arc::new(LocalKey::generate(Algorithm::Es256).unwrap().with_kid("k"));
        let own = Self { issuer, key, state: Arc::default() };
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(own.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        own
    }

    pub(crate) fn settings(&self) -> UpstreamSettings {
        UpstreamSettings {
            issuer: self.issuer.clone(),
            client_id: "notes".to_owned(),
            client_secret: "hush".to_owned(),
        }
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// The authorization requests so far.
    pub(crate) fn requests(&self) -> Vec<HashMap<String, String>> {
        self.state.lock().unwrap().requests.clone()
    }
}

async fn metadata(State(own): State<Provider>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", own.issuer);
    Json(json!({
        "issuer": own.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn jwks(State(own): State<Provider>) -> Json<Value> {
    Json(json!({ "keys": [own.key.key().jwk()] }))
}

async fn authorize(State(own): State<Provider>, Query(query): Query<HashMap<String, String>>) -> Redirect {
    let mut asked = own.state.lock().unwrap();
    let code = format!("code-{}", asked.requests.len());
    asked.requests.push(query.clone());
    let answer = match asked.mood {
        Mood::Denies => "error=access_denied".to_owned(),
        _ => format!("code={code}"),
    };
    let to = format!("{}?{answer}&state={}", query["redirect_uri"], query["state"]);
    asked.codes.insert(code, query);
    Redirect::to(&to)
}

async fn token(
    State(own): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let (asked, mood) = {
        let mut state = own.state.lock().unwrap();
        (state.codes.remove(&form["code"]), state.mood)
    };
    let refused = (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    let Some(asked) = asked else { return refused };
    let challenge = Challenge::parse(Some(&asked["code_challenge"]), Some("S256")).unwrap().unwrap();
    let is_client = headers["authorization"] == format!("Basic {}", STANDARD.encode("notes:hush"));
    if !is_client
        || !challenge.verify(&form["code_verifier"])
        || form["redirect_uri"] != asked["redirect_uri"]
    {
        return refused;
    }
    let now = SystemClock.now().as_secs();
    let nonce = if mood == Mood::OtherNonce { "another" } else { &asked["nonce"] };
    let claims = json!({
        "iss": own.issuer, "aud": "notes", "sub": "ada", "iat": now, "exp": now + 60, "nonce": nonce, "auth_time": now,
    });
    let other = LocalKey::generate(Algorithm::Es256).unwrap();
    let key = if mood == Mood::OtherKey { &other } else { &*own.key };
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(json!({ "alg": "ES256", "kid": "k" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).await.unwrap());
    let id_token = format!("{signed}.{signature}");
    Json(json!({ "access_token": "theirs", "token_type": "Bearer", "id_token": id_token })).into_response()
}
