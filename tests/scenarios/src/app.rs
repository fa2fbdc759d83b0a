//! An app that speaks OAuth with the published `oauth2` crate, from what the metadata says.

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenIntrospectionResponse, BasicTokenResponse};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, RevocationUrl, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
};
use serde_json::Value;
use url::Url;

use crate::{Browser, Net, REDIRECT, secret};

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

/// An app.
#[derive(Clone, Debug)]
pub struct App {
    issuer: String,
    client: Client,
    net: Net,
}

/// What an app remembers while the browser is away.
#[derive(Debug)]
pub struct Waiting {
    /// The state that it has sent.
    pub state: CsrfToken,
    /// The verifier of the challenge that it has sent.
    pub verifier: PkceCodeVerifier,
}

/// What an app was given.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token; empty where there is none.
    pub refresh: String,
    /// The scope.
    pub scope: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
}

impl App {
    /// Reads the metadata of an issuer and configures itself by it alone.
    ///
    /// # Panics
    ///
    /// If the metadata is of another issuer or incomplete.
    pub async fn discover(net: &Net, issuer: &str, client_id: &str) -> Self {
        let path = issuer.strip_prefix(net.origin()).expect("an issuer on the origin");
        let metadata = net.get(&format!("/.well-known/oauth-authorization-server{path}")).await;
        assert_eq!(metadata.status, 200, "{metadata:?}");
        let metadata = metadata.json();
        assert_eq!(metadata["issuer"], issuer);
        let url = |name: &str| text(&metadata, name).to_owned();
        let mut client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_uri(AuthUrl::new(url("authorization_endpoint")).expect("a URL"))
            .set_token_uri(TokenUrl::new(url("token_endpoint")).expect("a URL"))
            .set_introspection_url(IntrospectionUrl::new(url("introspection_endpoint")).expect("a URL"))
            .set_revocation_url(RevocationUrl::new(url("revocation_endpoint")).expect("a URL"))
            .set_redirect_uri(RedirectUrl::new(REDIRECT.to_owned()).expect("a URL"));
        if !matches!(client_id, "spa" | "cli") {
            client = client.set_client_secret(ClientSecret::new(secret(client_id)));
        }
        if client_id == "post" {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Self { issuer: issuer.to_owned(), client, net: net.clone() }
    }

    /// The same app with another redirect URI.
    ///
    /// # Panics
    ///
    /// If it is no URL.
    #[must_use]
    pub fn redirect_uri(mut self, uri: &str) -> Self {
        self.client = self.client.set_redirect_uri(RedirectUrl::new(uri.to_owned()).expect("a URL"));
        self
    }

    /// The address to send a browser to, with further parameters, and what to remember.
    pub fn begin(&self, scope: &str, extra: &[(&str, &str)]) -> (Url, Waiting) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = self.client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
        for token in scope.split_whitespace() {
            request = request.add_scope(Scope::new(token.to_owned()));
        }
        for (name, value) in extra {
            request = request.add_extra_param((*name).to_owned(), (*value).to_owned());
        }
        let (url, state) = request.url();
        (url, Waiting { state, verifier })
    }

    /// The code in an answer, when state and issuer are right (RFC 9207 §2.4).
    ///
    /// # Panics
    ///
    /// If they are not, or the answer is an error.
    pub fn code(&self, answer: &Url, waiting: &Waiting) -> String {
        assert_eq!(parameter(answer, "state").as_deref(), Some(waiting.state.secret().as_str()), "{answer}");
        assert_eq!(parameter(answer, "iss").as_deref(), Some(self.issuer.as_str()), "{answer}");
        parameter(answer, "code").unwrap_or_else(|| panic!("no code in {answer}"))
    }

    /// The error code in an answer, when state and issuer are right.
    ///
    /// # Panics
    ///
    /// If they are not, or the answer is a code.
    pub fn error(&self, answer: &Url, waiting: &Waiting) -> String {
        assert_eq!(parameter(answer, "state").as_deref(), Some(waiting.state.secret().as_str()), "{answer}");
        assert_eq!(parameter(answer, "iss").as_deref(), Some(self.issuer.as_str()), "{answer}");
        parameter(answer, "error").unwrap_or_else(|| panic!("no error in {answer}"))
    }

    /// Redeems a code.
    ///
    /// # Errors
    ///
    /// The error code of the answer.
    pub async fn redeem(&self, code: String, waiting: Waiting) -> Result<Tokens, String> {
        let request =
            self.client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(waiting.verifier);
        request.request_async(&self.net).await.map(Tokens::of).map_err(code_of)
    }

    /// The whole way: somebody signs in and allows, the app redeems the code.
    ///
    /// # Panics
    ///
    /// If anything goes wrong.
    pub async fn obtain(&self, browser: &Browser, name: &str, scope: &str, extra: &[(&str, &str)]) -> Tokens {
        let (url, waiting) = self.begin(scope, extra);
        let answer = browser.go_through(url.as_str(), name).await;
        let code = self.code(&answer, &waiting);
        self.redeem(code, waiting).await.expect("tokens")
    }

    /// Refreshes.
    ///
    /// # Errors
    ///
    /// The error code of the answer.
    pub async fn refresh(
        &self,
        refresh_token: &str,
        scope: &str,
        extra: &[(&str, &str)],
    ) -> Result<Tokens, String> {
        let token = RefreshToken::new(refresh_token.to_owned());
        let mut request = self.client.exchange_refresh_token(&token);
        for token in scope.split_whitespace() {
            request = request.add_scope(Scope::new(token.to_owned()));
        }
        for (name, value) in extra {
            request = request.add_extra_param(*name, *value);
        }
        request.request_async(&self.net).await.map(Tokens::of).map_err(code_of)
    }

    /// Asks for a token for itself.
    ///
    /// # Errors
    ///
    /// The error code of the answer.
    pub async fn for_itself(&self, scope: &str, extra: &[(&str, &str)]) -> Result<Tokens, String> {
        let mut request = self.client.exchange_client_credentials();
        for token in scope.split_whitespace() {
            request = request.add_scope(Scope::new(token.to_owned()));
        }
        for (name, value) in extra {
            request = request.add_extra_param(*name, *value);
        }
        request.request_async(&self.net).await.map(Tokens::of).map_err(code_of)
    }

    /// Introspects.
    ///
    /// # Errors
    ///
    /// The error code of the answer.
    pub async fn introspect(&self, token: &str) -> Result<BasicTokenIntrospectionResponse, String> {
        let token = AccessToken::new(token.to_owned());
        self.client.introspect(&token).request_async(&self.net).await.map_err(code_of)
    }

    /// Revokes an access token.
    ///
    /// # Panics
    ///
    /// If the answer is an error.
    pub async fn revoke_access(&self, token: &str) {
        self.revoke(StandardRevocableToken::AccessToken(AccessToken::new(token.to_owned()))).await;
    }

    /// Revokes a refresh token, and with it all that came from the same approval.
    ///
    /// # Panics
    ///
    /// If the answer is an error.
    pub async fn revoke_refresh(&self, token: &str) {
        self.revoke(StandardRevocableToken::RefreshToken(RefreshToken::new(token.to_owned()))).await;
    }

    async fn revoke(&self, token: StandardRevocableToken) {
        let request = self.client.revoke_token(token).expect("an https address");
        request.request_async(&self.net).await.expect("it is revoked");
    }
}

impl Tokens {
    fn of(answer: BasicTokenResponse) -> Self {
        let scope: Vec<_> = answer.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect();
        Self {
            access: answer.access_token().secret().clone(),
            refresh: answer.refresh_token().map(|token| token.secret().clone()).unwrap_or_default(),
            scope: scope.join(" "),
            expires_in: answer.expires_in().unwrap_or_default().as_secs(),
        }
    }
}

/// A parameter of an answer.
pub(crate) fn parameter(answer: &Url, name: &str) -> Option<String> {
    let mut values = answer.query_pairs().filter(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    let value = values.next();
    assert!(values.next().is_none(), "{name} is there twice: {answer}");
    value
}

fn text<'a>(metadata: &'a Value, name: &str) -> &'a str {
    metadata[name].as_str().unwrap_or_else(|| panic!("no {name} in {metadata}"))
}

fn code_of<E: std::error::Error>(error: RequestTokenError<E, BasicErrorResponse>) -> String {
    match error {
        RequestTokenError::ServerResponse(error) => error.error().to_string(),
        other => other.to_string(),
    }
}
