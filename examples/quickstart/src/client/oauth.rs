//! The client's side of the protocol, with the `oauth2` crate.

use std::collections::HashMap;
use std::error::Error;

use axum::http::StatusCode;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::reqwest::{self, RequestBuilder, redirect::Policy};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse,
    TokenUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const CLIENT_ID: &str = "notebook";

pub(super) struct OAuth {
    issuer: String,
    secret: String,
    client: BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>,
    http: reqwest::Client,
}

/// A sign-in that is under way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) state: String,
    verifier: String,
}

/// What the client was given.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) scope: String,
    pub(super) lifetime: u64,
}

/// What came of an action.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) request: &'static str,
    pub(super) status: u16,
    pub(super) body: String,
}

impl Outcome {
    pub(super) fn new(request: &'static str, status: u16, body: &str) -> Self {
        Self { request, status, body: body.to_owned() }
    }
}

impl OAuth {
    pub(super) fn new(issuer: &str, secret: &str) -> Result<Self, Box<dyn Error>> {
        let client = BasicClient::new(ClientId::new(CLIENT_ID.to_owned()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_auth_uri(AuthUrl::new(format!("{issuer}/authorize"))?)
            .set_token_uri(TokenUrl::new(format!("{issuer}/token"))?)
            .set_redirect_uri(RedirectUrl::new(format!("{issuer}/callback"))?);
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { issuer: issuer.to_owned(), secret: secret.to_owned(), client, http })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn home(&self) -> String {
        format!("{}/", self.issuer)
    }

    /// Where to send the browser, and what to remember until it is back.
    pub(super) fn begin(&self, prompt: Option<&str>) -> (String, Waiting) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = self
            .client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(["notes:read", "notes:write"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge);
        if let Some(prompt) = prompt {
            request = request.add_extra_param("prompt", prompt);
        }
        let (address, state) = request.url();
        (address.into(), Waiting { state: state.into_secret(), verifier: verifier.into_secret() })
    }

    pub(super) async fn redeem(&self, code: String, waiting: Waiting) -> Result<Tokens, String> {
        let request = self.client.exchange_code(AuthorizationCode::new(code));
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(waiting.verifier));
        Tokens::take(request.request_async(&self.http).await, None)
    }

    pub(super) async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, String> {
        let refresh = RefreshToken::new(tokens.refresh.clone());
        let answer = self.client.exchange_refresh_token(&refresh).request_async(&self.http).await;
        Tokens::take(answer, Some(tokens))
    }

    pub(super) async fn read_notes(&self, tokens: &Tokens) -> Outcome {
        let request = self.http.get(format!("{}/api/notes", self.issuer)).bearer_auth(&tokens.access);
        outcome("GET /api/notes", request).await
    }

    pub(super) async fn add_note(&self, tokens: &Tokens) -> Outcome {
        let request = self.http.post(format!("{}/api/notes", self.issuer)).bearer_auth(&tokens.access);
        outcome("POST /api/notes", request.body("Water the plants")).await
    }

    /// RFC 7662.
    pub(super) async fn introspect(&self, tokens: &Tokens) -> Outcome {
        let form = HashMap::from([("token", &tokens.access)]);
        let request = self.http.post(format!("{}/introspect", self.issuer)).form(&form);
        outcome("POST /introspect", request.basic_auth(CLIENT_ID, Some(&self.secret))).await
    }

    /// RFC 7009: with the refresh token, all that came from the same sign-in ends.
    pub(super) async fn revoke(&self, tokens: &Tokens) -> Outcome {
        let form = HashMap::from([("token", &tokens.refresh)]);
        let request = self.http.post(format!("{}/revoke", self.issuer)).form(&form);
        outcome("POST /revoke", request.basic_auth(CLIENT_ID, Some(&self.secret))).await
    }
}

impl Tokens {
    fn take<E: Error>(
        answer: Result<BasicTokenResponse, RequestTokenError<E, oauth2::basic::BasicErrorResponse>>,
        before: Option<&Self>,
    ) -> Result<Self, String> {
        let answer = answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(error) => error.error().to_string(),
            other => other.to_string(),
        })?;
        let scopes =
            answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>());
        let refresh = answer.refresh_token().map(|token| token.secret().clone());
        Ok(Self {
            access: answer.access_token().secret().clone(),
            refresh: refresh.or(before.map(|tokens| tokens.refresh.clone())).unwrap_or_default(),
            scope: scopes
                .map(|scopes| scopes.join(" "))
                .or(before.map(|tokens| tokens.scope.clone()))
                .unwrap_or_default(),
            lifetime: answer.expires_in().unwrap_or_default().as_secs(),
        })
    }
}

async fn outcome(request: &'static str, builder: RequestBuilder) -> Outcome {
    let answer = match builder.send().await {
        Ok(answer) => answer,
        Err(error) => return Outcome::new(request, StatusCode::BAD_GATEWAY.as_u16(), &error.to_string()),
    };
    let status = answer.status().as_u16();
    let challenge =
        answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let text = answer.text().await.unwrap_or_default();
    let pretty =
        serde_json::from_str::<Value>(&text).ok().and_then(|json| serde_json::to_string_pretty(&json).ok());
    let body = pretty.or(challenge.map(|challenge| format!("WWW-Authenticate: {challenge}")));
    Outcome { request, status, body: body.unwrap_or(text) }
}
